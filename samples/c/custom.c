/*
 * A layer and an op of our own: a GRU reads 12 numbers and learns the mean of their squares, in bf16, with AdamW, a schedule and an
 * average of the weights. "custom 200 FILE" stops after 200 of 400 steps; "custom 400 FILE" goes on from there, to the same bits as
 * if it had never stopped. SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>

#include "check.h"
#include "layers.h"

enum { BATCH = 64, LENGTH = 12, WIDTH = 16, STEPS = 400 };

/* ---- the op: x + sin(x)^2 [Ziyin et al. 2020] of rows and columns; its callbacks must not call mpt ---- */

static float *at(const mpt_buffer *b, int64_t row, int64_t column) {
    return (float *)b->data + row * b->strides[0] + column * b->strides[1];
}

static mpt_status MPT_CALL snake_shape(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    (void)n_in, (void)n_out, (void)user_data;
    if (in->dtype != MPT_F32) return MPT_ERROR_DTYPE;
    if (in->ndim != 2) return MPT_ERROR_SHAPE;
    *out = *in;
    return MPT_OK;
}

static mpt_status MPT_CALL snake(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    int64_t i, j;
    (void)n_in, (void)n_out, (void)user_data;
    for (i = 0; i < out->shape[0]; ++i)
        for (j = 0; j < out->shape[1]; ++j) *at(out, i, j) = *at(in, i, j) + powf(sinf(*at(in, i, j)), 2);
    return MPT_OK;
}

/* in: x, the result and the result's gradient; out: the gradient of x. */
static mpt_status MPT_CALL snake_gradient(const mpt_buffer *in, int32_t n_in, mpt_buffer *out, int32_t n_out, void *user_data) {
    int64_t i, j;
    (void)n_in, (void)n_out, (void)user_data;
    for (i = 0; i < out->shape[0]; ++i)
        for (j = 0; j < out->shape[1]; ++j) *at(out, i, j) = *at(&in[2], i, j) * (1 + sinf(2 * *at(&in[0], i, j)));
    return MPT_OK;
}

/* ---- the layer: written in ops and other layers, so that its gradient and its names follow ---- */

typedef struct model {
    mpt_context *ctx;
    mpt_layer *net, *gru, *hidden, *head; /* net has the other three as children */
    mpt_custom_op_desc snake;
} model;

/* Numbers [N, LENGTH, 1] -> the GRU's last state [1, N, WIDTH] -> [N, WIDTH] -> one number [N, 1]. */
static mpt_status MPT_CALL model_forward(mpt_layer *layer, mpt_tensor *const *in, int32_t n_in, mpt_tensor **out, int32_t n_out,
                                         void *user_data) {
    model *m = user_data;
    mpt_tensor *states[2], *last, *hidden, *bent;
    (void)layer, (void)n_in;
    CHECK(mpt_layer_forward(m->gru, in, 1, states, 2)); /* those of all steps, and the last one */
    CHECK(mpt_reshape(states[1], 2, (const int64_t[]){-1, WIDTH}, &last));
    CHECK(mpt_layer_forward(m->hidden, &last, 1, &hidden, 1));
    CHECK(mpt_custom_op(m->ctx, "snake", &m->snake, &hidden, 1, &bent, 1));
    CHECK(mpt_layer_forward(m->head, &bent, 1, out, n_out));
    mpt_tensor_release(states[0]), mpt_tensor_release(states[1]), mpt_tensor_release(last);
    mpt_tensor_release(hidden), mpt_tensor_release(bent);
    return MPT_OK;
}

static void build_model(model *m, mpt_context *ctx) {
    mpt_custom_layer_desc net;
    mpt_recurrent_desc gru;
    m->ctx = ctx;
    CHECK(mpt_custom_op_desc_init(&m->snake, sizeof m->snake));
    m->snake.shape = snake_shape;
    m->snake.forward = snake;
    m->snake.backward = snake_gradient;
    CHECK(mpt_recurrent_desc_init(&gru, sizeof gru));
    gru.kind = MPT_RECURRENT_GRU;
    gru.input_size = 1;
    gru.hidden_size = WIDTH;
    gru.batch_first = 1;
    CHECK(mpt_layer_recurrent(ctx, &gru, &m->gru));
    m->hidden = new_linear(ctx, WIDTH, WIDTH);
    m->head = new_linear(ctx, WIDTH, 1);
    CHECK(mpt_custom_layer_desc_init(&net, sizeof net));
    net.forward = model_forward;
    net.user_data = m;
    CHECK(mpt_layer_custom(ctx, &net, &m->net));
    add_layer(m->net, "gru", m->gru); /* borrowed from here on */
    add_layer(m->net, "hidden", m->hidden);
    add_layer(m->net, "head", m->head);
}

