// The layers there are. Descriptors come checked.
#pragma once

#include <functional>

#include "nn/layer.h"

struct mpt_attrs_pool2d;  // device/attrs/pool.h

namespace mpt {

Ref<mpt_layer> new_linear(Context &ctx, const mpt_linear_desc &desc);
Ref<mpt_layer> new_conv2d(Context &ctx, const mpt_conv2d_desc &desc);
Ref<mpt_layer> new_conv_transpose2d(Context &ctx, const mpt_conv2d_desc &desc);
Ref<mpt_layer> new_conv1d(Context &ctx, const mpt_conv1d_desc &desc);
Ref<mpt_layer> new_conv_transpose1d(Context &ctx, const mpt_conv1d_desc &desc);

enum class Norm { Batch, Layer, Rms, Group, Instance };
Ref<mpt_layer> new_norm(Context &ctx, Norm kind, const mpt_norm_desc &desc);
Ref<mpt_layer> new_embedding(Context &ctx, const mpt_embedding_desc &desc);
Ref<mpt_layer> new_recurrent(Context &ctx, const mpt_recurrent_desc &desc);
Ref<mpt_layer> new_attention(Context &ctx, const mpt_attention_desc &desc);

Ref<mpt_layer> new_dropout(Context &ctx, double p);
Ref<mpt_layer> new_sequential(Context &ctx);
Ref<mpt_layer> new_residual(Context &ctx, const Ref<mpt_layer> &body, const Ref<mpt_layer> &shortcut);
Ref<mpt_layer> new_parallel(Context &ctx, mpt_join join, int dim);
Ref<mpt_layer> new_custom(Context &ctx, const mpt_custom_layer_desc &desc);

// A layer that is a function of its one input: an activation, a pool, a reshape. (Ops have their own checks.)
using LayerFunction = std::function<Ref<Tensor>(const Ref<Tensor> &)>;
Ref<mpt_layer> new_function(Context &ctx, LayerFunction function);

}  // namespace mpt
