/*
 * Trains a generator and a discriminator against each other on Fashion-MNIST [Radford et al. 2016] in f32, f16, bf16 or fp8: two
 * optimizers under one loss scaler. SPDX-License-Identifier: Apache-2.0
 *
 * The networks are in samples/common/gan.c. What comes out is measured by the Frechet distance between generated and real images, as
 * the share of the way from always the same mean image (0 %) to the real distribution (100 %) that the generator has gone; see frechet.h.
 * The generator that is measured and draws has the moving average of the weights, which swings less than the weights themselves.
 */
#include <math.h>
#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "file.h"
#include "frechet.h"
#include "gan.h"
#include "images.h"
#include "loop.h"
#include "options.h"
#include "sampler.h"
#include "training.h"

enum { TEST_BATCH = 500, GRID = 8 };

static int64_t width = 32, n_noise = 64;
static double rate = 1e-3, decay = 0.995;
static const option_row rows[] = {{.name = "width", .number = &width, .least = 1, .most = 1024},
                                  {.name = "noise", .number = &n_noise, .least = 1, .most = 65536},
                                  {.name = "rate", .real = &rate, .least = 0, .most = 1},
                                  {.name = "decay", .real = &decay, .least = 0, .most = 0.999999}};
static const option_set command_line = {
    "Trains a generator of Fashion-MNIST images with mpt, and a discriminator against it.\n"
    "\n"
    "  --epochs N                how often to go over the training images (default 10)\n"
    "  --batch N                 images per step (default 64)\n"
    "  --limit N                 use only the first N images of each set (default 0: all)\n"
    "  --width N                 channels of the widest images (default 32)\n"
    "  --noise N                 numbers that an image is made from (default 64)\n"
    "  --rate X                  learning rate of both at the start (default 0.001)\n"
    "  --decay X                 of the moving average of the generator's weights (default 0.995)\n",
    10, 64, DATASET_FOLDER, NULL, rows, sizeof rows / sizeof rows[0]};

static const metric metric_match = {"match", "match", " %", "Match of the distributions", "% of the way", 100};

typedef struct trainer {
    training t;
    gan g;
    mpt_average *average;
    images train, test;
    moments real;
    phase train_phase, test_phase;
    float *noise, *drawn; /* of a batch of the test */
    double distance;
    const char *out;
} trainer;

/* ---- training ---- */

/* in: images, normalised; out: the discriminator's loss and the generator's. */
static void train_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    trainer *r = user;
    mpt_tensor *real;
    int64_t shape[4];
    CHECK(mpt_tensor_shape(in[0], shape, 4));
    CHECK(mpt_affine(in[0], 2 * DATASET_DEVIATION, 2 * DATASET_MEAN - 1, &real)); /* pixels from -1 to 1 */
    out[0] = gan_discriminator_gradients(&r->g, real);
    CHECK(mpt_optimizer_step(r->g.discriminator_optimizer, r->t.scaler));
    out[1] = gan_generator_gradients(&r->g, shape[0]);
    CHECK(mpt_optimizer_step(r->g.generator_optimizer, r->t.scaler)); /* each looks at its own gradients: one may skip alone */
    CHECK(mpt_average_update(r->average));
    if (r->t.scaler) CHECK(mpt_scaler_update(r->t.scaler)); /* once, after both */
    mpt_tensor_release(real);
}

static void begin(void *user, int64_t epoch, uint64_t seed) {
    trainer *r = user;
    images_shuffle(&r->train, epoch, seed);
}

static void step(void *user, figures *read) {
    trainer *r = user;
    const int64_t n = images_next(&r->train);
    mpt_tensor *const *out = phase_run(&r->train_phase, n, (const void *const[]){r->train.pixels});
    double loss;
    if (!read) return;
    CHECK(mpt_tensor_item(out[0], &loss));
    figures_add(read, loss, NAN, n);
}

/* ---- the test ---- */

/* in: images, normalised, and noise; out: the discriminator's loss and generated images, normalised too. */
static void test_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    trainer *r = user;
    mpt_tensor *real, *fake, *wide, *of_real, *of_fake;
    evaluation_begin(&r->t, r->g.generator);
    CHECK(mpt_affine(in[0], 2 * DATASET_DEVIATION, 2 * DATASET_MEAN - 1, &real));
    CHECK(mpt_autocast_begin(r->t.ctx, r->t.policy));
    fake = gan_generate(&r->g, in[1]);
    of_real = gan_judge(&r->g, real, 1);
    of_fake = gan_judge(&r->g, fake, 0);
    CHECK(mpt_autocast_end(r->t.ctx));
    CHECK(mpt_add(of_real, of_fake, &out[0]));
    CHECK(mpt_cast(fake, MPT_F32, &wide));
    CHECK(mpt_affine(wide, 0.5 / DATASET_DEVIATION, (0.5 - DATASET_MEAN) / DATASET_DEVIATION, &out[1]));
    evaluation_end(&r->t, r->g.generator);
    mpt_tensor_release(real);
    mpt_tensor_release(fake);
    mpt_tensor_release(wide);
    mpt_tensor_release(of_real);
    mpt_tensor_release(of_fake);
}

