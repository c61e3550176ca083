/*
 * Trains a small convolutional network on Fashion-MNIST, in f32, f16 or bf16.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Read from the top: the model, one training step, one evaluation, how a step becomes a program, the loop.
 * All of that is mpt.h alone; reading files, drawing the bar and the plot are in samples/common.
 */
#include <math.h>
#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dataset.h"
#include "file.h"
#include "history.h"
#include "options.h"
#include "progress.h"

enum { TEST_BATCH = 500, STEPS_PER_READOUT = 10, DIFFERENT_BATCHES = 2 };

/* ---- the model ---- */

/* A sequential layer keeps what is added to it, so our own handle can go. */
static void add(mpt_layer *model, const char *name, mpt_layer *layer) {
    CHECK(mpt_layer_add(model, name, layer));
    mpt_layer_release(layer);
}

static void add_convolution(mpt_context *ctx, mpt_layer *model, const char *name, int64_t in_channels, int64_t out_channels) {
    mpt_conv2d_desc desc;
    mpt_layer *layer;
    CHECK(mpt_conv2d_desc_init(&desc, sizeof desc));
    desc.in_channels = in_channels;
    desc.out_channels = out_channels;
    CHECK(mpt_layer_conv2d(ctx, &desc, &layer)); /* 3 x 3, stride 1, no padding: the defaults */
    add(model, name, layer);
}

static void add_linear(mpt_context *ctx, mpt_layer *model, const char *name, int64_t in_features, int64_t out_features) {
    mpt_linear_desc desc;
    mpt_layer *layer;
    CHECK(mpt_linear_desc_init(&desc, sizeof desc));
    desc.in_features = in_features;
    desc.out_features = out_features;
    CHECK(mpt_layer_linear(ctx, &desc, &layer));
    add(model, name, layer);
}

static void add_relu(mpt_context *ctx, mpt_layer *model, const char *name) {
    mpt_layer *layer;
    CHECK(mpt_layer_relu(ctx, &layer));
    add(model, name, layer);
}

static void add_max_pool(mpt_context *ctx, mpt_layer *model, const char *name) {
    mpt_layer *layer;
    CHECK(mpt_layer_max_pool2d(ctx, NULL, &layer)); /* 2 x 2: the default */
    add(model, name, layer);
}

static void add_flatten(mpt_context *ctx, mpt_layer *model, const char *name) {
    mpt_layer *layer;
    CHECK(mpt_layer_flatten(ctx, &layer));
    add(model, name, layer);
}

static mpt_layer *build_model(mpt_context *ctx) {
    mpt_layer *model;
    CHECK(mpt_layer_sequential(ctx, &model));
    add_convolution(ctx, model, "conv1", 1, 32); /* [N, 1, 28, 28] -> [N, 32, 26, 26] */
    add_relu(ctx, model, "relu1");
    add_max_pool(ctx, model, "pool1");            /* -> [N, 32, 13, 13] */
    add_convolution(ctx, model, "conv2", 32, 64); /* -> [N, 64, 11, 11] */
    add_relu(ctx, model, "relu2");
    add_max_pool(ctx, model, "pool2");            /* -> [N, 64, 5, 5] */
    add_convolution(ctx, model, "conv3", 64, 64); /* -> [N, 64, 3, 3] */
    add_relu(ctx, model, "relu3");
    add_flatten(ctx, model, "flatten"); /* -> [N, 576] */
    add_linear(ctx, model, "linear1", 576, 64);
    add_relu(ctx, model, "relu4");
    add_linear(ctx, model, "linear2", 64, DATASET_CLASSES);
    return model;
}

/* ---- training and evaluation ---- */

typedef struct trainer {
    mpt_context *ctx;
    mpt_layer *model;
    mpt_policy *policy; /* NULL: everything in f32 */
    mpt_scaler *scaler; /* NULL: f32 and bf16 reach far enough without */
    mpt_optimizer *optimizer;
    int eager;
} trainer;

