/*
 * Trains an LSTM [Hochreiter and Schmidhuber 1997] to tell from what WordNet says of a word whether it is a noun, a verb, an adjective
 * or an adverb, in f32, f16, bf16 or fp8. SPDX-License-Identifier: Apache-2.0
 */
#include <mpt.h>
#include <stdio.h>
#include <stdlib.h>

#include "batches.h"
#include "check.h"
#include "file.h"
#include "glosses.h"
#include "layers.h"
#include "loop.h"
#include "options.h"
#include "shuffle.h"
#include "training.h"

enum { TEST_BATCH = 256, PER_CLASS = 3600 };

static int64_t length = 24, words = 8000, dim = 64, hidden = 64, n_layers = 1;
static double dropout = 0.3;
static int bidirectional;
static const option_row rows[] = {{.name = "length", .number = &length, .least = 1, .most = 1000},
                                  {.name = "words", .number = &words, .least = 3, .most = 1000000},
                                  {.name = "dim", .number = &dim, .least = 1, .most = 65536},
                                  {.name = "hidden", .number = &hidden, .least = 1, .most = 65536},
                                  {.name = "layers", .number = &n_layers, .least = 1, .most = 100},
                                  {.name = "dropout", .real = &dropout, .least = 0, .most = 0.99},
                                  {.name = "bidirectional", .flag = &bidirectional}};
static const option_set command_line = {
    "Trains an LSTM with mpt to tell the part of speech of a word from what WordNet says of it.\n"
    "\n"
    "  --epochs N                how often to go over the training glosses (default 8)\n"
    "  --batch N                 glosses per step (default 64)\n"
    "  --limit N                 glosses of each class (default 0: 3600, about as many as there are of adverbs)\n"
    "  --length N                words of a gloss (default 24)\n"
    "  --words N                 size of the vocabulary (default 8000)\n"
    "  --dim N                   numbers per word (default 64)\n"
    "  --hidden N                size of the LSTM's state (default 64)\n"
    "  --layers N                of the LSTM (default 1)\n"
    "  --bidirectional           read backwards too\n"
    "  --dropout X               share of the features that training leaves out (default 0.3)\n",
    8, 64, NULL, NULL, rows, sizeof rows / sizeof rows[0]};

/* ---- the model ---- */

typedef struct lstm {
    training t;
    glosses data;
    mpt_layer *embedding, *recurrent, *head, *net; /* net has the other three as children */
    mpt_optimizer *optimizer;
    batches train_order, test_order;
    int32_t *ids;
    uint8_t *labels;
    phase train_phase, test_phase;
} lstm;

/* Words [N, T] -> numbers [N, T, dim] -> states [N, T, hidden] -> their mean over time [N, hidden] -> classes [N, 4]. */
static mpt_status MPT_CALL lstm_forward(mpt_layer *layer, mpt_tensor *const *in, int32_t n_in, mpt_tensor **out, int32_t n_out,
                                        void *user_data) {
    static const int32_t time = 1;
    lstm *l = user_data;
    mpt_tensor *numbers, *states, *features;
    (void)layer, (void)n_in;
    CHECK(mpt_layer_forward(l->embedding, in, 1, &numbers, 1));
    CHECK(mpt_layer_forward(l->recurrent, &numbers, 1, &states, 1));
    CHECK(mpt_mean(states, 1, &time, 0, &features));
    CHECK(mpt_layer_forward(l->head, &features, 1, out, n_out));
    mpt_tensor_release(numbers);
    mpt_tensor_release(states);
    mpt_tensor_release(features);
    return MPT_OK;
}

static void build_model(lstm *l) {
    mpt_context *ctx = l->t.ctx;
    mpt_embedding_desc embedding;
    mpt_recurrent_desc recurrent;
    mpt_custom_layer_desc net;
    mpt_layer *drop;
    CHECK(mpt_embedding_desc_init(&embedding, sizeof embedding));
    embedding.count = l->data.n_symbols;
    embedding.dim = dim;
    embedding.padding_index = GLOSSES_PADDING; /* stays a row of zeros */
    CHECK(mpt_layer_embedding(ctx, &embedding, &l->embedding));
    CHECK(mpt_recurrent_desc_init(&recurrent, sizeof recurrent));
    recurrent.input_size = dim;
    recurrent.hidden_size = hidden;
    recurrent.layers = (int32_t)n_layers;
    recurrent.bidirectional = bidirectional;
    recurrent.batch_first = 1;
    CHECK(mpt_layer_recurrent(ctx, &recurrent, &l->recurrent));
    CHECK(mpt_layer_dropout(ctx, dropout, &drop));
    l->head = new_sequential(ctx);
    add_layer(l->head, "dropout", drop);
    add_layer(l->head, "linear", new_linear(ctx, hidden * (bidirectional ? 2 : 1), GLOSSES_CLASSES));
    CHECK(mpt_custom_layer_desc_init(&net, sizeof net));
    net.forward = lstm_forward;
    net.user_data = l;
    CHECK(mpt_layer_custom(ctx, &net, &l->net));
    add_layer(l->net, "embedding", l->embedding); /* borrowed from here on */
    add_layer(l->net, "recurrent", l->recurrent);
    add_layer(l->net, "head", l->head);
}

/* ---- training and test ---- */

