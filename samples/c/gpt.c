/*
 * Trains a small GPT [Radford et al. 2019] on six novels by Jane Austen, character by character, in f32, f16, bf16 or fp8, and lets it
 * write. SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "file.h"
#include "layers.h"
#include "loop.h"
#include "options.h"
#include "sampler.h"
#include "text.h"
#include "training.h"

static int64_t n_layers = 4, heads = 4, width = 128, context = 128, steps = 2000, every = 250, windows = 256, sample_length = 400;
static double rate = 1e-3, temperature = 0.8;
static const option_row rows[] = {{.name = "layers", .number = &n_layers, .least = 1, .most = 64},
                                  {.name = "heads", .number = &heads, .least = 1, .most = 1024},
                                  {.name = "width", .number = &width, .least = 1, .most = 65536},
                                  {.name = "context", .number = &context, .least = 2, .most = 65536},
                                  {.name = "steps", .number = &steps, .least = 1, .most = 100000000},
                                  {.name = "every", .number = &every, .least = 1, .most = 100000000},
                                  {.name = "windows", .number = &windows, .least = 1, .most = 1000000},
                                  {.name = "sample", .number = &sample_length, .least = 0, .most = 1000000},
                                  {.name = "rate", .real = &rate, .least = 0, .most = 1},
                                  {.name = "temperature", .real = &temperature, .least = 0, .most = 100}};
static const option_set command_line = {
    "Trains a small GPT on six novels with mpt, and lets it write.\n"
    "\n"
    "  --steps N                 steps in all, in whole rounds of --every (default 2000)\n"
    "  --every N                 steps between two validations (default 250)\n"
    "  --batch N                 pieces of text per step (default 16)\n"
    "  --context N               characters of a piece (default 128)\n"
    "  --layers N                blocks (default 4)\n"
    "  --heads N                 of the attention; they divide the width (default 4)\n"
    "  --width N                 numbers per character inside (default 128)\n"
    "  --rate X                  the highest learning rate (default 0.001)\n"
    "  --limit N                 use only the first N characters (default 0: all)\n"
    "  --windows N               pieces of the validation (default 256)\n"
    "  --sample N                characters to write at the end (default 400)\n"
    "  --temperature X           of what is written; 0: always the likeliest character (default 0.8)\n",
    0, 16, NULL, NULL, rows, sizeof rows / sizeof rows[0]};

static const metric metric_bits = {"bits", "bits", "", "Bits per character", "bits", 1};

/* ---- the model ---- */

typedef struct gpt {
    training t;
    text novels;
    mpt_layer *tokens, *positions, *blocks, *net; /* net has the other three as children */
    mpt_tensor *places;                           /* 0, 1, ..., context - 1 */
    mpt_optimizer *optimizer;
    phase train_phase, test_phase, sample_phase;
    int32_t *x, *y;
    uint64_t seed;
    int64_t step, batch;
} gpt;

/* The rule of the whole: [N, T] -> [N, T, symbols]. A layer of our own, so that its parameters have names and go into checkpoints. */
static mpt_status MPT_CALL gpt_forward(mpt_layer *layer, mpt_tensor *const *in, int32_t n_in, mpt_tensor **out, int32_t n_out,
                                       void *user_data) {
    gpt *g = user_data;
    mpt_tensor *token, *position, *x;
    (void)layer, (void)n_in;
    CHECK(mpt_layer_forward(g->tokens, in, 1, &token, 1));
    CHECK(mpt_layer_forward(g->positions, &g->places, 1, &position, 1));
    CHECK(mpt_add(token, position, &x));
    CHECK(mpt_layer_forward(g->blocks, &x, 1, out, n_out));
    mpt_tensor_release(token);
    mpt_tensor_release(position);
    mpt_tensor_release(x);
    return MPT_OK;
}

