/*
 * Trains an autoencoder on Fashion-MNIST in f32, f16, bf16 or fp8: 784 pixels through 64 numbers and back [Hinton and Salakhutdinov 2006].
 * SPDX-License-Identifier: Apache-2.0
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

static int64_t code = 64, hidden = 256;
static const option_row rows[] = {{.name = "code", .number = &code, .least = 1, .most = 4096},
                                  {.name = "hidden", .number = &hidden, .least = 1, .most = 65536}};
static const option_set command_line = {
    "Trains an autoencoder on Fashion-MNIST with mpt.\n"
    "\n"
    "  --epochs N                how often to go over the training images (default 10)\n"
    "  --batch N                 images per step (default 128)\n"
    "  --limit N                 use only the first N images of each set (default 0: all)\n"
    "  --code N                  numbers that an image is squeezed into (default 64)\n"
    "  --hidden N                width of the layers between (default 256)\n"
    "  --keep: by default code,linear3, where all passes through few numbers and where the result is measured\n",
    10, 128, DATASET_FOLDER, "code,linear3", rows, sizeof rows / sizeof rows[0]};

static const metric metric_psnr = {"psnr", "PSNR", " dB", "Peak signal to noise", "dB", 1};

static mpt_layer *build_model(mpt_context *ctx) {
    mpt_layer *net = new_sequential(ctx);
    add_layer(net, "flatten", new_flatten(ctx));
    add_layer(net, "linear1", new_linear(ctx, DATASET_PIXELS, hidden));
    add_layer(net, "gelu1", new_activation(ctx, MPT_ACTIVATION_GELU));
    add_layer(net, "code", new_linear(ctx, hidden, code));
    add_layer(net, "linear2", new_linear(ctx, code, hidden));
    add_layer(net, "gelu2", new_activation(ctx, MPT_ACTIVATION_GELU));
    add_layer(net, "linear3", new_linear(ctx, hidden, DATASET_PIXELS));
    return net;
}

typedef struct autoencoder {
    training t;
    mpt_layer *net;
    mpt_optimizer *optimizer;
    images train, test;
    phase train_phase, test_phase;
} autoencoder;

/* in: images, normalised; out: the mean squared error of their pixels in [0, 1]. */
static void forward(autoencoder *a, mpt_tensor *const *in, mpt_tensor **out) {
    mpt_tensor *pixels, *flat, *copy;
    CHECK(mpt_affine(in[0], DATASET_DEVIATION, DATASET_MEAN, &pixels));
    CHECK(mpt_reshape(pixels, 2, (const int64_t[]){-1, DATASET_PIXELS}, &flat));
    CHECK(mpt_autocast_begin(a->t.ctx, a->t.policy));
    CHECK(mpt_layer_forward(a->net, &pixels, 1, &copy, 1));
    CHECK(mpt_mse(copy, flat, MPT_REDUCTION_MEAN, &out[0]));
    CHECK(mpt_autocast_end(a->t.ctx));
    mpt_tensor_release(pixels);
    mpt_tensor_release(flat);
    mpt_tensor_release(copy);
}

static void train_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    autoencoder *a = user;
    forward(a, in, out);
    CHECK(mpt_backward(out[0], a->t.scaler, MPT_GRAD_WRITE));
    CHECK(mpt_optimizer_step(a->optimizer, a->t.scaler));
    if (a->t.scaler) CHECK(mpt_scaler_update(a->t.scaler));
}

static void test_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    autoencoder *a = user;
    evaluation_begin(&a->t, a->net);
    forward(a, in, out);
    evaluation_end(&a->t, a->net);
}

static void begin(void *user, int64_t epoch, uint64_t seed) {
    autoencoder *a = user;
    images_shuffle(&a->train, epoch, seed);
}

static int64_t run(phase *p, images *set, figures *read) {
    const int64_t n = images_next(set);
    if (n > 0) {
        mpt_tensor *const *out = phase_run(p, n, (const void *const[]){set->pixels});
        double loss;
        if (read) {
            CHECK(mpt_tensor_item(out[0], &loss));
            figures_add(read, loss, -10 * log10(loss), n); /* the brightest pixel is 1 */
        }
    }
    return n;
}

static void step(void *user, figures *read) {
    autoencoder *a = user;
    run(&a->train_phase, &a->train, read);
}

static void test(void *user, figures *out) {
    autoencoder *a = user;
    while (run(&a->test_phase, &a->test, out) > 0) continue;
}

static void save(void *user, mpt_state *state) {
    autoencoder *a = user;
    CHECK(mpt_state_add_layer(state, "model", a->net));
    CHECK(mpt_state_add_optimizer(state, "optimizer", a->optimizer));
    training_save_fp8(&a->t, state, "fp8", a->net);
}

/* Adam, whose rate falls to 0 so that training comes to rest. */
static mpt_optimizer *make_optimizer(mpt_context *ctx, mpt_layer *net, int64_t steps) {
    mpt_optimizer *optimizer;
    mpt_schedule_desc schedule;
    CHECK(mpt_optimizer_adam(ctx, NULL, &optimizer));
    CHECK(mpt_optimizer_add_layer(optimizer, net));
    CHECK(mpt_schedule_desc_init(&schedule, sizeof schedule));
    schedule.kind = MPT_SCHEDULE_COSINE;
    schedule.total_steps = steps;
    CHECK(mpt_optimizer_set_schedule(optimizer, &schedule));
    return optimizer;
}

int main(int argc, char **argv) {
    static autoencoder a;
    const options o = options_or_exit(&command_line, argc, argv);
    task k = {.t = &a.t, .title = "autoencoder on Fashion-MNIST", .metric = &metric_psnr, .loss_name = "mean squared error",
              .user = &a, .begin = begin, .step = step, .test = test, .save = save};
    figures tested;

    images_open(&a.train, &o, "train", o.batch);
    images_open(&a.test, &o, "t10k", TEST_BATCH);
    a.t = training_open(&o);
    a.net = build_model(a.t.ctx);
    phase_open(&a.train_phase, &a.t, train_rule, &a, 1);
    images_inputs(&a.train_phase, 0);
    phase_open(&a.test_phase, &a.t, test_rule, &a, 1);
    images_inputs(&a.test_phase, 0);
    k.epochs = o.epochs;
    k.steps = batches_count(&a.train.order);
    a.optimizer = make_optimizer(a.t.ctx, a.net, k.epochs * k.steps);
    k.optimizers[0] = a.optimizer;
    k.models[0] = a.net;
    tested = loop_run(&k, &o);
    printf("test mse: %.6f\n", figures_loss(&tested));

    phase_close(&a.train_phase);
    phase_close(&a.test_phase);
    mpt_optimizer_release(a.optimizer);
    mpt_layer_release(a.net);
    training_close(&a.t);
    images_close(&a.train);
    images_close(&a.test);
    return EXIT_OK;
}
