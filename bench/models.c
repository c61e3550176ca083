#include "models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *what, const char *why) {
    fprintf(stderr, "mpt_step: %s: %s\n", what, why);
    exit(1);
}

void check(mpt_status status, const char *call) {
    if (status != MPT_OK) fail(call, mpt_last_error());
}

static void add(mpt_layer *net, mpt_layer *layer) {
    OK(mpt_layer_add(net, NULL, layer));
    mpt_layer_release(layer);
}

static mpt_layer *sequential(mpt_context *ctx) {
    mpt_layer *net;
    OK(mpt_layer_sequential(ctx, &net));
    return net;
}

static mpt_layer *linear(mpt_context *ctx, int64_t in, int64_t out) {
    mpt_linear_desc desc;
    mpt_layer *layer;
    OK(mpt_linear_desc_init(&desc, sizeof desc));
    desc.in_features = in;
    desc.out_features = out;
    OK(mpt_layer_linear(ctx, &desc, &layer));
    return layer;
}

static mpt_layer *convolution(mpt_context *ctx, int64_t in, int64_t out, int kernel, int stride, int padding, int no_bias) {
    mpt_conv2d_desc desc;
    mpt_layer *layer;
    OK(mpt_conv2d_desc_init(&desc, sizeof desc));
    desc.in_channels = in;
    desc.out_channels = out;
    desc.kernel_h = desc.kernel_w = kernel;
    desc.stride_h = desc.stride_w = stride;
    desc.padding_h = desc.padding_w = padding;
    desc.no_bias = no_bias;
    OK(mpt_layer_conv2d(ctx, &desc, &layer));
    return layer;
}

static mpt_layer *activation(mpt_context *ctx, mpt_activation kind) {
    mpt_layer *layer;
    OK(mpt_layer_activation(ctx, kind, 0, &layer));
    return layer;
}

static mpt_layer *relu(mpt_context *ctx) { return activation(ctx, MPT_ACTIVATION_RELU); }

static mpt_layer *pool(mpt_context *ctx) {
    mpt_layer *layer;
    OK(mpt_layer_max_pool2d(ctx, NULL, &layer));
    return layer;
}

static mpt_layer *flatten(mpt_context *ctx) {
    mpt_layer *layer;
    OK(mpt_layer_flatten(ctx, &layer));
    return layer;
}

static mpt_layer *norm(mpt_context *ctx, int64_t features, mpt_status(MPT_CALL *make)(mpt_context *, const mpt_norm_desc *, mpt_layer **)) {
    mpt_norm_desc desc;
    mpt_layer *layer;
    OK(mpt_norm_desc_init(&desc, sizeof desc));
    desc.features = features;
    OK(make(ctx, &desc, &layer));
    return layer;
}

static mpt_layer *residual(mpt_context *ctx, mpt_layer *body, mpt_layer *shortcut) {
    mpt_layer *layer;
    OK(mpt_layer_residual(ctx, body, shortcut, &layer));
    mpt_layer_release(body);
    mpt_layer_release(shortcut);
    return layer;
}

static mpt_layer *build_cnn(mpt_context *ctx) {
    mpt_layer *net = sequential(ctx);
    add(net, convolution(ctx, 1, 32, 3, 1, 0, 0));
    add(net, relu(ctx));
    add(net, pool(ctx));
    add(net, convolution(ctx, 32, 64, 3, 1, 0, 0));
    add(net, relu(ctx));
    add(net, pool(ctx));
    add(net, convolution(ctx, 64, 64, 3, 1, 0, 0));
    add(net, relu(ctx));
    add(net, flatten(ctx));
    add(net, linear(ctx, 576, 64));
    add(net, relu(ctx));
    add(net, linear(ctx, 64, 10));
    return net;
}

static mpt_layer *build_mlp(mpt_context *ctx) {
    mpt_layer *net = sequential(ctx);
    add(net, linear(ctx, PIXELS, 1024));
    add(net, relu(ctx));
    add(net, linear(ctx, 1024, 1024));
    add(net, relu(ctx));
    add(net, linear(ctx, 1024, 10));
    return net;
}

/* ResNet-18 with the stem for small images: no pooling, a first convolution of 3 x 3 [He et al. 2016]. */
static mpt_layer *basic_block(mpt_context *ctx, int64_t in, int64_t out, int stride) {
    mpt_layer *body = sequential(ctx), *shortcut = NULL, *block = sequential(ctx);
    add(body, convolution(ctx, in, out, 3, stride, 1, 1));
    add(body, norm(ctx, out, mpt_layer_batch_norm));
    add(body, relu(ctx));
    add(body, convolution(ctx, out, out, 3, 1, 1, 1));
    add(body, norm(ctx, out, mpt_layer_batch_norm));
    if (stride != 1 || in != out) {
        shortcut = sequential(ctx);
        add(shortcut, convolution(ctx, in, out, 1, stride, 0, 1));
        add(shortcut, norm(ctx, out, mpt_layer_batch_norm));
    }
    add(block, residual(ctx, body, shortcut));
    add(block, relu(ctx));
    return block;
}

