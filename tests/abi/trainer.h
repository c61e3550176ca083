/* A small training through dlsym alone: what a runtime does that binds libmpt.so at run time. */
#ifndef MPT_TESTS_ABI_TRAINER_H
#define MPT_TESTS_ABI_TRAINER_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "mpt.h"

#define TRAINER_FUNCTIONS(F)    \
    F(mpt_version)              \
    F(mpt_last_error)           \
    F(mpt_context_desc_init)    \
    F(mpt_context_create)       \
    F(mpt_context_release)      \
    F(mpt_context_device)       \
    F(mpt_context_last_error)   \
    F(mpt_tensor_create)        \
    F(mpt_tensor_write)         \
    F(mpt_tensor_item)          \
    F(mpt_linear_desc_init)     \
    F(mpt_layer_linear)         \
    F(mpt_layer_relu)           \
    F(mpt_layer_sequential)     \
    F(mpt_layer_add)            \
    F(mpt_layer_forward)        \
    F(mpt_policy_create)        \
    F(mpt_autocast_begin)       \
    F(mpt_autocast_end)         \
    F(mpt_cross_entropy)        \
    F(mpt_scaler_create)        \
    F(mpt_scaler_update)        \
    F(mpt_adam_desc_init)       \
    F(mpt_optimizer_adam)       \
    F(mpt_optimizer_add_layer)  \
    F(mpt_optimizer_step)       \
    F(mpt_backward)             \
    F(mpt_capture_begin)        \
    F(mpt_capture_end)          \
    F(mpt_program_run)

#define TRAINER_FIELD(name) __typeof__(name) *name;
typedef struct trainer {
    void *library;
    TRAINER_FUNCTIONS(TRAINER_FIELD)
    mpt_context *ctx;
    mpt_layer *model;
    mpt_policy *policy;
    mpt_scaler *scaler;
    mpt_optimizer *optimizer;
    mpt_program *program;
    mpt_tensor *x, *y, *loss;
} trainer;

#define TRAINER_CHECK(t, call)                                                                                   \
    do {                                                                                                         \
        mpt_status status_ = (call);                                                                             \
        if (status_ != MPT_OK) {                                                                                 \
            fprintf(stderr, "%s:%d: status %d: %s\n", __FILE__, __LINE__, (int)status_, (t)->mpt_last_error()); \
            exit(1);                                                                                             \
        }                                                                                                        \
    } while (0)

static void trainer_open(trainer *t, const char *path, int flags) {
    t->library = dlopen(path, RTLD_NOW | flags);
    if (!t->library) {
        fprintf(stderr, "dlopen: %s\n", dlerror());
        exit(1);
    }
#define TRAINER_LOAD(name)                                    \
    *(void **)&t->name = dlsym(t->library, #name);            \
    if (!t->name) {                                           \
        fprintf(stderr, "%s does not export " #name "\n", path); \
        exit(1);                                              \
    }
    TRAINER_FUNCTIONS(TRAINER_LOAD)
}

static void trainer_add(trainer *t, mpt_layer *layer) { TRAINER_CHECK(t, t->mpt_layer_add(t->model, NULL, layer)); }

/* Makes the context and a 2-16-2 net for the exclusive or, in bf16 with a scaler. */
static void trainer_start(trainer *t, uint64_t seed) {
    static const float points[] = {0, 0, 0, 1, 1, 0, 1, 1};
    static const int64_t classes[] = {0, 1, 1, 0};
    static const int64_t x_shape[] = {4, 2}, y_shape[] = {4};
    mpt_context_desc context;
    mpt_linear_desc linear;
    mpt_adam_desc adam;
    mpt_layer *layer;
    TRAINER_CHECK(t, t->mpt_context_desc_init(&context, sizeof context));
    context.threads = 2;
    context.seed = seed;
    TRAINER_CHECK(t, t->mpt_context_create(&context, &t->ctx));
    TRAINER_CHECK(t, t->mpt_tensor_create(t->ctx, MPT_F32, 2, x_shape, &t->x));
    TRAINER_CHECK(t, t->mpt_tensor_write(t->x, points, sizeof points));
    TRAINER_CHECK(t, t->mpt_tensor_create(t->ctx, MPT_I64, 1, y_shape, &t->y));
    TRAINER_CHECK(t, t->mpt_tensor_write(t->y, classes, sizeof classes));
    TRAINER_CHECK(t, t->mpt_layer_sequential(t->ctx, &t->model));
    TRAINER_CHECK(t, t->mpt_linear_desc_init(&linear, sizeof linear));
    linear.in_features = 2;
    linear.out_features = 16;
    TRAINER_CHECK(t, t->mpt_layer_linear(t->ctx, &linear, &layer));
    trainer_add(t, layer);
    TRAINER_CHECK(t, t->mpt_layer_relu(t->ctx, &layer));
    trainer_add(t, layer);
    linear.in_features = 16;
    linear.out_features = 2;
    TRAINER_CHECK(t, t->mpt_layer_linear(t->ctx, &linear, &layer));
    trainer_add(t, layer);
    TRAINER_CHECK(t, t->mpt_policy_create(t->ctx, MPT_BF16, &t->policy));
    TRAINER_CHECK(t, t->mpt_scaler_create(t->ctx, NULL, &t->scaler));
    TRAINER_CHECK(t, t->mpt_adam_desc_init(&adam, sizeof adam));
    adam.lr = 0.05;
    TRAINER_CHECK(t, t->mpt_optimizer_adam(t->ctx, &adam, &t->optimizer));
    TRAINER_CHECK(t, t->mpt_optimizer_add_layer(t->optimizer, t->model));
}

/* One training step; nothing is released, as a careless host would have it. */
static void trainer_enqueue(trainer *t) {
    mpt_tensor *logits;
    TRAINER_CHECK(t, t->mpt_autocast_begin(t->ctx, t->policy));
    TRAINER_CHECK(t, t->mpt_layer_forward(t->model, &t->x, 1, &logits, 1));
    TRAINER_CHECK(t, t->mpt_cross_entropy(logits, t->y, NULL, &t->loss));
    TRAINER_CHECK(t, t->mpt_autocast_end(t->ctx));
    TRAINER_CHECK(t, t->mpt_backward(t->loss, t->scaler, MPT_GRAD_WRITE));
    TRAINER_CHECK(t, t->mpt_optimizer_step(t->optimizer, t->scaler));
    TRAINER_CHECK(t, t->mpt_scaler_update(t->scaler));
}

static double trainer_loss(trainer *t) {
    double loss = 0;
    TRAINER_CHECK(t, t->mpt_tensor_item(t->loss, &loss));
    return loss;
}

/* Captures the step; trainer_run then repeats it. */
static void trainer_capture(trainer *t) {
    TRAINER_CHECK(t, t->mpt_capture_begin(t->ctx));
    trainer_enqueue(t);
    TRAINER_CHECK(t, t->mpt_capture_end(t->ctx, &t->loss, 1, &t->program));
}

static double trainer_run(trainer *t, int steps) {
    while (steps-- > 0) TRAINER_CHECK(t, t->mpt_program_run(t->program));
    return trainer_loss(t);
}

#endif /* MPT_TESTS_ABI_TRAINER_H */
