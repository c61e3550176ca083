/* What training needs beside a model, the same in every sample: a context, a precision, and steps that become programs.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLES_TRAINING_H
#define SAMPLES_TRAINING_H

#include <mpt.h>

#include "options.h"

typedef struct training {
    mpt_context *ctx;
    mpt_policy *policy; /* NULL: everything in f32 */
    mpt_scaler *scaler; /* NULL: only f16 needs one */
    int fp8;            /* 1: the policy keeps scales, which belong into checkpoints */
    int eager;
} training;

/* A context, and what --precision asks for. */
training training_open(const options *o);
void training_close(training *t);
/* Ends the process with a message where a pattern of --keep matches no layer of the models, up to the first NULL of two. */
void training_check_keep(const options *o, mpt_layer *const models[2]);

/* Adds the scales of a model's fp8 products to a checkpoint, where there are such. */
void training_save_fp8(const training *t, mpt_state *state, const char *prefix, mpt_layer *model);

/* Around a forward pass that measures and does not learn: no gradients, and model as in use. */
void evaluation_begin(const training *t, mpt_layer *model);
void evaluation_end(const training *t, mpt_layer *model);

/*
 * A phase is a rule, such as "forward, backward, step", for batches of any size:
 *
 *     static void train_step(void *user, mpt_tensor *const *in, mpt_tensor **out) { ... }
 *     phase_open(&p, t, train_step, user, 2);
 *     phase_input(&p, MPT_F32, 4, (int64_t[]){0, 1, 28, 28});      the first extent is the batch's
 *     out = phase_run(&p, n, (const void *const[]){images, labels});
 *
 * The first batch of a size records the rule as a program, which later ones only replay; with --eager the rule runs each time.
 */
enum { PHASE_INPUTS = 2, PHASE_OUTPUTS = 3, PHASE_DIMS = 4, PHASE_SIZES = 4 };

/* in: the batch; out: owned tensors, n_out of them. */
typedef void (*phase_rule)(void *user, mpt_tensor *const *in, mpt_tensor **out);

typedef struct phase_size {
    int64_t n;
    mpt_tensor *in[PHASE_INPUTS], *out[PHASE_OUTPUTS];
    mpt_program *program; /* NULL: eager */
} phase_size;

typedef struct phase {
    const training *t;
    phase_rule rule;
    void *user;
    int n_in, n_out, n_sizes;
    struct {
        mpt_dtype dtype;
        int32_t ndim;
        int64_t shape[PHASE_DIMS];
    } in[PHASE_INPUTS];
    phase_size sizes[PHASE_SIZES];
} phase;

void phase_open(phase *p, const training *t, phase_rule rule, void *user, int n_out);
void phase_input(phase *p, mpt_dtype dtype, int32_t ndim, const int64_t *shape);
/* Runs the rule on n rows, data of each input in the order of phase_input. The result is borrowed until the next run. */
mpt_tensor *const *phase_run(phase *p, int64_t n, const void *const *data);
void phase_close(phase *p);

#endif
