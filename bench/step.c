/* mpt's side of the step comparison: a worker that takes commands from stdin and answers each with a line of JSON.
 *   reset       back to the initial weights and a fresh optimizer
 *   losses N    N steps; answers {"losses": [...]}
 *   steps N     N steps; answers {"seconds": s, "steps": N}
 *   quit
 * bench/peers/torch_step.py is the other side; bench/peers/compare.py runs both. A step is what an application would do: hand over
 * the next batch, forward, backward, update. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <math.h>
#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models.h"

typedef struct options {
    const model *model;
    const char *precision, *mode, *images, *labels, *weights;
    mpt_device device;
    int threads, batch, tune, from_host;
} options;

typedef struct trainer {
    const options *opt;
    mpt_context *ctx;
    /* Where the device reads them without a detour, or the host's own (--data host): pixels from 0 to 1, classes, the pixels' bytes as a text. */
    mpt_tensor *image_store, *label_store, *token_store;
    const float *images;
    const unsigned char *labels;
    const int32_t *tokens;
    long batches, next;
    mpt_layer *net;
    mpt_policy *policy; /* NULL: f32 */
    mpt_scaler *scaler; /* f16 alone */
    mpt_optimizer *adam;
    mpt_tensor *x, *y, *loss;
    mpt_program *program; /* NULL: eager */
} trainer;

static const char *next_argument(int argc, char **argv, int *i) {
    if (*i + 1 >= argc) fail(argv[*i], "needs a value");
    return argv[++*i];
}

static options parse(int argc, char **argv) {
    options o = {find_model("cnn"), "f32", "captured", NULL, NULL, NULL, MPT_DEVICE_CPU, 0, 128, 0, 0};
    for (int i = 1; i < argc; ++i) {
        const char *key = argv[i], *value = next_argument(argc, argv, &i);
        if (!strcmp(key, "--model"))
            o.model = find_model(value);
        else if (!strcmp(key, "--precision"))
            o.precision = value;
        else if (!strcmp(key, "--mode"))
            o.mode = value;
        else if (!strcmp(key, "--images"))
            o.images = value;
        else if (!strcmp(key, "--labels"))
            o.labels = value;
        else if (!strcmp(key, "--weights"))
            o.weights = value;
        else if (!strcmp(key, "--device"))
            o.device = !strcmp(value, "cuda") ? MPT_DEVICE_CUDA : MPT_DEVICE_CPU;
        else if (!strcmp(key, "--threads"))
            o.threads = atoi(value);
        else if (!strcmp(key, "--batch"))
            o.batch = atoi(value);
        else if (!strcmp(key, "--tune"))
            o.tune = !strcmp(value, "on");
        else if (!strcmp(key, "--data"))
            o.from_host = !strcmp(value, "host");
        else
            fail(key,
                 "unknown; use --model cnn|mlp|resnet18|gpt|gpt2|lstm --precision f32|bf16|f16 --mode captured|eager --device cpu|cuda --threads N --batch N "
                 "--tune on|off --data device|host --images FILE --labels FILE --weights FILE");
    }
    if (!o.images || !o.labels || !o.weights) fail("--images, --labels, --weights", "all three are needed");
    if (!o.model) fail("--model", "no such model; use cnn, mlp, resnet18, gpt, gpt2 or lstm");
    if (strcmp(o.mode, "captured") && strcmp(o.mode, "eager")) fail(o.mode, "no such mode; use captured or eager");
    if (o.batch < 1) fail("--batch", "must be at least 1");
    return o;
}

static void *read_file(const char *path, size_t *nbytes) {
    FILE *f = fopen(path, "rb");
    if (!f) fail(path, "cannot be opened");
    fseek(f, 0, SEEK_END);
    *nbytes = (size_t)ftell(f);
    rewind(f);
    void *data = malloc(*nbytes);
    if (!data || fread(data, 1, *nbytes, f) != *nbytes) fail(path, "cannot be read");
    fclose(f);
    return data;
}

static void load_weights(mpt_context *ctx, mpt_layer *net, const char *path) {
    size_t nbytes, used = 0;
    char *data = read_file(path, &nbytes);
    int32_t count;
    OK(mpt_layer_parameter_count(net, &count));
    OK(mpt_no_grad_begin(ctx));
    for (int32_t i = 0; i < count; ++i) {
        mpt_tensor *p;
        int64_t numel;
        OK(mpt_layer_parameter(net, i, &p));
        OK(mpt_tensor_numel(p, &numel));
        size_t size = (size_t)numel * sizeof(float);
        if (used + size > nbytes) fail(path, "has too few weights");
        OK(mpt_tensor_write(p, data + used, size));
        used += size;
        mpt_tensor_release(p);
    }
    OK(mpt_no_grad_end(ctx));
    if (used != nbytes) fail(path, "has too many weights");
    free(data);
}

