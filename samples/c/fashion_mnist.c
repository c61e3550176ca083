/*
 * Trains a small convolutional network on Fashion-MNIST, in f32, f16, bf16 or fp8.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Read from the top: the model, one training step, one evaluation, the loop. What every sample does in the same way is in samples/common:
 * training.c (a context, a precision, how a step becomes a program) and layers.c are mpt.h alone; loop.c draws the bar and writes
 * checkpoint, log and plot.
 */
#include <math.h>
#include <mpt.h>
#include <stdio.h>

#include "check.h"
#include "images.h"
#include "layers.h"
#include "loop.h"
#include "options.h"
#include "training.h"

enum { TEST_BATCH = 500 };

/* ---- the model ---- */

static void add_relu(mpt_context *ctx, mpt_layer *model, const char *name) {
    add_layer(model, name, new_activation(ctx, MPT_ACTIVATION_RELU));
}

static void add_max_pool(mpt_context *ctx, mpt_layer *model, const char *name) {
    mpt_layer *layer;
    CHECK(mpt_layer_max_pool2d(ctx, NULL, &layer)); /* 2 x 2: the default */
    add_layer(model, name, layer);
}

static mpt_layer *build_model(mpt_context *ctx) {
    mpt_layer *model = new_sequential(ctx);
    add_layer(model, "conv1", new_convolution(ctx, 1, 32, 3, 1, 0, 1)); /* [N, 1, 28, 28] -> [N, 32, 26, 26] */
    add_relu(ctx, model, "relu1");
    add_max_pool(ctx, model, "pool1");                                   /* -> [N, 32, 13, 13] */
    add_layer(model, "conv2", new_convolution(ctx, 32, 64, 3, 1, 0, 1)); /* -> [N, 64, 11, 11] */
    add_relu(ctx, model, "relu2");
    add_max_pool(ctx, model, "pool2");                                   /* -> [N, 64, 5, 5] */
    add_layer(model, "conv3", new_convolution(ctx, 64, 64, 3, 1, 0, 1)); /* -> [N, 64, 3, 3] */
    add_relu(ctx, model, "relu3");
    add_layer(model, "flatten", new_flatten(ctx)); /* -> [N, 576] */
    add_layer(model, "linear1", new_linear(ctx, 576, 64));
    add_relu(ctx, model, "relu4");
    add_layer(model, "linear2", new_linear(ctx, 64, DATASET_CLASSES));
    return model;
}

/* ---- training and evaluation ---- */

typedef struct trainer {
    training t;
    mpt_layer *model;
    mpt_optimizer *optimizer;
    images train_set, test_set;
    phase train_phase, test_phase;
} trainer;

/* in: images and labels; out: the loss and the logits. Under autocast products run in the policy's type, the loss in f32. */
static void forward(trainer *r, mpt_tensor *const *in, mpt_tensor **out) {
    mpt_tensor *logits;
    CHECK(mpt_autocast_begin(r->t.ctx, r->t.policy));
    CHECK(mpt_layer_forward(r->model, &in[0], 1, &logits, 1));
    CHECK(mpt_cross_entropy(logits, in[1], NULL, &out[0]));
    CHECK(mpt_autocast_end(r->t.ctx));
    CHECK(mpt_cast(logits, MPT_F32, &out[1]));
    mpt_tensor_release(logits);
}

static void train_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    trainer *r = user;
    forward(r, in, out);
    CHECK(mpt_backward(out[0], r->t.scaler, MPT_GRAD_WRITE)); /* of the scaled loss, so that small gradients survive f16 */
    CHECK(mpt_optimizer_step(r->optimizer, r->t.scaler));     /* unscales, and skips the step where a gradient overflowed */
    if (r->t.scaler) CHECK(mpt_scaler_update(r->t.scaler));   /* a lower scale after a skip, a higher one after many good steps */
}

static void test_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    trainer *r = user;
    CHECK(mpt_no_grad_begin(r->t.ctx));
    forward(r, in, out);
    CHECK(mpt_no_grad_end(r->t.ctx));
}

/* A batch of the set through a phase; n is 0 where the set is at its end. */
static int64_t run(phase *p, images *set, figures *read) {
    const int64_t n = images_next(set);
    if (n > 0) {
        mpt_tensor *const *out = phase_run(p, n, (const void *const[]){set->pixels, set->labels});
        if (read) figures_add_answers(read, out[0], out[1], set->labels, n, DATASET_CLASSES);
    }
    return n;
}

/* ---- what the loop asks for ---- */

/* The rate of an epoch. It falls without looking at the number of epochs, so that a resumed run follows it too. */
static double learning_rate(int64_t epoch) {
    return 1e-3 * pow(0.8, (double)epoch);
}

static void begin(void *user, int64_t epoch, uint64_t seed) {
    trainer *r = user;
    CHECK(mpt_optimizer_set_lr(r->optimizer, learning_rate(epoch))); /* a captured program sees it too */
    images_shuffle(&r->train_set, epoch, seed);
}

static void step(void *user, figures *read) {
    trainer *r = user;
    run(&r->train_phase, &r->train_set, read);
}

static void test(void *user, figures *out) {
    trainer *r = user;
    while (run(&r->test_phase, &r->test_set, out) > 0) continue;
}

static void save(void *user, mpt_state *state) {
    trainer *r = user;
    CHECK(mpt_state_add_layer(state, "model", r->model));
    CHECK(mpt_state_add_optimizer(state, "optimizer", r->optimizer));
    training_save_fp8(&r->t, state, "fp8", r->model);
}

int main(int argc, char **argv) {
    static trainer r;
    const options o = options_or_exit(&options_fashion_mnist, argc, argv);
    task k = {.t = &r.t, .title = "Fashion-MNIST", .metric = &metric_accuracy, .loss_name = "cross-entropy", .user = &r,
              .begin = begin, .step = step, .test = test, .save = save};
    figures tested;

    images_open(&r.train_set, &o, "train", o.batch);
    images_open(&r.test_set, &o, "t10k", TEST_BATCH);
    r.t = training_open(&o);
    r.model = build_model(r.t.ctx);
    CHECK(mpt_optimizer_adam(r.t.ctx, NULL, &r.optimizer));
    CHECK(mpt_optimizer_add_layer(r.optimizer, r.model));
    phase_open(&r.train_phase, &r.t, train_rule, &r, 2);
    images_inputs(&r.train_phase, 1);
    phase_open(&r.test_phase, &r.t, test_rule, &r, 2);
    images_inputs(&r.test_phase, 1);
    k.epochs = o.epochs;
    k.steps = batches_count(&r.train_set.order);
    k.optimizers[0] = r.optimizer;
    k.models[0] = r.model;
    tested = loop_run(&k, &o);
    printf("test accuracy: %.2f %%\n", 100 * figures_metric(&tested));

    phase_close(&r.train_phase);
    phase_close(&r.test_phase);
    mpt_optimizer_release(r.optimizer);
    mpt_layer_release(r.model);
    training_close(&r.t);
    images_close(&r.train_set);
    images_close(&r.test_set);
    return EXIT_OK;
}
