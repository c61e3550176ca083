/* The loop around training: a bar while it runs, a table, a log and a plot of what came of it, and a checkpoint to go on from.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_LOOP_H
#define SAMPLES_LOOP_H

#include <mpt.h>

#include "history.h"
#include "options.h"
#include "training.h"

/* Sums over rows, so that batches of different sizes can be put together. */
typedef struct figures {
    double loss, metric;
    int64_t n;
} figures;

/* Adds the means of n rows. */
void figures_add(figures *f, double loss, double metric, int64_t n);
/* Adds a batch of a classifier: the loss, a scalar, and logits [n, classes] in f32, whose largest is the answer. */
void figures_add_answers(figures *f, mpt_tensor *loss, mpt_tensor *logits, const uint8_t *labels, int64_t n, int64_t classes);
double figures_loss(const figures *f);
double figures_metric(const figures *f);

/* What is trained. A row of the table is an epoch: steps steps, then a test. */
typedef struct task {
    const training *t;
    const char *title; /* "ResNet-18 on Fashion-MNIST" */
    const metric *metric;
    const char *loss_name; /* "cross-entropy" */
    int64_t epochs, steps;
    mpt_optimizer *optimizers[2]; /* the second one may be NULL; the rate shown is the first's */
    mpt_layer *models[2];         /* whose layers --keep names; the second one may be NULL */
    void *user;
    /* Before an epoch, counted from 0. A resumed run has the seed that it started with. */
    void (*begin)(void *user, int64_t epoch, uint64_t seed);
    /* The next step. Reading results waits for the device, so they are asked for now and then only: else read is NULL. */
    void (*step)(void *user, figures *read);
    void (*test)(void *user, figures *out);
    /* Adds models and optimizers to a state; scaler and random numbers are in it. */
    void (*save)(void *user, mpt_state *state);
} task;

/* Runs the task from its start or from --resume; gives the figures of the last test. */
figures loop_run(const task *k, const options *o);

/* Memory or an end of the process with a message. */
void *allocate(size_t nbytes);

#endif
