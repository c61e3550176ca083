/* The golden run: a small training whose weights have the same bits in every language. This is the reference; run.py compares the
 * others with it. Prints a line for each precision and mode: "bf16 captured 0123456789abcdef", the FNV-1a hash of the bytes of the
 * weights. */
#include <inttypes.h>
#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 256, STEPS = 100 };

static void check(mpt_status status, const char *call) {
    if (status == MPT_OK) return;
    fprintf(stderr, "%s: %s: %s\n", call, mpt_status_name(status), mpt_last_error());
    exit(1);
}
#define OK(call) check((call), #call)

/* Points of a square, of two classes: its quarters, crosswise. No straight line separates them, and every number is exact in any
 * language. */
static void points(float x[2 * POINTS], int64_t y[POINTS]) {
    uint32_t s = 1;
    for (int i = 0; i < POINTS; ++i) {
        uint32_t a = (s = s * 1664525 + 1013904223) >> 24, b = (s = s * 1664525 + 1013904223) >> 24;
        x[2 * i] = ((float)a - 128) / 128;
        x[2 * i + 1] = ((float)b - 128) / 128;
        y[i] = (a >= 128) == (b >= 128);
    }
}

typedef struct trainer {
    mpt_context *ctx;
    mpt_tensor *x, *y;
    mpt_layer *model;
    mpt_policy *policy;
    mpt_scaler *scaler;
    mpt_optimizer *optimizer;
} trainer;

static void append(mpt_layer *model, mpt_layer *child) {
    OK(mpt_layer_add(model, NULL, child));
    mpt_layer_release(child);
}

static void append_linear(const trainer *t, int64_t in, int64_t out) {
    mpt_linear_desc desc;
    mpt_layer *layer;
    OK(mpt_linear_desc_init(&desc, sizeof desc));
    desc.in_features = in;
    desc.out_features = out;
    OK(mpt_layer_linear(t->ctx, &desc, &layer));
    append(t->model, layer);
}

static void create(trainer *t, mpt_dtype dtype, int fp8) {
    float x[2 * POINTS];
    int64_t y[POINTS], shape[2] = {POINTS, 2};
    mpt_context_desc context;
    mpt_adam_desc adam;
    mpt_layer *relu;
    OK(mpt_context_desc_init(&context, sizeof context));
    context.seed = 1;
    OK(mpt_context_create(&context, &t->ctx));
    points(x, y);
    OK(mpt_tensor_create(t->ctx, MPT_F32, 2, shape, &t->x));
    OK(mpt_tensor_write(t->x, x, sizeof x));
    OK(mpt_tensor_create(t->ctx, MPT_I64, 1, shape, &t->y));
    OK(mpt_tensor_write(t->y, y, sizeof y));
    OK(mpt_layer_sequential(t->ctx, &t->model));
    append_linear(t, 2, 64);
    OK(mpt_layer_relu(t->ctx, &relu));
    append(t->model, relu);
    append_linear(t, 64, 2);
    OK(mpt_adam_desc_init(&adam, sizeof adam));
    adam.lr = 0.02;
    OK(mpt_optimizer_adam(t->ctx, &adam, &t->optimizer));
    OK(mpt_optimizer_add_layer(t->optimizer, t->model));
    OK(mpt_scaler_create(t->ctx, NULL, &t->scaler));
    OK(mpt_policy_create(t->ctx, dtype, &t->policy));
    if (fp8) OK(mpt_policy_set_fp8(t->policy, NULL));
}

static mpt_tensor *step(const trainer *t) {
    mpt_tensor *logits, *loss;
    OK(mpt_autocast_begin(t->ctx, t->policy));
    OK(mpt_layer_forward(t->model, &t->x, 1, &logits, 1));
    OK(mpt_cross_entropy(logits, t->y, NULL, &loss));
    OK(mpt_autocast_end(t->ctx));
    OK(mpt_backward(loss, t->scaler, MPT_GRAD_WRITE));
    OK(mpt_optimizer_step(t->optimizer, t->scaler));
    OK(mpt_scaler_update(t->scaler));
    mpt_tensor_release(logits);
    return loss;
}

/* The losses of the first and the last step. */
static void train(const trainer *t, int captured, double *first, double *last) {
    mpt_tensor *loss = NULL;
    mpt_program *program = NULL;
    if (captured) {
        OK(mpt_capture_begin(t->ctx));
        loss = step(t);
        OK(mpt_capture_end(t->ctx, &loss, 1, &program));
    }
    for (int i = 0; i < STEPS; ++i) {
        if (captured) {
            OK(mpt_program_run(program));
        } else {
            mpt_tensor_release(loss);
            loss = step(t);
        }
        OK(mpt_tensor_item(loss, i == 0 ? first : last));
    }
    mpt_tensor_release(loss);
    mpt_program_release(program);
}

static uint64_t hash_weights(mpt_layer *model) {
    uint64_t hash = 0xcbf29ce484222325u;
    int32_t count;
    OK(mpt_layer_parameter_count(model, &count));
    for (int32_t i = 0; i < count; ++i) {
        mpt_tensor *parameter;
        int64_t n;
        OK(mpt_layer_parameter(model, i, &parameter));
        OK(mpt_tensor_numel(parameter, &n));
        size_t nbytes = 4 * (size_t)n;
        unsigned char *bytes = malloc(nbytes);
        if (!bytes) exit(1);
        OK(mpt_tensor_read(parameter, bytes, nbytes));
        for (size_t k = 0; k < nbytes; ++k) hash = (hash ^ bytes[k]) * 0x100000001b3u;
        free(bytes);
        mpt_tensor_release(parameter);
    }
    return hash;
}

static void run(const char *precision, mpt_dtype dtype, int captured) {
    trainer t;
    double first = 0, last = 0;
    create(&t, dtype, strcmp(precision, "fp8") == 0);
    train(&t, captured, &first, &last);
    printf("%s %s %016" PRIx64 "\n", precision, captured ? "captured" : "eager", hash_weights(t.model));
    if (!(first > 0.4 && first < 1.5 && last < 0.1 * first)) {
        fprintf(stderr, "%s: the loss went from %g to %g\n", precision, first, last);
        exit(1);
    }
    mpt_policy_release(t.policy);
    mpt_scaler_release(t.scaler);
    mpt_optimizer_release(t.optimizer);
    mpt_layer_release(t.model);
    mpt_tensor_release(t.y);
    mpt_tensor_release(t.x);
    mpt_context_release(t.ctx);
}

int main(void) {
    for (int captured = 0; captured < 2; ++captured) {
        run("f32", MPT_F32, captured);
        run("f16", MPT_F16, captured);
        run("bf16", MPT_BF16, captured);
        run("fp8", MPT_BF16, captured);
    }
    return 0;
}