/* Puts data into a tensor and gives the address there. */
static const void *store(mpt_context *ctx, mpt_dtype dtype, size_t n, const void *data, mpt_tensor **out) {
    const int64_t shape[1] = {(int64_t)n};
    void *address;
    OK(mpt_tensor_create(ctx, dtype, 1, shape, out));
    OK(mpt_tensor_write(*out, data, n * mpt_dtype_size(dtype)));
    OK(mpt_tensor_data(*out, &address));
    return address;
}

/* The step's calls, run at once or recorded. */
static void train_step(trainer *t) {
    const int64_t rows[2] = {-1, t->opt->model->symbols};
    mpt_tensor *logits;
    OK(mpt_autocast_begin(t->ctx, t->policy));
    OK(mpt_layer_forward(t->net, &t->x, 1, &logits, 1));
    if (t->opt->model->input == INPUT_TOKENS) {
        mpt_tensor *flat;
        OK(mpt_reshape(logits, 2, rows, &flat));
        mpt_tensor_release(logits);
        logits = flat;
    }
    OK(mpt_cross_entropy(logits, t->y, NULL, &t->loss));
    OK(mpt_autocast_end(t->ctx));
    mpt_tensor_release(logits);
    OK(mpt_backward(t->loss, t->scaler, MPT_GRAD_WRITE));
    OK(mpt_optimizer_step(t->adam, t->scaler));
    if (t->scaler) OK(mpt_scaler_update(t->scaler));
}

static void trainer_end(trainer *t) {
    mpt_program_release(t->program);
    mpt_tensor_release(t->loss);
    mpt_tensor_release(t->x);
    mpt_tensor_release(t->y);
    mpt_optimizer_release(t->adam);
    mpt_scaler_release(t->scaler);
    mpt_policy_release(t->policy);
    mpt_layer_release(t->net);
}

static void trainer_begin(trainer *t) {
    const options *o = t->opt;
    const int64_t images[4] = {o->batch, 1, 28, 28}, vectors[2] = {o->batch, PIXELS}, tokens[2] = {o->batch, o->model->context};
    const int64_t targets[1] = {o->model->input == INPUT_TOKENS ? o->batch * o->model->context : o->batch};
    t->net = o->model->build(t->ctx);
    load_weights(t->ctx, t->net, o->weights);
    t->policy = NULL;
    t->scaler = NULL;
    if (!strcmp(o->precision, "bf16")) {
        OK(mpt_policy_create(t->ctx, MPT_BF16, &t->policy));
    } else if (!strcmp(o->precision, "f16")) {
        OK(mpt_policy_create(t->ctx, MPT_F16, &t->policy));
        OK(mpt_scaler_create(t->ctx, NULL, &t->scaler));
    } else if (strcmp(o->precision, "f32")) {
        fail(o->precision, "no such precision; use f32, bf16 or f16");
    }
    OK(mpt_optimizer_adam(t->ctx, NULL, &t->adam));
    OK(mpt_optimizer_add_layer(t->adam, t->net));
    if (o->model->input == INPUT_TOKENS)
        OK(mpt_tensor_create(t->ctx, MPT_I32, 2, tokens, &t->x));
    else if (o->model->input == INPUT_IMAGES)
        OK(mpt_tensor_create(t->ctx, MPT_F32, 4, images, &t->x));
    else
        OK(mpt_tensor_create(t->ctx, MPT_F32, 2, vectors, &t->x));
    OK(mpt_tensor_create(t->ctx, o->model->input == INPUT_TOKENS ? MPT_I32 : MPT_U8, 1, targets, &t->y));
    t->next = 0;
    t->loss = NULL;
    t->program = NULL;
    if (!strcmp(o->mode, "captured")) {
        OK(mpt_capture_begin(t->ctx));
        train_step(t);
        OK(mpt_capture_end(t->ctx, &t->loss, 1, &t->program));
    }
}

