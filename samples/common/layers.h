/* Layers with the few settings that the samples need. SPDX-License-Identifier: Apache-2.0
 *
 * Each function gives an owned layer. add_layer and new_residual take over the handles that they are given, so that a model can be
 * written as one list:
 *
 *     mpt_layer *net = new_sequential(ctx);
 *     add_layer(net, "hidden", new_linear(ctx, 784, 64));
 *     add_layer(net, "relu", new_activation(ctx, MPT_ACTIVATION_RELU));
 */
#ifndef SAMPLES_LAYERS_H
#define SAMPLES_LAYERS_H

#include <mpt.h>

mpt_layer *new_sequential(mpt_context *ctx);
/* Appends child, whose handle goes to the container. */
void add_layer(mpt_layer *container, const char *name, mpt_layer *child);
/* body(x) + shortcut(x); shortcut NULL: + x. Their handles go to the residual layer. */
mpt_layer *new_residual(mpt_context *ctx, mpt_layer *body, mpt_layer *shortcut);

mpt_layer *new_linear(mpt_context *ctx, int64_t in_features, int64_t out_features);
/* A square kernel. */
mpt_layer *new_convolution(mpt_context *ctx, int64_t in_channels, int64_t out_channels, int32_t kernel, int32_t stride, int32_t padding,
                           int bias);
/* The transposed one, which makes images larger. */
mpt_layer *new_deconvolution(mpt_context *ctx, int64_t in_channels, int64_t out_channels, int32_t kernel, int32_t stride,
                             int32_t padding, int bias);
mpt_layer *new_batch_norm(mpt_context *ctx, int64_t channels);
mpt_layer *new_layer_norm(mpt_context *ctx, int64_t features);
mpt_layer *new_embedding(mpt_context *ctx, int64_t count, int64_t dim, double std);
/* LEAKY_RELU has a slope of 0.2, ELU an alpha of 1. */
mpt_layer *new_activation(mpt_context *ctx, mpt_activation kind);
mpt_layer *new_flatten(mpt_context *ctx);

#endif