static mpt_layer *build_resnet18(mpt_context *ctx) {
    mpt_layer *net = sequential(ctx), *mean;
    int64_t width = 64;
    add(net, convolution(ctx, 1, width, 3, 1, 1, 1));
    add(net, norm(ctx, width, mpt_layer_batch_norm));
    add(net, relu(ctx));
    for (int stage = 0; stage < 4; ++stage) {
        const int64_t out = (int64_t)64 << stage;
        add(net, basic_block(ctx, width, out, stage ? 2 : 1));
        add(net, basic_block(ctx, out, out, 1));
        width = out;
    }
    OK(mpt_layer_adaptive_avg_pool2d(ctx, 1, 1, &mean));
    add(net, mean);
    add(net, flatten(ctx));
    add(net, linear(ctx, width, 10));
    return net;
}

/* GPT [Radford et al. 2019]: small enough for a CPU, and the smallest that was published. */
typedef struct gpt {
    int64_t width, blocks, context, symbols;
    int32_t heads;
} gpt;
static const gpt kSmall = {128, 4, 128, 256, 4}, kGpt2 = {768, 12, 1024, 50257, 12};

/* Tokens [N,T] -> [N,T,E]: the child's rows and the positions. */
static mpt_status MPT_CALL embed(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs, void *user_data) {
    mpt_tensor *token, *position;
    mpt_status status = mpt_layer_forward((mpt_layer *)user_data, inputs, n_inputs, &token, n_outputs);
    if (status != MPT_OK) return status;
    status = mpt_layer_parameter_by_name(layer, "position", &position);
    if (status == MPT_OK) status = mpt_add(token, position, &outputs[0]);
    mpt_tensor_release(position);
    mpt_tensor_release(token);
    return status;
}

static mpt_layer *rows(mpt_context *ctx, int64_t count, int64_t dim) {
    mpt_embedding_desc desc;
    mpt_layer *layer;
    OK(mpt_embedding_desc_init(&desc, sizeof desc));
    desc.count = count;
    desc.dim = dim;
    OK(mpt_layer_embedding(ctx, &desc, &layer));
    return layer;
}

static mpt_layer *embedding(mpt_context *ctx, const gpt *size) {
    mpt_custom_layer_desc custom;
    mpt_layer *tokens = rows(ctx, size->symbols, size->width), *layer;
    mpt_tensor *position;
    const int64_t shape[2] = {size->context, size->width};
    OK(mpt_custom_layer_desc_init(&custom, sizeof custom));
    custom.forward = embed;
    custom.user_data = tokens; /* which the layer holds as its child */
    OK(mpt_layer_custom(ctx, &custom, &layer));
    OK(mpt_tensor_create(ctx, MPT_F32, 2, shape, &position));
    OK(mpt_tensor_fill(position, 0));
    OK(mpt_layer_add_parameter(layer, "position", position));
    mpt_tensor_release(position);
    OK(mpt_layer_add(layer, "token", tokens));
    mpt_layer_release(tokens);
    return layer;
}

static mpt_layer *attention(mpt_context *ctx, const gpt *size) {
    mpt_attention_desc desc;
    mpt_layer *layer;
    OK(mpt_attention_desc_init(&desc, sizeof desc));
    desc.embed_dim = size->width;
    desc.heads = size->heads;
    desc.causal = 1;
    OK(mpt_layer_attention(ctx, &desc, &layer));
    return layer;
}

static mpt_layer *transformer(mpt_context *ctx, const gpt *size) {
    const int64_t width = size->width;
    mpt_layer *net = sequential(ctx);
    add(net, embedding(ctx, size));
    for (int64_t i = 0; i < size->blocks; ++i) {
        mpt_layer *mix = sequential(ctx), *think = sequential(ctx);
        add(mix, norm(ctx, width, mpt_layer_layer_norm));
        add(mix, attention(ctx, size));
        add(net, residual(ctx, mix, NULL));
        add(think, norm(ctx, width, mpt_layer_layer_norm));
        add(think, linear(ctx, width, 4 * width));
        add(think, activation(ctx, MPT_ACTIVATION_GELU));
        add(think, linear(ctx, 4 * width, width));
        add(net, residual(ctx, think, NULL));
    }
    add(net, norm(ctx, width, mpt_layer_layer_norm));
    add(net, linear(ctx, width, size->symbols));
    return net;
}
static mpt_layer *build_gpt(mpt_context *ctx) { return transformer(ctx, &kSmall); }
static mpt_layer *build_gpt2(mpt_context *ctx) { return transformer(ctx, &kGpt2); }

/* A language model of bytes: two layers of 512 units. */
static mpt_layer *build_lstm(mpt_context *ctx) {
    mpt_recurrent_desc desc;
    mpt_layer *net = sequential(ctx), *recurrent;
    add(net, rows(ctx, 256, 256));
    OK(mpt_recurrent_desc_init(&desc, sizeof desc));
    desc.input_size = 256;
    desc.hidden_size = 512;
    desc.layers = 2;
    desc.batch_first = 1;
    OK(mpt_layer_recurrent(ctx, &desc, &recurrent));
    add(net, recurrent);
    add(net, linear(ctx, 512, 256));
    return net;
}

const model *find_model(const char *name) {
    static const model models[] = {{"cnn", INPUT_IMAGES, build_cnn, 0, 0},
                                   {"mlp", INPUT_VECTORS, build_mlp, 0, 0},
                                   {"resnet18", INPUT_IMAGES, build_resnet18, 0, 0},
                                   {"gpt", INPUT_TOKENS, build_gpt, 128, 256},
                                   {"gpt2", INPUT_TOKENS, build_gpt2, 1024, 50257},
                                   {"lstm", INPUT_TOKENS, build_lstm, 128, 256}};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; ++i)
        if (!strcmp(models[i].name, name)) return &models[i];
    return NULL;
}
