/* What a call costs: the reference for the same program in the other languages. Reads lines "WHAT N" and answers each, when N of
 * them are done: ndim   a question that C answers from a field      add    a tensor made, 1 element + 1 element, and given back
 *   item   a number read from a tensor                 step   data fed to a captured step, and the step: an MLP 784-1024-1024-10 in
 * bf16, batch 128, Adam One thread. bench/calls/run.py runs them all and looks at their processor time. */

#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, PIXELS = 784, HIDDEN = 1024, CLASSES = 10 };

static void check(mpt_status status, const char *call) {
    if (status == MPT_OK) return;
    fprintf(stderr, "%s: %s: %s\n", call, mpt_status_name(status), mpt_last_error());
    exit(1);
}
#define OK(call) check((call), #call)

static float images[BATCH * PIXELS];
static int64_t labels[BATCH];

static mpt_tensor *tensor(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, int64_t rows, int64_t columns) {
    int64_t shape[2] = {rows, columns};
    mpt_tensor *made;
    OK(mpt_tensor_create(ctx, dtype, ndim, shape, &made));
    OK(mpt_tensor_fill(made, 1));
    return made;
}

static void append(mpt_layer *model, mpt_layer *child) {
    OK(mpt_layer_add(model, NULL, child));
    mpt_layer_release(child);
}

static mpt_layer *perceptron(mpt_context *ctx) {
    int64_t widths[4] = {PIXELS, HIDDEN, HIDDEN, CLASSES};
    mpt_layer *model, *layer;
    OK(mpt_layer_sequential(ctx, &model));
    for (int i = 0; i < 3; ++i) {
        mpt_linear_desc desc;
        OK(mpt_linear_desc_init(&desc, sizeof desc));
        desc.in_features = widths[i];
        desc.out_features = widths[i + 1];
        OK(mpt_layer_linear(ctx, &desc, &layer));
        append(model, layer);
        if (i == 2) break;
        OK(mpt_layer_relu(ctx, &layer));
        append(model, layer);
    }
    return model;
}

static mpt_program *capture(mpt_context *ctx, mpt_tensor *x, mpt_tensor *y) {
    mpt_layer *model = perceptron(ctx);
    mpt_optimizer *optimizer;
    mpt_policy *policy;
    mpt_tensor *logits, *loss;
    mpt_program *program;
    OK(mpt_optimizer_adam(ctx, NULL, &optimizer));
    OK(mpt_optimizer_add_layer(optimizer, model));
    OK(mpt_policy_create(ctx, MPT_BF16, &policy));
    OK(mpt_capture_begin(ctx));
    OK(mpt_autocast_begin(ctx, policy));
    OK(mpt_layer_forward(model, &x, 1, &logits, 1));
    OK(mpt_cross_entropy(logits, y, NULL, &loss));
    OK(mpt_autocast_end(ctx));
    OK(mpt_backward(loss, NULL, MPT_GRAD_WRITE));
    OK(mpt_optimizer_step(optimizer, NULL));
    OK(mpt_capture_end(ctx, &loss, 1, &program));
    return program;
}

int main(void) {
    mpt_context_desc desc;
    mpt_context *ctx;
    char what[8];
    int n;
    OK(mpt_context_desc_init(&desc, sizeof desc));
    desc.threads = 1;
    OK(mpt_context_create(&desc, &ctx));
    for (int i = 0; i < BATCH * PIXELS; ++i) images[i] = (float)(i % 251) / 251;
    for (int i = 0; i < BATCH; ++i) labels[i] = i % CLASSES;
    mpt_tensor *one = tensor(ctx, MPT_F32, 1, 1, 0), *x = tensor(ctx, MPT_F32, 2, BATCH, PIXELS),
               *y = tensor(ctx, MPT_I64, 1, BATCH, 0);
    mpt_program *program = capture(ctx, x, y);
    while (scanf("%7s %d", what, &n) == 2) {
        if (!strcmp(what, "ndim")) {
            for (int i = 0; i < n; ++i) {
                int32_t ndim;
                OK(mpt_tensor_ndim(one, &ndim));
            }
        } else if (!strcmp(what, "add")) {
            for (int i = 0; i < n; ++i) {
                mpt_tensor *sum;
                OK(mpt_add(one, one, &sum));
                mpt_tensor_release(sum);
            }
        } else if (!strcmp(what, "item")) {
            for (int i = 0; i < n; ++i) {
                double value;
                OK(mpt_tensor_item(one, &value));
            }
        } else {
            for (int i = 0; i < n; ++i) {
                OK(mpt_program_feed(program, x, images, sizeof images));
                OK(mpt_program_feed(program, y, labels, sizeof labels));
                OK(mpt_program_run(program));
            }
        }
        puts("done");
        fflush(stdout);
    }
    return 0;
}