/* x + attention(norm(x)), then x + mlp(norm(x)). */
static void add_block(mpt_context *ctx, mpt_layer *blocks, int64_t index) {
    mpt_layer *block = new_sequential(ctx), *first = new_sequential(ctx), *second = new_sequential(ctx), *attention;
    mpt_attention_desc desc;
    char name[32];
    CHECK(mpt_attention_desc_init(&desc, sizeof desc));
    desc.heads = (int32_t)heads;
    desc.embed_dim = width;
    desc.causal = 1;
    CHECK(mpt_layer_attention(ctx, &desc, &attention));
    add_layer(first, "norm", new_layer_norm(ctx, width));
    add_layer(first, "attention", attention);
    add_layer(second, "norm", new_layer_norm(ctx, width));
    add_layer(second, "linear1", new_linear(ctx, width, 4 * width));
    add_layer(second, "gelu", new_activation(ctx, MPT_ACTIVATION_GELU_TANH));
    add_layer(second, "linear2", new_linear(ctx, 4 * width, width));
    add_layer(block, "attention", new_residual(ctx, first, NULL));
    add_layer(block, "mlp", new_residual(ctx, second, NULL));
    snprintf(name, sizeof name, "block%lld", (long long)index);
    add_layer(blocks, name, block);
}

static void build_model(gpt *g) {
    mpt_context *ctx = g->t.ctx;
    mpt_custom_layer_desc desc;
    int64_t i;
    CHECK(mpt_custom_layer_desc_init(&desc, sizeof desc));
    desc.forward = gpt_forward;
    desc.user_data = g;
    CHECK(mpt_layer_custom(ctx, &desc, &g->net));
    g->tokens = new_embedding(ctx, g->novels.n_symbols, width, 0.02);
    g->positions = new_embedding(ctx, context, width, 0.02);
    g->blocks = new_sequential(ctx);
    for (i = 0; i < n_layers; ++i) add_block(ctx, g->blocks, i);
    add_layer(g->blocks, "norm", new_layer_norm(ctx, width));
    add_layer(g->blocks, "head", new_linear(ctx, width, g->novels.n_symbols));
    add_layer(g->net, "tokens", g->tokens); /* borrowed from here on */
    add_layer(g->net, "positions", g->positions);
    add_layer(g->net, "blocks", g->blocks);
    CHECK(mpt_tensor_create(ctx, MPT_I32, 1, &context, &g->places));
    CHECK(mpt_tensor_fill_range(g->places, 0, 1));
}

/* AdamW; the matrices inside the blocks decay, embeddings, norms and biases do not. */
static void make_optimizer(gpt *g) {
    mpt_tensor *matrices[1024], *others[1024];
    int32_t n_matrices = 0, n_others = 0, count, i;
    mpt_adam_desc desc;
    mpt_group_desc group;
    mpt_schedule_desc schedule;
    CHECK(mpt_adamw_desc_init(&desc, sizeof desc));
    desc.lr = rate;
    desc.beta2 = 0.95;
    desc.weight_decay = 0.1;
    CHECK(mpt_optimizer_adamw(g->t.ctx, &desc, &g->optimizer));
    CHECK(mpt_layer_parameter_count(g->net, &count));
    for (i = 0; i < count; ++i) {
        mpt_tensor *parameter;
        int32_t ndim;
        char name[128];
        CHECK(mpt_layer_parameter(g->net, i, &parameter));
        CHECK(mpt_layer_parameter_name(g->net, i, name, sizeof name, NULL));
        CHECK(mpt_tensor_ndim(parameter, &ndim));
        if (ndim == 2 && strncmp(name, "blocks.", 7) == 0)
            matrices[n_matrices++] = parameter;
        else
            others[n_others++] = parameter;
    }
    CHECK(mpt_group_desc_init(&group, sizeof group));
    CHECK(mpt_optimizer_add_group(g->optimizer, "matrices", matrices, n_matrices, &group));
    group.weight_decay_scale = 0;
    CHECK(mpt_optimizer_add_group(g->optimizer, "others", others, n_others, &group));
    while (n_matrices > 0) mpt_tensor_release(matrices[--n_matrices]);
    while (n_others > 0) mpt_tensor_release(others[--n_others]);
    CHECK(mpt_optimizer_set_clip_norm(g->optimizer, 1));
    CHECK(mpt_schedule_desc_init(&schedule, sizeof schedule));
    schedule.kind = MPT_SCHEDULE_COSINE;
    schedule.warmup_steps = steps / 20;
    schedule.total_steps = steps;
    schedule.final_factor = 0.1;
    CHECK(mpt_optimizer_set_schedule(g->optimizer, &schedule));
}

