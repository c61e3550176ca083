/* A context, a precision, and steps that become programs. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "training.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

enum { LAYER_NAME = 128 };

/* The next of the patterns, which have commas between; 0 where there is none. */
static int next_pattern(const char **patterns, char pattern[LAYER_NAME]) {
    while (**patterns) {
        const size_t length = strcspn(*patterns, ",");
        snprintf(pattern, LAYER_NAME, "%.*s", (int)length, *patterns);
        *patterns += length + ((*patterns)[length] == ',');
        if (*pattern) return 1;
    }
    return 0;
}

static void keep_layers(mpt_policy *policy, const char *patterns) {
    char pattern[LAYER_NAME];
    while (next_pattern(&patterns, pattern)) CHECK(mpt_policy_set_layer(policy, pattern, MPT_BF16));
}

/* Does the pattern match a layer that has weights? A parameter's name is its layer's and, behind the last dot, its own. With a
 * stream the layers are written there. */
static int find_layer(mpt_layer *model, const char *pattern, FILE *list) {
    char name[LAYER_NAME], before[LAYER_NAME] = "";
    int32_t count, ndim, i;
    int found = 0;
    CHECK(mpt_layer_parameter_count(model, &count));
    for (i = 0; i < count; ++i) {
        mpt_tensor *parameter;
        char *dot;
        CHECK(mpt_layer_parameter(model, i, &parameter));
        CHECK(mpt_tensor_ndim(parameter, &ndim));
        mpt_tensor_release(parameter);
        CHECK(mpt_layer_parameter_name(model, i, name, sizeof name, NULL));
        dot = strrchr(name, '.');
        if (ndim < 2 || !dot) continue;
        *dot = '\0';
        if (strcmp(name, before) == 0) continue;
        if (list) fprintf(list, "  %s\n", name);
        found |= fnmatch(pattern, name, FNM_NOESCAPE) == 0;
        memcpy(before, name, sizeof name);
    }
    return found;
}

void training_check_keep(const options *o, mpt_layer *const models[2]) {
    const char *patterns = o->keep;
    char pattern[LAYER_NAME];
    while (next_pattern(&patterns, pattern)) {
        if (find_layer(models[0], pattern, NULL) || (models[1] && find_layer(models[1], pattern, NULL))) continue;
        fprintf(stderr, "--keep %s: no layer has such a name. The layers with weights are\n", pattern);
        find_layer(models[0], pattern, stderr);
        if (models[1]) find_layer(models[1], pattern, stderr);
        exit(EXIT_USAGE);
    }
}

training training_open(const options *o) {
    training t = {NULL, NULL, NULL, o->precision == OPTIONS_FP8, o->eager};
    mpt_context_desc desc;
    CHECK(mpt_context_desc_init(&desc, sizeof desc));
    desc.device = o->device;
    desc.threads = o->threads;
    desc.seed = o->seed;
    CHECK(mpt_context_create(&desc, &t.ctx));
    if (t.fp8) {
        /* Linear layers and convolutions in fp8, all other products in bf16. */
        mpt_fp8_desc fp8;
        CHECK(mpt_fp8_desc_init(&fp8, sizeof fp8));
        fp8.recipe = o->recipe;
        CHECK(mpt_policy_create(t.ctx, MPT_BF16, &t.policy));
        CHECK(mpt_policy_set_fp8(t.policy, &fp8));
        keep_layers(t.policy, o->keep);
    } else if (o->precision != MPT_F32) {
        CHECK(mpt_policy_create(t.ctx, o->precision, &t.policy));
    }
    /* bf16 reaches as far as f32; in f16 small gradients would vanish without a scale. */
    if (o->precision == MPT_F16) CHECK(mpt_scaler_create(t.ctx, NULL, &t.scaler));
    return t;
}

void training_close(training *t) {
    mpt_scaler_release(t->scaler);
    mpt_policy_release(t->policy);
    mpt_context_release(t->ctx);
}

void training_save_fp8(const training *t, mpt_state *state, const char *prefix, mpt_layer *model) {
    if (t->fp8) CHECK(mpt_state_add_fp8(state, prefix, t->policy, model));
}

void evaluation_begin(const training *t, mpt_layer *model) {
    CHECK(mpt_no_grad_begin(t->ctx));
    CHECK(mpt_layer_set_training(model, 0));
}

void evaluation_end(const training *t, mpt_layer *model) {
    CHECK(mpt_layer_set_training(model, 1));
    CHECK(mpt_no_grad_end(t->ctx));
}

void phase_open(phase *p, const training *t, phase_rule rule, void *user, int n_out) {
    memset(p, 0, sizeof *p);
    p->t = t;
    p->rule = rule;
    p->user = user;
    p->n_out = n_out;
}

void phase_input(phase *p, mpt_dtype dtype, int32_t ndim, const int64_t *shape) {
    const int i = p->n_in++;
    p->in[i].dtype = dtype;
    p->in[i].ndim = ndim;
    memcpy(p->in[i].shape, shape, (size_t)ndim * sizeof *shape);
}

static void release_outputs(phase *p, phase_size *s) {
    int i;
    for (i = 0; i < p->n_out; ++i) {
        mpt_tensor_release(s->out[i]);
        s->out[i] = NULL;
    }
}

static void close_size(phase *p, phase_size *s) {
    int i;
    release_outputs(p, s);
    mpt_program_release(s->program);
    for (i = 0; i < p->n_in; ++i) mpt_tensor_release(s->in[i]);
}

/* Makes the input tensors and, unless eager, records the rule once: then it is planned as a whole and only replayed. */
static void open_size(phase *p, phase_size *s, int64_t n) {
    int i;
    memset(s, 0, sizeof *s);
    s->n = n;
    for (i = 0; i < p->n_in; ++i) {
        p->in[i].shape[0] = n;
        CHECK(mpt_tensor_create(p->t->ctx, p->in[i].dtype, p->in[i].ndim, p->in[i].shape, &s->in[i]));
    }
    if (p->t->eager) return;
    CHECK(mpt_capture_begin(p->t->ctx));
    p->rule(p->user, s->in, s->out);
    CHECK(mpt_capture_end(p->t->ctx, s->out, p->n_out, &s->program));
}

static phase_size *size_for(phase *p, int64_t n) {
    int i;
    for (i = 0; i < p->n_sizes; ++i) {
        if (p->sizes[i].n == n) return &p->sizes[i];
    }
    /* A data set comes in batches of one size and one smaller one at its end, so there is room; else the last one makes way. */
    if (p->n_sizes == PHASE_SIZES) close_size(p, &p->sizes[--p->n_sizes]);
    open_size(p, &p->sizes[p->n_sizes], n);
    return &p->sizes[p->n_sizes++];
}

mpt_tensor *const *phase_run(phase *p, int64_t n, const void *const *data) {
    phase_size *s = size_for(p, n);
    int i;
    for (i = 0; i < p->n_in; ++i) {
        int64_t numel;
        size_t nbytes;
        CHECK(mpt_tensor_numel(s->in[i], &numel));
        nbytes = (size_t)numel * mpt_dtype_size(p->in[i].dtype);
        if (s->program)
            CHECK(mpt_program_feed(s->program, s->in[i], data[i], nbytes));
        else
            CHECK(mpt_tensor_write(s->in[i], data[i], nbytes));
    }
    if (s->program) {
        CHECK(mpt_program_run(s->program));
    } else {
        release_outputs(p, s);
        p->rule(p->user, s->in, s->out);
    }
    return s->out;
}

void phase_close(phase *p) {
    while (p->n_sizes > 0) close_size(p, &p->sizes[--p->n_sizes]);
}