/* Tensors for n images and what a step makes of them. */
typedef struct batch {
    int64_t n;
    mpt_tensor *images, *labels; /* in */
    mpt_tensor *loss, *logits;   /* out: a scalar and [n, 10], both f32 */
    mpt_program *program;        /* NULL: eager */
    void (*step)(trainer *t, struct batch *b);
} batch;

/* The loss and the logits of a batch. Under autocast products run in the policy's type, the loss in f32. */
static void forward(trainer *t, batch *b) {
    mpt_tensor *logits;
    CHECK(mpt_autocast_begin(t->ctx, t->policy));
    CHECK(mpt_layer_forward(t->model, &b->images, 1, &logits, 1));
    CHECK(mpt_cross_entropy(logits, b->labels, MPT_REDUCTION_MEAN, &b->loss));
    CHECK(mpt_autocast_end(t->ctx));
    CHECK(mpt_cast(logits, MPT_F32, &b->logits));
    mpt_tensor_release(logits);
}

static void train_step(trainer *t, batch *b) {
    forward(t, b);
    CHECK(mpt_backward(b->loss, t->scaler, MPT_GRAD_WRITE)); /* of the scaled loss, so that small gradients survive f16 */
    CHECK(mpt_optimizer_step(t->optimizer, t->scaler));      /* unscales, and skips the step where a gradient overflowed */
    if (t->scaler) CHECK(mpt_scaler_update(t->scaler));      /* a lower scale after a skip, a higher one after many good steps */
}

static void test_step(trainer *t, batch *b) {
    CHECK(mpt_no_grad_begin(t->ctx));
    forward(t, b);
    CHECK(mpt_no_grad_end(t->ctx));
}

/* ---- a step as a program ---- */

static void release_outputs(batch *b) {
    mpt_tensor_release(b->loss);
    mpt_tensor_release(b->logits);
    b->loss = b->logits = NULL;
}

/* Makes the input tensors and, unless eager, records the step once: then it is planned as a whole and only replayed. */
static void batch_open(trainer *t, batch *b, int64_t n, void (*step)(trainer *, batch *)) {
    const int64_t shape[4] = {n, 1, DATASET_SIDE, DATASET_SIDE};
    memset(b, 0, sizeof *b);
    b->n = n;
    b->step = step;
    CHECK(mpt_tensor_create(t->ctx, MPT_F32, 4, shape, &b->images));
    CHECK(mpt_tensor_create(t->ctx, MPT_U8, 1, shape, &b->labels));
    if (!t->eager) {
        mpt_tensor *outputs[2];
        CHECK(mpt_capture_begin(t->ctx));
        step(t, b);
        outputs[0] = b->loss;
        outputs[1] = b->logits;
        CHECK(mpt_capture_end(t->ctx, outputs, 2, &b->program));
    }
}

static void batch_run(trainer *t, batch *b, const float *images, const uint8_t *labels) {
    const size_t image_bytes = (size_t)b->n * DATASET_PIXELS * sizeof *images, label_bytes = (size_t)b->n;
    if (b->program) {
        CHECK(mpt_program_feed(b->program, b->images, images, image_bytes));
        CHECK(mpt_program_feed(b->program, b->labels, labels, label_bytes));
        CHECK(mpt_program_run(b->program));
    } else {
        release_outputs(b);
        CHECK(mpt_tensor_write(b->images, images, image_bytes));
        CHECK(mpt_tensor_write(b->labels, labels, label_bytes));
        b->step(t, b);
    }
}

static void batch_close(batch *b) {
    release_outputs(b);
    mpt_program_release(b->program);
    mpt_tensor_release(b->images);
    mpt_tensor_release(b->labels);
}