/* ---- training and validation ---- */

/* in: characters and those that follow them; out: the loss in nats. */
static void forward(gpt *g, mpt_tensor *const *in, mpt_tensor **out) {
    mpt_tensor *logits, *flat, *targets;
    CHECK(mpt_autocast_begin(g->t.ctx, g->t.policy));
    CHECK(mpt_layer_forward(g->net, in, 1, &logits, 1));
    CHECK(mpt_reshape(logits, 2, (const int64_t[]){-1, g->novels.n_symbols}, &flat));
    CHECK(mpt_reshape(in[1], 1, (const int64_t[]){-1}, &targets));
    CHECK(mpt_cross_entropy(flat, targets, NULL, &out[0]));
    CHECK(mpt_autocast_end(g->t.ctx));
    mpt_tensor_release(logits);
    mpt_tensor_release(flat);
    mpt_tensor_release(targets);
}

static void train_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    gpt *g = user;
    forward(g, in, out);
    CHECK(mpt_backward(out[0], g->t.scaler, MPT_GRAD_WRITE));
    CHECK(mpt_optimizer_step(g->optimizer, g->t.scaler));
    if (g->t.scaler) CHECK(mpt_scaler_update(g->t.scaler));
}

static void test_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    gpt *g = user;
    evaluation_begin(&g->t, g->net);
    forward(g, in, out);
    evaluation_end(&g->t, g->net);
}

static void run(gpt *g, phase *p, int64_t n, figures *read) {
    mpt_tensor *const *out = phase_run(p, n, (const void *const[]){g->x, g->y});
    double loss;
    if (!read) return;
    CHECK(mpt_tensor_item(out[0], &loss));
    figures_add(read, loss, loss / log(2), n);
}

static void begin(void *user, int64_t epoch, uint64_t seed) {
    gpt *g = user;
    g->seed = seed;
    g->step = epoch * every;
}

static void step(void *user, figures *read) {
    gpt *g = user;
    run(g, &g->train_phase, text_sample(&g->novels, g->seed, g->step++, g->batch, context, g->x, g->y), read);
}

static void test(void *user, figures *out) {
    gpt *g = user;
    int64_t first = 0, n;
    for (; first < windows; first += n) {
        const int64_t most = g->batch < windows - first ? g->batch : windows - first;
        n = text_validation(&g->novels, first, most, context, g->x, g->y);
        if (n == 0) return;
        run(g, &g->test_phase, n, out);
    }
}

static void save(void *user, mpt_state *state) {
    gpt *g = user;
    CHECK(mpt_state_add_layer(state, "model", g->net));
    CHECK(mpt_state_add_optimizer(state, "optimizer", g->optimizer));
    training_save_fp8(&g->t, state, "fp8", g->net);
}

/* ---- writing ---- */

/* out: the logits of one piece, [1, T, symbols]. */
static void sample_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    gpt *g = user;
    mpt_tensor *logits;
    evaluation_begin(&g->t, g->net);
    CHECK(mpt_autocast_begin(g->t.ctx, g->t.policy));
    CHECK(mpt_layer_forward(g->net, in, 1, &logits, 1));
    CHECK(mpt_autocast_end(g->t.ctx));
    CHECK(mpt_cast(logits, MPT_F32, &out[0]));
    mpt_tensor_release(logits);
    evaluation_end(&g->t, g->net);
}