/* A square of generated images as a portable grey map. */
static void write_grid(const trainer *r, const char *folder) {
    char path[FILE_PATH_MAX];
    file_draft draft;
    int y, x;
    if (file_join(path, folder, "samples.pgm") != 0 || file_draft_open(&draft, path) != 0) {
        perror(path);
        exit(EXIT_RUN_TIME);
    }
    fprintf(draft.stream, "P5\n%d %d\n255\n", GRID * DATASET_SIDE, GRID * DATASET_SIDE);
    for (y = 0; y < GRID * DATASET_SIDE; ++y) {
        for (x = 0; x < GRID * DATASET_SIDE; ++x) {
            const int image = y / DATASET_SIDE * GRID + x / DATASET_SIDE;
            const float value = r->drawn[image * DATASET_PIXELS + y % DATASET_SIDE * DATASET_SIDE + x % DATASET_SIDE];
            const float white = value * DATASET_DEVIATION + DATASET_MEAN;
            fputc((int)(255 * (white < 0 ? 0 : white > 1 ? 1 : white) + 0.5f), draft.stream);
        }
    }
    if (file_draft_commit(&draft) != 0) {
        perror(path);
        exit(EXIT_RUN_TIME);
    }
}

/* The noise is the same in each test and each precision. */
static void test(void *user, figures *out) {
    trainer *r = user;
    sampler s = sampler_begin(0);
    static moments generated;
    int64_t n, i;
    generated = (moments){0};
    CHECK(mpt_average_swap(r->average));
    while ((n = images_next(&r->test)) > 0) {
        mpt_tensor *const *result;
        double loss;
        for (i = 0; i < n * n_noise; ++i) r->noise[i] = (float)sampler_normal(&s);
        result = phase_run(&r->test_phase, n, (const void *const[]){r->test.pixels, r->noise});
        CHECK(mpt_tensor_item(result[0], &loss));
        CHECK(mpt_tensor_read(result[1], r->drawn, (size_t)n * DATASET_PIXELS * sizeof *r->drawn));
        if (generated.n == 0 && n >= GRID * GRID) write_grid(r, r->out);
        moments_add(&generated, r->drawn, n);
        figures_add(out, loss, 0, n);
    }
    CHECK(mpt_average_swap(r->average));
    r->distance = frechet_distance(&generated, &r->real);
    out->metric = (1 - r->distance / moments_spread(&r->real)) * (double)out->n;
}

static void save(void *user, mpt_state *state) {
    trainer *r = user;
    CHECK(mpt_state_add_layer(state, "generator", r->g.generator));
    CHECK(mpt_state_add_layer(state, "discriminator", r->g.discriminator));
    CHECK(mpt_state_add_optimizer(state, "generator_optimizer", r->g.generator_optimizer));
    CHECK(mpt_state_add_optimizer(state, "discriminator_optimizer", r->g.discriminator_optimizer));
    CHECK(mpt_state_add_average(state, "average", r->average));
    training_save_fp8(&r->t, state, "generator_fp8", r->g.generator);
    training_save_fp8(&r->t, state, "discriminator_fp8", r->g.discriminator);
}

int main(int argc, char **argv) {
    static trainer r;
    const options o = options_or_exit(&command_line, argc, argv);
    const int64_t noise[2] = {0, n_noise};
    task k = {.t = &r.t, .title = "GAN on Fashion-MNIST", .metric = &metric_match, .loss_name = "discriminator's loss", .user = &r,
              .begin = begin, .step = step, .test = test, .save = save};
    int64_t stepped[2], skipped[2];
    figures tested;

    images_open(&r.train, &o, "train", o.batch);
    images_open(&r.test, &o, "t10k", TEST_BATCH);
    moments_add(&r.real, r.test.set.images, r.test.set.n);
    r.noise = allocate((size_t)(TEST_BATCH * n_noise) * sizeof *r.noise);
    r.drawn = allocate((size_t)TEST_BATCH * DATASET_PIXELS * sizeof *r.drawn);
    r.out = o.out;
    r.t = training_open(&o);
    k.epochs = o.epochs;
    k.steps = batches_count(&r.train.order);
    gan_open(&r.g, &r.t, n_noise, width, rate, k.epochs * k.steps);
    CHECK(mpt_average_create(r.g.generator_optimizer, decay, &r.average));
    phase_open(&r.train_phase, &r.t, train_rule, &r, 2);
    images_inputs(&r.train_phase, 0);
    phase_open(&r.test_phase, &r.t, test_rule, &r, 2);
    images_inputs(&r.test_phase, 0);
    phase_input(&r.test_phase, MPT_F32, 2, noise);
    k.optimizers[0] = r.g.generator_optimizer;
    k.optimizers[1] = r.g.discriminator_optimizer;
    k.models[0] = r.g.generator;
    k.models[1] = r.g.discriminator;
    tested = loop_run(&k, &o);

    CHECK(mpt_optimizer_counts(r.g.generator_optimizer, &stepped[0], &skipped[0]));
    CHECK(mpt_optimizer_counts(r.g.discriminator_optimizer, &stepped[1], &skipped[1]));
    printf("generator: %lld steps, %lld skipped; discriminator: %lld steps, %lld skipped\n", (long long)stepped[0],
           (long long)skipped[0], (long long)stepped[1], (long long)skipped[1]);
    printf("Frechet distance %.4f, of the mean image %.4f\n", r.distance, moments_spread(&r.real));
    printf("test match: %.3f %%\n", 100 * figures_metric(&tested));

    phase_close(&r.train_phase);
    phase_close(&r.test_phase);
    mpt_average_release(r.average);
    gan_close(&r.g);
    training_close(&r.t);
    images_close(&r.train);
    images_close(&r.test);
    free(r.noise);
    free(r.drawn);
    return EXIT_OK;
}