static void step(trainer *t) {
    const size_t batch = (size_t)t->opt->batch, i = (size_t)(t->next++ % t->batches);
    const void *x = t->images + i * batch * PIXELS, *y = t->labels + i * batch;
    size_t x_bytes = batch * PIXELS * sizeof *t->images, y_bytes = batch;
    if (t->opt->model->input == INPUT_TOKENS) {
        const size_t count = batch * (size_t)t->opt->model->context;
        x = t->tokens + i * count;
        y = t->tokens + i * count + 1;
        x_bytes = y_bytes = count * sizeof *t->tokens;
    }
    if (t->program) {
        OK(mpt_program_feed(t->program, t->x, x, x_bytes));
        OK(mpt_program_feed(t->program, t->y, y, y_bytes));
        OK(mpt_program_run(t->program));
    } else {
        OK(mpt_tensor_write(t->x, x, x_bytes));
        OK(mpt_tensor_write(t->y, y, y_bytes));
        mpt_tensor_release(t->loss);
        train_step(t);
    }
}

static void answer_losses(trainer *t, long count) {
    printf("{\"losses\": [");
    for (long i = 0; i < count; ++i) {
        double loss;
        step(t);
        OK(mpt_tensor_item(t->loss, &loss));
        /* Python's reader of JSON knows NaN and Infinity by these names. */
        if (isfinite(loss))
            printf("%s%.9g", i ? ", " : "", loss);
        else
            printf("%s%s", i ? ", " : "", isnan(loss) ? "NaN" : loss > 0 ? "Infinity" : "-Infinity");
    }
    printf("]}\n");
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void answer_steps(trainer *t, long count) {
    const double start = now();
    for (long i = 0; i < count; ++i) step(t);
    OK(mpt_context_synchronize(t->ctx));
    printf("{\"seconds\": %.9f, \"steps\": %ld}\n", now() - start, count);
}

int main(int argc, char **argv) {
    const options opt = parse(argc, argv);
    trainer t = {0};
    mpt_context_desc desc;
    size_t n_images, n_labels;
    char line[64], text[256] = "";
    t.opt = &opt;
    OK(mpt_context_desc_init(&desc, sizeof desc));
    desc.threads = opt.threads;
    desc.device = opt.device;
    OK(mpt_context_create(&desc, &t.ctx));
    if (opt.tune) OK(mpt_context_set_option(t.ctx, "tune", "on"));

    unsigned char *pixels = read_file(opt.images, &n_images);
    unsigned char *labels = read_file(opt.labels, &n_labels);
    if (n_images != n_labels * PIXELS) fail(opt.images, "must have 784 bytes for each label");
    t.batches = (long)(n_labels / (size_t)opt.batch);
    if (opt.model->input == INPUT_TOKENS) t.batches = (long)((n_images - 1) / ((size_t)opt.batch * (size_t)opt.model->context));
    if (t.batches == 0) fail(opt.images, "has less than one batch");
    float *images = malloc(n_images * sizeof *images);
    int32_t *tokens = malloc(n_images * sizeof *tokens);
    if (!images || !tokens) fail(opt.images, "no memory");
    for (size_t i = 0; i < n_images; ++i) {
        images[i] = (float)pixels[i] / 255.0f;
        tokens[i] = pixels[i];
    }
    t.images = images;
    t.tokens = tokens;
    t.labels = labels;
    if (!opt.from_host) {
        t.images = store(t.ctx, MPT_F32, n_images, images, &t.image_store);
        t.tokens = store(t.ctx, MPT_I32, n_images, tokens, &t.token_store);
        t.labels = store(t.ctx, MPT_U8, n_labels, labels, &t.label_store);
    }

    trainer_begin(&t);
    OK(mpt_context_describe(t.ctx, text, sizeof text, NULL));
    for (char *c = text; *c; ++c) {
        if (*c == '"' || *c == '\\' || *c == '\n') *c = ' ';
    }
    printf("{\"ready\": \"mpt %d.%d.%d, %s\"}\n", (int)(mpt_version() / 10000), (int)(mpt_version() / 100 % 100),
           (int)(mpt_version() % 100), text);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        char command[16] = "";
        long count = 0;
        sscanf(line, "%15s %ld", command, &count);
        if (!strcmp(command, "reset")) {
            trainer_end(&t);
            trainer_begin(&t);
            printf("{}\n");
        } else if (!strcmp(command, "losses")) {
            answer_losses(&t, count);
        } else if (!strcmp(command, "steps")) {
            answer_steps(&t, count);
        } else if (!strcmp(command, "quit")) {
            break;
        } else {
            printf("{\"error\": \"unknown command %s\"}\n", command);
        }
        fflush(stdout);
    }
    trainer_end(&t);
    mpt_tensor_release(t.image_store);
    mpt_tensor_release(t.label_store);
    mpt_tensor_release(t.token_store);
    mpt_context_release(t.ctx);
    free(pixels);
    free(images);
    free(tokens);
    free(labels);
    return 0;
}