/* Goes on from the beginning of the validation text; the network sees the last characters that fit. */
static void write_text(gpt *g) {
    const int32_t n_symbols = g->novels.n_symbols;
    const size_t nbytes = (size_t)context * (size_t)n_symbols * sizeof(float);
    float *logits = allocate(nbytes);
    int64_t seen = context / 2, i;
    sampler s = sampler_begin(g->seed);
    for (i = 0; i < context; ++i) g->x[i] = i < seen ? g->novels.ids[g->novels.n_train + i] : 0;
    printf("\"");
    for (i = 0; i < seen; ++i) putchar(g->novels.symbols[g->x[i]]);
    printf("\" goes on:\n");
    for (i = 0; i < sample_length; ++i) {
        mpt_tensor *const *out = phase_run(&g->sample_phase, 1, (const void *const[]){g->x});
        int32_t next;
        CHECK(mpt_tensor_read(out[0], logits, nbytes));
        /* The places behind the last character do not matter: no place sees a later one. */
        next = sampler_draw(&s, logits + (seen - 1) * n_symbols, n_symbols, temperature);
        putchar(g->novels.symbols[next]);
        if (seen == context) memmove(g->x, g->x + 1, (size_t)(--seen) * sizeof *g->x);
        g->x[seen++] = next;
    }
    printf("\n\n");
    free(logits);
}

/* ---- setting up ---- */

static void load(gpt *g, const options *o) {
    char message[2 * FILE_PATH_MAX];
    if (width % heads != 0) {
        fprintf(stderr, "--width %lld --heads %lld: the heads must divide the width\n", (long long)width, (long long)heads);
        exit(EXIT_USAGE);
    }
    if (text_load_novels(&g->novels, o->data, message, sizeof message) != 0) {
        fprintf(stderr, "%s\n", message);
        exit(EXIT_RUN_TIME);
    }
    if (o->limit > 0 && o->limit < g->novels.n) {
        g->novels.n = o->limit;
        g->novels.n_train = o->limit / 10 * 9;
    }
    if (text_validation_windows(&g->novels, context) < 1) {
        fprintf(stderr, "%lld characters are too few for a context of %lld: more with --limit, or a smaller --context\n",
                (long long)g->novels.n, (long long)context);
        exit(EXIT_USAGE);
    }
}

int main(int argc, char **argv) {
    static gpt g;
    const options o = options_or_exit(&command_line, argc, argv);
    const int64_t shape[2] = {0, context};
    task k = {.t = &g.t, .title = "GPT on six novels", .metric = &metric_bits, .loss_name = "nats per character", .user = &g,
              .begin = begin, .step = step, .test = test, .save = save};
    figures tested;

    load(&g, &o);
    g.batch = o.batch;
    g.seed = o.seed;
    g.x = allocate((size_t)(g.batch * context) * sizeof *g.x);
    g.y = allocate((size_t)(g.batch * context) * sizeof *g.y);
    g.t = training_open(&o);
    build_model(&g);
    if (every > steps) every = steps;
    k.steps = every;
    k.epochs = (steps + every - 1) / every;
    make_optimizer(&g);
    phase_open(&g.train_phase, &g.t, train_rule, &g, 1);
    phase_input(&g.train_phase, MPT_I32, 2, shape);
    phase_input(&g.train_phase, MPT_I32, 2, shape);
    phase_open(&g.test_phase, &g.t, test_rule, &g, 1);
    phase_input(&g.test_phase, MPT_I32, 2, shape);
    phase_input(&g.test_phase, MPT_I32, 2, shape);
    phase_open(&g.sample_phase, &g.t, sample_rule, &g, 1);
    phase_input(&g.sample_phase, MPT_I32, 2, shape);
    k.optimizers[0] = g.optimizer;
    k.models[0] = g.net;
    tested = loop_run(&k, &o);
    if (sample_length > 0) write_text(&g);
    printf("validation loss: %.4f nats, %.4f bits per character\n", figures_loss(&tested), figures_metric(&tested));

    phase_close(&g.train_phase);
    phase_close(&g.test_phase);
    phase_close(&g.sample_phase);
    mpt_optimizer_release(g.optimizer);
    mpt_tensor_release(g.places);
    mpt_layer_release(g.net);
    training_close(&g.t);
    text_free(&g.novels);
    free(g.x);
    free(g.y);
    return EXIT_OK;
}
