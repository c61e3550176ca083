/* Layers with the few settings that the samples need. SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

#include "check.h"

mpt_layer *new_sequential(mpt_context *ctx) {
    mpt_layer *layer;
    CHECK(mpt_layer_sequential(ctx, &layer));
    return layer;
}

/* A container keeps what is added to it, so our own handle can go. */
void add_layer(mpt_layer *container, const char *name, mpt_layer *child) {
    CHECK(mpt_layer_add(container, name, child));
    mpt_layer_release(child);
}

mpt_layer *new_residual(mpt_context *ctx, mpt_layer *body, mpt_layer *shortcut) {
    mpt_layer *layer;
    CHECK(mpt_layer_residual(ctx, body, shortcut, &layer));
    mpt_layer_release(body);
    mpt_layer_release(shortcut);
    return layer;
}

mpt_layer *new_linear(mpt_context *ctx, int64_t in_features, int64_t out_features) {
    mpt_linear_desc desc;
    mpt_layer *layer;
    CHECK(mpt_linear_desc_init(&desc, sizeof desc));
    desc.in_features = in_features;
    desc.out_features = out_features;
    CHECK(mpt_layer_linear(ctx, &desc, &layer));
    return layer;
}

static mpt_conv2d_desc square(int64_t in_channels, int64_t out_channels, int32_t kernel, int32_t stride, int32_t padding, int bias) {
    mpt_conv2d_desc desc;
    CHECK(mpt_conv2d_desc_init(&desc, sizeof desc));
    desc.in_channels = in_channels;
    desc.out_channels = out_channels;
    desc.kernel_h = desc.kernel_w = kernel;
    desc.stride_h = desc.stride_w = stride;
    desc.padding_h = desc.padding_w = padding;
    desc.no_bias = !bias;
    return desc;
}

mpt_layer *new_convolution(mpt_context *ctx, int64_t in_channels, int64_t out_channels, int32_t kernel, int32_t stride, int32_t padding,
                           int bias) {
    const mpt_conv2d_desc desc = square(in_channels, out_channels, kernel, stride, padding, bias);
    mpt_layer *layer;
    CHECK(mpt_layer_conv2d(ctx, &desc, &layer));
    return layer;
}

mpt_layer *new_deconvolution(mpt_context *ctx, int64_t in_channels, int64_t out_channels, int32_t kernel, int32_t stride,
                             int32_t padding, int bias) {
    const mpt_conv2d_desc desc = square(in_channels, out_channels, kernel, stride, padding, bias);
    mpt_layer *layer;
    CHECK(mpt_layer_conv_transpose2d(ctx, &desc, &layer));
    return layer;
}

static mpt_layer *new_norm(mpt_context *ctx, int64_t features,
                           mpt_status(MPT_CALL *make)(mpt_context *, const mpt_norm_desc *, mpt_layer **)) {
    mpt_norm_desc desc;
    mpt_layer *layer;
    CHECK(mpt_norm_desc_init(&desc, sizeof desc));
    desc.features = features;
    CHECK(make(ctx, &desc, &layer));
    return layer;
}

mpt_layer *new_batch_norm(mpt_context *ctx, int64_t channels) {
    return new_norm(ctx, channels, mpt_layer_batch_norm);
}

mpt_layer *new_layer_norm(mpt_context *ctx, int64_t features) {
    return new_norm(ctx, features, mpt_layer_layer_norm);
}

mpt_layer *new_embedding(mpt_context *ctx, int64_t count, int64_t dim, double std) {
    mpt_embedding_desc desc;
    mpt_layer *layer;
    CHECK(mpt_embedding_desc_init(&desc, sizeof desc));
    desc.count = count;
    desc.dim = dim;
    desc.std = std;
    CHECK(mpt_layer_embedding(ctx, &desc, &layer));
    return layer;
}

mpt_layer *new_activation(mpt_context *ctx, mpt_activation kind) {
    mpt_layer *layer;
    CHECK(mpt_layer_activation(ctx, kind, kind == MPT_ACTIVATION_LEAKY_RELU ? 0.2 : 1.0, &layer));
    return layer;
}

mpt_layer *new_flatten(mpt_context *ctx) {
    mpt_layer *layer;
    CHECK(mpt_layer_flatten(ctx, &layer));
    return layer;
}