/* in: words and labels; out: the loss and the logits. */
static void forward(lstm *l, mpt_tensor *const *in, mpt_tensor **out) {
    mpt_tensor *logits;
    CHECK(mpt_autocast_begin(l->t.ctx, l->t.policy));
    CHECK(mpt_layer_forward(l->net, &in[0], 1, &logits, 1));
    CHECK(mpt_cross_entropy(logits, in[1], NULL, &out[0]));
    CHECK(mpt_autocast_end(l->t.ctx));
    CHECK(mpt_cast(logits, MPT_F32, &out[1]));
    mpt_tensor_release(logits);
}

static void train_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    lstm *l = user;
    forward(l, in, out);
    CHECK(mpt_backward(out[0], l->t.scaler, MPT_GRAD_WRITE));
    CHECK(mpt_optimizer_step(l->optimizer, l->t.scaler));
    if (l->t.scaler) CHECK(mpt_scaler_update(l->t.scaler));
}

static void test_rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    lstm *l = user;
    evaluation_begin(&l->t, l->net); /* nothing is dropped */
    forward(l, in, out);
    evaluation_end(&l->t, l->net);
}

static int64_t run(lstm *l, phase *p, const glosses_part *part, batches *order, figures *read) {
    const int32_t *rows_of_batch;
    const int64_t n = batches_next(order, &rows_of_batch);
    if (n > 0) {
        mpt_tensor *const *out;
        gather_rows(l->ids, part->ids, rows_of_batch, n, (size_t)length * sizeof *l->ids);
        gather_rows(l->labels, part->labels, rows_of_batch, n, 1);
        out = phase_run(p, n, (const void *const[]){l->ids, l->labels});
        if (read) figures_add_answers(read, out[0], out[1], l->labels, n, GLOSSES_CLASSES);
    }
    return n;
}

static void begin(void *user, int64_t epoch, uint64_t seed) {
    lstm *l = user;
    l->train_order.seed = seed;
    batches_shuffle(&l->train_order, epoch);
}

static void step(void *user, figures *read) {
    lstm *l = user;
    run(l, &l->train_phase, &l->data.train, &l->train_order, read);
}

static void test(void *user, figures *out) {
    lstm *l = user;
    batches_in_order(&l->test_order);
    while (run(l, &l->test_phase, &l->data.test, &l->test_order, out) > 0) continue;
}

static void save(void *user, mpt_state *state) {
    lstm *l = user;
    CHECK(mpt_state_add_layer(state, "model", l->net));
    CHECK(mpt_state_add_optimizer(state, "optimizer", l->optimizer));
    training_save_fp8(&l->t, state, "fp8", l->net);
}

/* ---- setting up ---- */

static void load(lstm *l, const options *o) {
    const glosses_options which = {GLOSSES_WORDS, length, words, o->limit > 0 ? o->limit : PER_CLASS};
    char message[2 * FILE_PATH_MAX];
    int64_t largest;
    if (glosses_load(&l->data, o->data, &which, message, sizeof message) != 0) {
        fprintf(stderr, "%s\n", message);
        exit(EXIT_RUN_TIME);
    }
    if (batches_open(&l->train_order, l->data.train.n, o->batch, o->seed) != 0 ||
        batches_open(&l->test_order, l->data.test.n, TEST_BATCH, o->seed) != 0) {
        fprintf(stderr, "--limit %lld: a tenth of each class is for the test, so that at least 10 are needed\n", (long long)which.per_class);
        exit(EXIT_RUN_TIME);
    }
    largest = o->batch > TEST_BATCH ? o->batch : TEST_BATCH;
    l->ids = allocate((size_t)(largest * length) * sizeof *l->ids);
    l->labels = allocate((size_t)largest);
}

int main(int argc, char **argv) {
    static lstm l;
    const options o = options_or_exit(&command_line, argc, argv);
    const int64_t shape[2] = {0, length};
    task k = {.t = &l.t, .title = "LSTM on the glosses of WordNet", .metric = &metric_accuracy, .loss_name = "cross-entropy",
              .user = &l, .begin = begin, .step = step, .test = test, .save = save};
    mpt_adam_desc adam;
    figures tested;
    int i;

    load(&l, &o);
    l.t = training_open(&o);
    build_model(&l);
    CHECK(mpt_adam_desc_init(&adam, sizeof adam));
    adam.lr = 2e-3;
    CHECK(mpt_optimizer_adam(l.t.ctx, &adam, &l.optimizer));
    CHECK(mpt_optimizer_add_layer(l.optimizer, l.net));
    CHECK(mpt_optimizer_set_clip_norm(l.optimizer, 1));
    phase_open(&l.train_phase, &l.t, train_rule, &l, 2);
    phase_open(&l.test_phase, &l.t, test_rule, &l, 2);
    for (i = 0; i < 2; ++i) {
        phase *p = i == 0 ? &l.train_phase : &l.test_phase;
        phase_input(p, MPT_I32, 2, shape);
        phase_input(p, MPT_U8, 1, shape);
    }
    k.epochs = o.epochs;
    k.steps = batches_count(&l.train_order);
    k.optimizers[0] = l.optimizer;
    k.models[0] = l.net;
    tested = loop_run(&k, &o);
    printf("test accuracy: %.2f %%\n", 100 * figures_metric(&tested));

    phase_close(&l.train_phase);
    phase_close(&l.test_phase);
    mpt_optimizer_release(l.optimizer);
    mpt_layer_release(l.net);
    training_close(&l.t);
    batches_close(&l.train_order);
    batches_close(&l.test_order);
    glosses_free(&l.data);
    free(l.ids);
    free(l.labels);
    return EXIT_OK;
}
