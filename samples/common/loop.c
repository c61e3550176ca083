/* The loop around training. SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "file.h"
#include "progress.h"

enum { STEPS_PER_READOUT = 10 };

void figures_add(figures *f, double loss, double metric, int64_t n) {
    f->loss += loss * (double)n;
    f->metric += metric * (double)n;
    f->n += n;
}

void figures_add_answers(figures *f, mpt_tensor *loss, mpt_tensor *logits, const uint8_t *labels, int64_t n, int64_t classes) {
    const size_t nbytes = (size_t)(n * classes) * sizeof(float);
    float *values = allocate(nbytes);
    double mean_loss;
    int64_t i, c, right = 0;
    CHECK(mpt_tensor_item(loss, &mean_loss));
    CHECK(mpt_tensor_read(logits, values, nbytes));
    for (i = 0; i < n; ++i) {
        const float *row = values + i * classes;
        int64_t best = 0;
        for (c = 1; c < classes; ++c) {
            if (row[c] > row[best]) best = c;
        }
        right += best == labels[i];
    }
    free(values);
    figures_add(f, mean_loss, (double)right / (double)n, n);
}

double figures_loss(const figures *f) {
    return f->n ? f->loss / (double)f->n : NAN;
}
double figures_metric(const figures *f) {
    return f->n ? f->metric / (double)f->n : NAN;
}

void *allocate(size_t nbytes) {
    void *memory = malloc(nbytes);
    if (!memory) {
        fprintf(stderr, "no memory for %zu bytes\n", nbytes);
        exit(EXIT_RUN_TIME);
    }
    return memory;
}

/* Where results go. */
typedef struct results {
    char checkpoint[FILE_PATH_MAX], log[FILE_PATH_MAX], plot[FILE_PATH_MAX];
} results;

static void open_results(results *r, const char *folder) {
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

/* All that a run needs to go on as if it had never stopped. */
static mpt_state *make_state(const task *k, uint64_t seed) {
    mpt_state *state;
    CHECK(mpt_state_create(k->t->ctx, &state));
    k->save(k->user, state);
    if (k->t->scaler) CHECK(mpt_state_add_scaler(state, "scaler", k->t->scaler));
    CHECK(mpt_state_add_random(state, "random"));
    CHECK(mpt_state_set_number(state, "epoch", 0));
    CHECK(mpt_state_set_number(state, "seed", (int64_t)seed));
    return state;
}

/* Goes on from the checkpoint of --resume; gives the number of epochs that it has behind it. */
static int64_t resume(const task *k, const options *o, mpt_state *state, int64_t *seed) {
    int64_t epoch, precision = o->precision;
    mpt_status status;
    mpt_state *first;
    CHECK(mpt_state_create(k->t->ctx, &first));
    CHECK(mpt_state_set_number(first, "precision", precision));
    status = mpt_state_load(first, o->resume);
    if (status == MPT_OK) CHECK(mpt_state_number(first, "precision", &precision));
    mpt_state_release(first);
    status = mpt_state_load(state, o->resume);
    if (precision != o->precision) {
        const char *name = precision == OPTIONS_FP8 ? "fp8" : mpt_dtype_name((mpt_dtype)precision);
        if (status != MPT_OK) {
            fprintf(stderr, "--resume %s: it was saved with --precision %s and cannot go on with --precision %s:\n  %s\n",
                    o->resume, name, options_precision(o), mpt_last_error());
            exit(EXIT_USAGE);
        }
        printf("%s was saved with --precision %s and goes on with --precision %s\n", o->resume, name, options_precision(o));
    }
    CHECK(status);
    CHECK(mpt_state_number(state, "epoch", &epoch));
    CHECK(mpt_state_number(state, "seed", seed)); /* its order of the data goes on too */
    return epoch;
}

static void read_scaling(const task *k, double *scale, int64_t *skipped) {
    int i;
    *scale = 0;
    *skipped = 0;
    if (k->t->scaler) CHECK(mpt_scaler_scale(k->t->scaler, scale));
    for (i = 0; i < 2 && k->optimizers[i]; ++i) {
        int64_t count;
        CHECK(mpt_optimizer_counts(k->optimizers[i], NULL, &count));
        *skipped += count;
    }
}

static figures train_epoch(const task *k, progress *bar) {
    figures epoch = {0, 0, 0};
    progress_values values = {NAN, NAN, 0, 0};
    int64_t step;
    for (step = 1; step <= k->steps; ++step) {
        if (step % STEPS_PER_READOUT == 1 || step == k->steps) {
            figures now = {0, 0, 0};
            k->step(k->user, &now);
            epoch.loss += now.loss;
            epoch.metric += now.metric;
            epoch.n += now.n;
            values.loss = figures_loss(&now);
            values.metric = figures_metric(&epoch);
            read_scaling(k, &values.scale, &values.skipped);
        } else {
            k->step(k->user, NULL);
        }
        progress_update(bar, step, &values);
    }
    return epoch;
}

figures loop_run(const task *k, const options *o) {
    static history log;
    const int64_t end = o->stop > 0 && o->stop < k->epochs ? o->stop : k->epochs;
    figures tested = {0, 0, 0};
    int64_t epoch = 0, seed = (int64_t)o->seed;
    results files;
    terminal term;
    mpt_state *state;
    char title[128], machine[256];
    int i;

    terminal_open(&term, stdout);
    open_results(&files, o->out);
    log.metric = k->metric;
    log.loss = k->loss_name;
    training_check_keep(o, k->models);
    state = make_state(k, o->seed);
    if (o->resume) {
        epoch = resume(k, o, state, &seed);
        history_read_csv(&log, files.log, epoch);
    }
    CHECK(mpt_state_set_number(state, "precision", o->precision));
    CHECK(mpt_context_describe(k->t->ctx, machine, sizeof machine, NULL));
    snprintf(title, sizeof title, "%s in %s, seed %lld", k->title, options_precision(o), (long long)seed);
    printf("%s, %s\non %s\n", title, o->eager ? "eager" : "captured", machine);
    history_print_header(&log, &term);
    for (i = 0; i < log.n; ++i) history_print_row(&log, &term, &log.rows[i]);

    /* A checkpoint of a finished run is tested once more. */
    if (epoch >= end) k->test(k->user, &tested);
    while (epoch < end) {
        history_row row;
        progress bar;
        figures trained;
        char name[64];

        snprintf(name, sizeof name, "epoch %lld/%lld", (long long)epoch + 1, (long long)k->epochs);
        progress_begin(&bar, &term, name, k->steps, k->steps * (end - epoch - 1));
        bar.metric = k->metric;
        k->begin(k->user, epoch, (uint64_t)seed);
        trained = train_epoch(k, &bar);
        row.seconds = progress_clock() - bar.start;
        tested = (figures){0, 0, 0};
        k->test(k->user, &tested);
        progress_end(&bar);

        row.epoch = ++epoch;
        row.train_loss = figures_loss(&trained);
        row.train_metric = figures_metric(&trained);
        row.test_loss = figures_loss(&tested);
        row.test_metric = figures_metric(&tested);
        CHECK(mpt_optimizer_lr(k->optimizers[0], &row.rate));
        read_scaling(k, &row.scale, &row.skipped);
        history_print_row(&log, &term, &row);
        (void)history_add(&log, &row); /* epochs are at most HISTORY_MAX */
        CHECK(mpt_state_set_number(state, "epoch", epoch));
        write_results(&files, state, &log, title);
    }
    printf("written: %s, %s, %s\n", files.checkpoint, files.log, files.plot);
    mpt_state_release(state);
    return tested;
}
