/*
 * Trains ResNet-18 [He et al. 2016] on Fashion-MNIST in f32, f16, bf16 or fp8.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The stem is the one for small images: 3 x 3 and no pooling. Batch norm makes training and test differ, so a step of training and one
 * of the test are two programs on the same parameters and running statistics.
 */
#include <mpt.h>
#include <stdio.h>

#include "check.h"
#include "images.h"
#include "layers.h"
#include "loop.h"
#include "options.h"
#include "training.h"

enum { TEST_BATCH = 250 };

static int64_t width = 64;
static double rate = 0.05;
static const option_row rows[] = {{.name = "width", .number = &width, .least = 1, .most = 512},
                                  {.name = "rate", .real = &rate, .least = 0, .most = 10}};
static const option_set command_line = {
    "Trains ResNet-18 on Fashion-MNIST with mpt.\n"
    "\n"
    "  --epochs N                how often to go over the training images (default 10)\n"
    "  --batch N                 images per step (default 128)\n"
    "  --limit N                 use only the first N images of each set (default 0: all)\n"
    "  --width N                 channels of the first stage (default 64)\n"
    "  --rate X                  the highest learning rate (default 0.05)\n",
    10, 128, DATASET_FOLDER, NULL, rows, sizeof rows / sizeof rows[0]};

/* ---- the model ---- */

/* relu(norm(conv(norm(conv(x)))) + x); where the stage begins, the way around has a 1 x 1 convolution that fits the shapes. */
static void add_block(mpt_context *ctx, mpt_layer *net, const char *name, int64_t in, int64_t out, int32_t stride) {
    mpt_layer *block = new_sequential(ctx), *body = new_sequential(ctx), *shortcut = NULL;
    add_layer(body, "conv1", new_convolution(ctx, in, out, 3, stride, 1, 0));
    add_layer(body, "norm1", new_batch_norm(ctx, out));
    add_layer(body, "relu", new_activation(ctx, MPT_ACTIVATION_RELU));
    add_layer(body, "conv2", new_convolution(ctx, out, out, 3, 1, 1, 0));
    add_layer(body, "norm2", new_batch_norm(ctx, out));
    if (stride != 1 || in != out) {
        shortcut = new_sequential(ctx);
        add_layer(shortcut, "conv", new_convolution(ctx, in, out, 1, stride, 0, 0));
        add_layer(shortcut, "norm", new_batch_norm(ctx, out));
    }
    add_layer(block, "residual", new_residual(ctx, body, shortcut));
    add_layer(block, "relu", new_activation(ctx, MPT_ACTIVATION_RELU));
    add_layer(net, name, block);
}

static mpt_layer *build_model(mpt_context *ctx) {
    static const char *const names[4][2] = {
        {"stage1a", "stage1b"}, {"stage2a", "stage2b"}, {"stage3a", "stage3b"}, {"stage4a", "stage4b"}};
    mpt_layer *net = new_sequential(ctx), *pool;
    int64_t channels = width;
    int stage;
    add_layer(net, "conv", new_convolution(ctx, 1, width, 3, 1, 1, 0)); /* [N, 1, 28, 28] -> [N, width, 28, 28] */
    add_layer(net, "norm", new_batch_norm(ctx, width));
    add_layer(net, "relu", new_activation(ctx, MPT_ACTIVATION_RELU));
    for (stage = 0; stage < 4; ++stage) { /* twice the channels and half the side: 28, 14, 7, 4 */
        const int64_t next = width << stage;
        add_block(ctx, net, names[stage][0], channels, next, stage == 0 ? 1 : 2);
        add_block(ctx, net, names[stage][1], next, next, 1);
        channels = next;
    }
    CHECK(mpt_layer_adaptive_avg_pool2d(ctx, 1, 1, &pool)); /* -> [N, 8 width, 1, 1] */
    add_layer(net, "pool", pool);
    add_layer(net, "flatten", new_flatten(ctx));
    add_layer(net, "head", new_linear(ctx, channels, DATASET_CLASSES));
    return net;
}

/* ---- training and test ---- */

typedef struct resnet {
    training t;
    mpt_layer *net;
    mpt_optimizer *optimizer;
    images train, test;
    phase train_phase, test_phase;
} resnet;

/* in: images and labels; out: the loss and the logits. Products run in the policy's type, the loss in f32. */
static void forward(resnet *r, mpt_tensor *const *in, mpt_tensor **out) {
    mpt_tensor *logits;
    CHECK(mpt_autocast_begin(r->t.ctx, r->t.policy));
    CHECK(mpt_layer_forward(r->net, &in[0], 1, &logits, 1));
    CHECK(mpt_cross_entropy(logits, in[1], NULL, &out[0]));
    CHECK(mpt_autocast_end(r->t.ctx));
    CHECK(mpt_cast(logits, MPT_F32, &out[1]));
    mpt_tensor_release(logits);
}