/* A data set of n images needs a batch of the usual size and, where that does not divide n, one for the rest. */
static int open_batches(trainer *t, batch batches[DIFFERENT_BATCHES], int64_t n, int64_t size, void (*step)(trainer *, batch *)) {
    int count = 0;
    if (n / size > 0) batch_open(t, &batches[count++], size, step);
    if (n % size > 0) batch_open(t, &batches[count++], n % size, step);
    return count;
}

/* ---- reading results ---- */

typedef struct score {
    double loss; /* summed over images */
    int64_t right, seen;
} score;

static double mean_loss(const score *s) {
    return s->seen ? s->loss / (double)s->seen : NAN;
}
static double accuracy(const score *s) {
    return s->seen ? (double)s->right / (double)s->seen : NAN;
}

/* Adds a batch's results. Reading waits for the device, so training does it now and then only. */
static void score_add(score *s, const batch *b, const uint8_t *labels, float *logits) {
    double loss;
    int64_t i;
    CHECK(mpt_tensor_item(b->loss, &loss));
    CHECK(mpt_tensor_read(b->logits, logits, (size_t)b->n * DATASET_CLASSES * sizeof *logits));
    for (i = 0; i < b->n; ++i) {
        const float *row = logits + i * DATASET_CLASSES;
        int best = 0, c;
        for (c = 1; c < DATASET_CLASSES; ++c) {
            if (row[c] > row[best]) best = c;
        }
        s->right += best == labels[i];
    }
    s->loss += loss * (double)b->n;
    s->seen += b->n;
}

static void read_scaling(trainer *t, double *scale, int64_t *skipped) {
    *scale = 0;
    if (t->scaler) CHECK(mpt_scaler_scale(t->scaler, scale));
    CHECK(mpt_optimizer_counts(t->optimizer, NULL, skipped));
}

/* ---- the loop ---- */

/* Host memory that every step uses again. */
typedef struct workspace {
    int32_t *order;
    float *images, *logits;
    uint8_t *labels;
} workspace;

static void *allocate(size_t nbytes) {
    void *memory = malloc(nbytes);
    if (!memory) {
        fprintf(stderr, "no memory for %zu bytes\n", nbytes);
        exit(EXIT_RUN_TIME);
    }
    return memory;
}

static score train_epoch(trainer *t, batch *batches, const dataset *set, workspace *w, progress *bar) {
    score epoch = {0, 0, 0};
    progress_values values = {NAN, NAN, 0, 0};
    int64_t first = 0, step;
    for (step = 1; first < set->n; ++step) {
        batch *b = batches[0].n <= set->n - first ? &batches[0] : &batches[1];
        dataset_gather(set, w->order + first, b->n, w->images, w->labels);
        batch_run(t, b, w->images, w->labels);
        first += b->n;
        if (step % STEPS_PER_READOUT == 1 || first == set->n) {
            score now = {0, 0, 0};
            score_add(&now, b, w->labels, w->logits);
            epoch.loss += now.loss;
            epoch.right += now.right;
            epoch.seen += now.seen;
            values.loss = mean_loss(&now);
            values.accuracy = accuracy(&epoch);
            read_scaling(t, &values.scale, &values.skipped);
        }
        progress_update(bar, step, &values);
    }
    return epoch;
}

static score test(trainer *t, batch *batches, const dataset *set, workspace *w) {
    score result = {0, 0, 0};
    int64_t first = 0;
    while (first < set->n) {
        batch *b = batches[0].n <= set->n - first ? &batches[0] : &batches[1];
        batch_run(t, b, set->images + first * DATASET_PIXELS, set->labels + first);
        score_add(&result, b, set->labels + first, w->logits);
        first += b->n;
    }
    return result;
}

/* The rate of an epoch, counted from 0. It falls without looking at the number of epochs, so that a resumed run follows it too. */
static double learning_rate(int64_t epoch) {
    return 1e-3 * pow(0.8, (double)epoch);
}

/* ---- setting up ---- */