/* The loss on n fresh rows of numbers from -1 to 1. */
static mpt_tensor *fresh_loss(model *m, mpt_policy *policy, int64_t n) {
    const int64_t shape[3] = {n, LENGTH, 1};
    const int32_t time = 1;
    mpt_tensor *x, *squares, *y, *prediction, *loss;
    CHECK(mpt_tensor_create(m->ctx, MPT_F32, 3, shape, &x));
    CHECK(mpt_tensor_random_uniform(x, -1, 1));
    CHECK(mpt_square(x, &squares));
    CHECK(mpt_mean(squares, 1, &time, 0, &y));
    CHECK(mpt_autocast_begin(m->ctx, policy));
    CHECK(mpt_layer_forward(m->net, &x, 1, &prediction, 1));
    CHECK(mpt_mse(prediction, y, MPT_REDUCTION_MEAN, &loss));
    CHECK(mpt_autocast_end(m->ctx));
    mpt_tensor_release(x), mpt_tensor_release(squares), mpt_tensor_release(y), mpt_tensor_release(prediction);
    return loss;
}

int main(int argc, char **argv) {
    const int64_t steps = argc > 1 ? atoi(argv[1]) : STEPS;
    const char *path = argc > 2 ? argv[2] : "custom.safetensors";
    static model m;
    mpt_context *ctx;
    mpt_policy *policy;
    mpt_optimizer *optimizer;
    mpt_schedule_desc schedule;
    mpt_average *average;
    mpt_state *state;
    mpt_tensor *loss;
    FILE *checkpoint;
    int64_t step = 0;
    double rate, error;

    if (argc > 3 || steps < 1) {
        fprintf(stderr, "usage: custom [STEPS [CHECKPOINT]]\n");
        return EXIT_USAGE;
    }
    CHECK(mpt_context_create(NULL, &ctx));
    build_model(&m, ctx);
    CHECK(mpt_policy_create(ctx, MPT_BF16, &policy));
    CHECK(mpt_policy_set_op(policy, "custom", MPT_F32)); /* the callbacks above read floats */
    CHECK(mpt_optimizer_adamw(ctx, NULL, &optimizer));
    CHECK(mpt_optimizer_add_layer(optimizer, m.net));
    CHECK(mpt_optimizer_set_lr(optimizer, 0.01));
    CHECK(mpt_schedule_desc_init(&schedule, sizeof schedule));
    schedule.kind = MPT_SCHEDULE_COSINE;
    schedule.warmup_steps = STEPS / 20;
    schedule.total_steps = STEPS;
    CHECK(mpt_optimizer_set_schedule(optimizer, &schedule));
    CHECK(mpt_average_create(optimizer, 0.95, &average));

    CHECK(mpt_state_create(ctx, &state)); /* all that a run needs to go on */
    CHECK(mpt_state_add_layer(state, "model", m.net));
    CHECK(mpt_state_add_optimizer(state, "optimizer", optimizer));
    CHECK(mpt_state_add_average(state, "average", average));
    CHECK(mpt_state_add_random(state, "random"));
    CHECK(mpt_state_set_number(state, "step", 0));
    checkpoint = fopen(path, "rb");
    if (checkpoint) {
        fclose(checkpoint);
        CHECK(mpt_state_load(state, path));
        CHECK(mpt_state_number(state, "step", &step));
        printf("%s: going on behind step %d\n", path, (int)step);
    }

    for (; step < steps; ++step) {
        loss = fresh_loss(&m, policy, BATCH);
        CHECK(mpt_backward(loss, NULL, MPT_GRAD_WRITE));
        CHECK(mpt_optimizer_step(optimizer, NULL));
        CHECK(mpt_average_update(average));
        mpt_tensor_release(loss);
    }
    CHECK(mpt_state_set_number(state, "step", step));
    CHECK(mpt_state_save(state, path));

    CHECK(mpt_average_swap(average)); /* the averages take the weights' place */
    CHECK(mpt_no_grad_begin(ctx));
    loss = fresh_loss(&m, policy, 1000);
    CHECK(mpt_no_grad_end(ctx));
    CHECK(mpt_tensor_item(loss, &error));
    CHECK(mpt_optimizer_lr(optimizer, &rate));
    printf("step %d, rate %.2g: mean squared error %.6f (of always the same answer: 0.0074)\n", (int)step, rate, error);

    mpt_tensor_release(loss), mpt_state_release(state), mpt_average_release(average), mpt_optimizer_release(optimizer);
    mpt_policy_release(policy), mpt_layer_release(m.net), mpt_context_release(ctx);
    return EXIT_OK;
}