static void train_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    resnet *r = user;
    forward(r, in, out);
    CHECK(mpt_backward(out[0], r->t.scaler, MPT_GRAD_WRITE)); /* of the scaled loss, so that small gradients survive f16 */
    CHECK(mpt_optimizer_step(r->optimizer, r->t.scaler));     /* unscales, and skips the step where a gradient overflowed */
    if (r->t.scaler) CHECK(mpt_scaler_update(r->t.scaler));   /* lower after a skip, higher after many good steps */
}

static void test_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    resnet *r = user;
    evaluation_begin(&r->t, r->net); /* batch norm by the running statistics */
    forward(r, in, out);
    evaluation_end(&r->t, r->net);
}

static void begin(void *user, int64_t epoch, uint64_t seed) {
    resnet *r = user;
    images_shuffle(&r->train, epoch, seed);
}

static int64_t run(phase *p, images *set, figures *read) {
    const int64_t n = images_next(set);
    if (n > 0) {
        mpt_tensor *const *out = phase_run(p, n, (const void *const[]){set->pixels, set->labels});
        if (read) figures_add_answers(read, out[0], out[1], set->labels, n, DATASET_CLASSES);
    }
    return n;
}

static void step(void *user, figures *read) {
    resnet *r = user;
    run(&r->train_phase, &r->train, read);
}

static void test(void *user, figures *out) {
    resnet *r = user;
    while (run(&r->test_phase, &r->test, out) > 0) continue;
}

static void save(void *user, mpt_state *state) {
    resnet *r = user;
    CHECK(mpt_state_add_layer(state, "model", r->net));
    CHECK(mpt_state_add_optimizer(state, "optimizer", r->optimizer));
    training_save_fp8(&r->t, state, "fp8", r->net);
}

/* ---- setting up ---- */

static mpt_optimizer *make_optimizer(mpt_context *ctx, mpt_layer *net, int64_t steps) {
    mpt_optimizer *optimizer;
    mpt_sgd_desc desc;
    mpt_schedule_desc schedule;
    CHECK(mpt_sgd_desc_init(&desc, sizeof desc));
    desc.lr = rate;
    desc.momentum = 0.9;
    desc.weight_decay = 5e-4;
    CHECK(mpt_optimizer_sgd(ctx, &desc, &optimizer));
    CHECK(mpt_optimizer_add_layer(optimizer, net));
    CHECK(mpt_schedule_desc_init(&schedule, sizeof schedule));
    schedule.kind = steps > 1 ? MPT_SCHEDULE_ONE_CYCLE : MPT_SCHEDULE_CONSTANT; /* one step has no way up and down */
    schedule.warmup_steps = (steps + 3) / 4;
    schedule.total_steps = steps;
    CHECK(mpt_optimizer_set_schedule(optimizer, &schedule)); /* the device counts: programs follow, skipped steps do not count */
    return optimizer;
}

int main(int argc, char **argv) {
    static resnet r;
    const options o = options_or_exit(&command_line, argc, argv);
    task k = {.t = &r.t, .title = "ResNet-18 on Fashion-MNIST", .metric = &metric_accuracy, .loss_name = "cross-entropy",
              .user = &r, .begin = begin, .step = step, .test = test, .save = save};
    figures tested;

    images_open(&r.train, &o, "train", o.batch);
    images_open(&r.test, &o, "t10k", TEST_BATCH);
    r.t = training_open(&o);
    r.net = build_model(r.t.ctx);
    k.epochs = o.epochs;
    k.steps = batches_count(&r.train.order);
    r.optimizer = make_optimizer(r.t.ctx, r.net, k.epochs * k.steps);
    phase_open(&r.train_phase, &r.t, train_rule, &r, 2);
    images_inputs(&r.train_phase, 1);
    phase_open(&r.test_phase, &r.t, test_rule, &r, 2);
    images_inputs(&r.test_phase, 1);
    k.optimizers[0] = r.optimizer;
    k.models[0] = r.net;
    tested = loop_run(&k, &o);
    printf("test accuracy: %.2f %%\n", 100 * figures_metric(&tested));

    phase_close(&r.train_phase);
    phase_close(&r.test_phase);
    mpt_optimizer_release(r.optimizer);
    mpt_layer_release(r.net);
    training_close(&r.t);
    images_close(&r.train);
    images_close(&r.test);
    return EXIT_OK;
}