static trainer make_trainer(const options *o) {
    trainer t;
    mpt_context_desc desc;
    memset(&t, 0, sizeof t);
    t.eager = o->eager;
    CHECK(mpt_context_desc_init(&desc, sizeof desc));
    desc.device = o->device;
    desc.threads = o->threads;
    desc.seed = o->seed;
    CHECK(mpt_context_create(&desc, &t.ctx));
    t.model = build_model(t.ctx);
    CHECK(mpt_optimizer_adam(t.ctx, NULL, &t.optimizer));
    CHECK(mpt_optimizer_add_layer(t.optimizer, t.model));
    if (o->precision != MPT_F32) CHECK(mpt_policy_create(t.ctx, o->precision, &t.policy));
    if (o->precision == MPT_F16) CHECK(mpt_scaler_create(t.ctx, NULL, &t.scaler));
    return t;
}

static void release_trainer(trainer *t) {
    mpt_scaler_release(t->scaler);
    mpt_policy_release(t->policy);
    mpt_optimizer_release(t->optimizer);
    mpt_layer_release(t->model);
    mpt_context_release(t->ctx);
}

/* All that a run needs to go on as if it had never stopped. */
static mpt_state *make_state(trainer *t, uint64_t seed) {
    mpt_state *state;
    CHECK(mpt_state_create(t->ctx, &state));
    CHECK(mpt_state_add_layer(state, "model", t->model));
    CHECK(mpt_state_add_optimizer(state, "optimizer", t->optimizer));
    if (t->scaler) CHECK(mpt_state_add_scaler(state, "scaler", t->scaler));
    CHECK(mpt_state_add_random(state, "random"));
    CHECK(mpt_state_set_number(state, "epoch", 0));
    CHECK(mpt_state_set_number(state, "seed", (int64_t)seed));
    return state;
}

static void load_or_exit(dataset *set, const options *o, const char *part) {
    char message[2 * FILE_PATH_MAX];
    if (dataset_load(set, o->data, part, o->limit, message, sizeof message) == 0) return;
    fprintf(stderr, "%s\n", message);
    exit(EXIT_RUN_TIME);
}

/* Where results go. */
typedef struct results {
    char checkpoint[FILE_PATH_MAX], log[FILE_PATH_MAX], plot[FILE_PATH_MAX];
} results;

static void open_results(results *r, const char *folder) {
    if (file_make_folder(folder) != 0) {
        fprintf(stderr, "--out %s: ", folder);
        perror("the folder cannot be made or written");
        exit(EXIT_RUN_TIME);
    }
    if (file_join(r->checkpoint, folder, "checkpoint.safetensors") != 0 || file_join(r->log, folder, "log.csv") != 0 ||
        file_join(r->plot, folder, "plot.svg") != 0) {
        fprintf(stderr, "--out %s: the path is too long\n", folder);
        exit(EXIT_RUN_TIME);
    }
}

static void write_results(const results *r, mpt_state *state, const history *log, const char *title) {
    CHECK(mpt_state_save(state, r->checkpoint));
    if (history_write_csv(log, r->log) != 0) {
        perror(r->log);
        exit(EXIT_RUN_TIME);
    }
    if (history_write_plot(log, r->plot, title) != 0) {
        perror(r->plot);
        exit(EXIT_RUN_TIME);
    }
}

int main(int argc, char **argv) {
    options o;
    trainer t;
    dataset train_set, test_set;
    batch train_batches[DIFFERENT_BATCHES], test_batches[DIFFERENT_BATCHES];
    int n_train_batches, n_test_batches, i;
    workspace w;
    static history log;
    results files;
    mpt_state *state;
    terminal term;
    score tested = {0, 0, 0};
    int64_t epoch = 0, seed, steps_per_epoch, largest;
    char title[96], machine[256];

    switch (options_parse(&o, argc, argv)) {
        case OPTIONS_HELP:
            return EXIT_OK;
        case OPTIONS_WRONG:
            return EXIT_USAGE;
        case OPTIONS_RUN:
            break;
    }
    terminal_open(&term, stdout);
    open_results(&files, o.out);
    load_or_exit(&train_set, &o, "train");
    load_or_exit(&test_set, &o, "t10k");

    t = make_trainer(&o);
    seed = (int64_t)o.seed;
    state = make_state(&t, o.seed);
    if (o.resume) {
        CHECK(mpt_state_load(state, o.resume));
        CHECK(mpt_state_number(state, "epoch", &epoch));
        CHECK(mpt_state_number(state, "seed", &seed)); /* its order of the images goes on too */
        history_read_csv(&log, files.log, epoch);
    }
    if (o.batch > train_set.n) o.batch = train_set.n;
    n_train_batches = open_batches(&t, train_batches, train_set.n, o.batch, train_step);
    n_test_batches = open_batches(&t, test_batches, test_set.n, TEST_BATCH, test_step);

    steps_per_epoch = (train_set.n + o.batch - 1) / o.batch;
    largest = o.batch > TEST_BATCH ? o.batch : TEST_BATCH;
    w.order = allocate((size_t)train_set.n * sizeof *w.order);
    w.images = allocate((size_t)o.batch * DATASET_PIXELS * sizeof *w.images);
    w.labels = allocate((size_t)o.batch);
    w.logits = allocate((size_t)largest * DATASET_CLASSES * sizeof *w.logits);

    CHECK(mpt_context_describe(t.ctx, machine, sizeof machine, NULL));
    snprintf(title, sizeof title, "Fashion-MNIST in %s, seed %lld", mpt_dtype_name(o.precision), (long long)seed);
    printf("%s, %s, %lld images for training and %lld for the test\non %s\n", title, o.eager ? "eager" : "captured",
           (long long)train_set.n, (long long)test_set.n, machine);
    history_print_header(&term);
    for (i = 0; i < log.n; ++i) history_print_row(&term, &log.rows[i]);

    /* A checkpoint of a finished run is tested once more. */
    if (epoch >= o.epochs) tested = test(&t, test_batches, &test_set, &w);
    while (epoch < o.epochs) {
        history_row row;
        progress bar;
        score trained;
        char name[64];

        snprintf(name, sizeof name, "epoch %lld/%lld", (long long)epoch + 1, (long long)o.epochs);
        progress_begin(&bar, &term, name, steps_per_epoch, steps_per_epoch * (o.epochs - epoch - 1));
        row.rate = learning_rate(epoch);
        CHECK(mpt_optimizer_set_lr(t.optimizer, row.rate)); /* a captured program sees it too */
        dataset_shuffle(w.order, train_set.n, (uint64_t)seed, epoch);
        trained = train_epoch(&t, train_batches, &train_set, &w, &bar);
        row.seconds = progress_clock() - bar.start;
        tested = test(&t, test_batches, &test_set, &w);
        progress_end(&bar);

        row.epoch = ++epoch;
        row.train_loss = mean_loss(&trained);
        row.train_accuracy = accuracy(&trained);
        row.test_loss = mean_loss(&tested);
        row.test_accuracy = accuracy(&tested);
        read_scaling(&t, &row.scale, &row.skipped);
        history_print_row(&term, &row);
        (void)history_add(&log, &row); /* --epochs is at most HISTORY_MAX */
        CHECK(mpt_state_set_number(state, "epoch", epoch));
        write_results(&files, state, &log, title);
    }
    printf("written: %s, %s, %s\n", files.checkpoint, files.log, files.plot);
    printf("test accuracy: %.2f %%\n", 100 * accuracy(&tested));

    for (i = 0; i < n_train_batches; ++i) batch_close(&train_batches[i]);
    for (i = 0; i < n_test_batches; ++i) batch_close(&test_batches[i]);
    mpt_state_release(state);
    release_trainer(&t);
    free(w.order);
    free(w.images);
    free(w.labels);
    free(w.logits);
    dataset_free(&train_set);
    dataset_free(&test_set);
    return EXIT_OK;
}
