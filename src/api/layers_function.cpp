// Layers without parameters: an op of one input.
#include "api/layers.h"
#include "device/attrs/elementwise.h"
#include "device/attrs/pool.h"
#include "ops/ops.h"
#include "ops/pool.h"

using namespace mpt;

namespace {

Ref<Tensor> flatten(const Ref<Tensor> &x) {
    if (x->shape.n < 1) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": flatten takes [N, ...]");
    std::int64_t rest = 1;
    for (int i = 1; i < x->shape.n; ++i) rest *= x->shape[i];
    return ops::reshape(x, {x->shape[0], rest});
}

LayerFunction activation(mpt_activation kind, double parameter) {
    switch (kind) {
        case MPT_ACTIVATION_RELU: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_RELU); };
        case MPT_ACTIVATION_LEAKY_RELU: return [=](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_LEAKY_RELU, parameter); };
        case MPT_ACTIVATION_GELU: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_GELU); };
        case MPT_ACTIVATION_GELU_TANH: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_GELU_TANH); };
        case MPT_ACTIVATION_SILU: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_SILU); };
        case MPT_ACTIVATION_ELU: return [=](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_ELU, parameter); };
        case MPT_ACTIVATION_SIGMOID: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_SIGMOID); };
        case MPT_ACTIVATION_TANH: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_TANH); };
        case MPT_ACTIVATION_SOFTPLUS: return [](const Ref<Tensor> &x) { return ops::unary(x, MPT_UNARY_SOFTPLUS); };
        case MPT_ACTIVATION_FORCE_32: break;
    }
    fail(MPT_ERROR_ARGUMENT, "argument 'kind' is ", static_cast<int>(kind), ", which is none of mpt_activation");
}

void check_size(std::int64_t height, std::int64_t width) {
    if (height < 1) fail(MPT_ERROR_ARGUMENT, "argument 'height' is ", height, ": it must be at least 1");
    if (width < 1) fail(MPT_ERROR_ARGUMENT, "argument 'width' is ", width, ": it must be at least 1");
}

}  // namespace

mpt_status MPT_CALL mpt_layer_max_pool2d(mpt_context *ctx, const mpt_pool2d_params *params, mpt_layer **out) {
    return api::create_layer("mpt_layer_max_pool2d", ctx, out, [&](Context &c) {
        return new_function(c, [attrs = api::max_pool2d_attrs(params)](const Ref<Tensor> &x) { return ops::max_pool2d(x, attrs); });
    });
}
mpt_status MPT_CALL mpt_layer_avg_pool2d(mpt_context *ctx, const mpt_pool2d_params *params, mpt_layer **out) {
    return api::create_layer("mpt_layer_avg_pool2d", ctx, out, [&](Context &c) {
        return new_function(c, [attrs = api::avg_pool2d_attrs(params)](const Ref<Tensor> &x) { return ops::avg_pool2d(x, attrs); });
    });
}
mpt_status MPT_CALL mpt_layer_max_pool1d(mpt_context *ctx, int32_t kernel, int32_t stride, int32_t padding, mpt_layer **out) {
    return api::create_layer("mpt_layer_max_pool1d", ctx, out, [&](Context &c) {
        return new_function(c, [attrs = api::pool1d_attrs(kernel, stride, padding)](const Ref<Tensor> &x) { return ops::max_pool1d(x, attrs); });
    });
}
mpt_status MPT_CALL mpt_layer_avg_pool1d(mpt_context *ctx, int32_t kernel, int32_t stride, int32_t padding, mpt_layer **out) {
    return api::create_layer("mpt_layer_avg_pool1d", ctx, out, [&](Context &c) {
        return new_function(c, [attrs = api::pool1d_attrs(kernel, stride, padding)](const Ref<Tensor> &x) { return ops::avg_pool1d(x, attrs); });
    });
}
mpt_status MPT_CALL mpt_layer_adaptive_avg_pool2d(mpt_context *ctx, int64_t height, int64_t width, mpt_layer **out) {
    return api::create_layer("mpt_layer_adaptive_avg_pool2d", ctx, out, [&](Context &c) {
        check_size(height, width);
        return new_function(c, [=](const Ref<Tensor> &x) { return ops::adaptive_avg_pool2d(x, height, width); });
    });
}
mpt_status MPT_CALL mpt_layer_adaptive_max_pool2d(mpt_context *ctx, int64_t height, int64_t width, mpt_layer **out) {
    return api::create_layer("mpt_layer_adaptive_max_pool2d", ctx, out, [&](Context &c) {
        check_size(height, width);
        return new_function(c, [=](const Ref<Tensor> &x) { return ops::adaptive_max_pool2d(x, height, width); });
    });
}
mpt_status MPT_CALL mpt_layer_upsample2d(mpt_context *ctx, int32_t factor_h, int32_t factor_w, mpt_upsample_mode mode, mpt_layer **out) {
    return api::create_layer("mpt_layer_upsample2d", ctx, out, [&](Context &c) {
        if (factor_h < 1) fail(MPT_ERROR_ARGUMENT, "argument 'factor_h' is ", factor_h, ": it must be at least 1");
        if (factor_w < 1) fail(MPT_ERROR_ARGUMENT, "argument 'factor_w' is ", factor_w, ": it must be at least 1");
        if (mode != MPT_UPSAMPLE_NEAREST && mode != MPT_UPSAMPLE_BILINEAR)
            fail(MPT_ERROR_ARGUMENT, "argument 'mode' is ", static_cast<int>(mode), ", which is none of mpt_upsample_mode");
        return new_function(c, [=](const Ref<Tensor> &x) {
            if (x->shape.n != 4) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": images are [N, C, H, W]");
            return ops::upsample2d(x, x->shape[2] * factor_h, x->shape[3] * factor_w, mode);
        });
    });
}
mpt_status MPT_CALL mpt_layer_relu(mpt_context *ctx, mpt_layer **out) {
    return api::create_layer("mpt_layer_relu", ctx, out, [](Context &c) { return new_function(c, activation(MPT_ACTIVATION_RELU, 0)); });
}
mpt_status MPT_CALL mpt_layer_activation(mpt_context *ctx, mpt_activation kind, double parameter, mpt_layer **out) {
    return api::create_layer("mpt_layer_activation", ctx, out, [&](Context &c) { return new_function(c, activation(kind, parameter)); });
}
mpt_status MPT_CALL mpt_layer_flatten(mpt_context *ctx, mpt_layer **out) {
    return api::create_layer("mpt_layer_flatten", ctx, out, [](Context &c) { return new_function(c, flatten); });
}
mpt_status MPT_CALL mpt_layer_softmax(mpt_context *ctx, int32_t dim, mpt_layer **out) {
    return api::create_layer("mpt_layer_softmax", ctx, out, [&](Context &c) {
        if (dim < -MPT_MAX_DIMS || dim >= MPT_MAX_DIMS)
            fail(MPT_ERROR_ARGUMENT, "argument 'dim' is ", dim, ": it must be from ", -MPT_MAX_DIMS, " to ", MPT_MAX_DIMS - 1);
        return new_function(c, [dim](const Ref<Tensor> &x) {
            const int at = dim < 0 ? dim + x->shape.n : dim;
            if (at < 0 || at >= x->shape.n) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": the layer's softmax is along dimension ", dim);
            return ops::softmax(x, at, false);
        });
    });
}
mpt_status MPT_CALL mpt_layer_dropout(mpt_context *ctx, double p, mpt_layer **out) {
    return api::create_layer("mpt_layer_dropout", ctx, out, [&](Context &c) {
        api::check_probability(p, "argument 'p'");
        return new_dropout(c, p);
    });
}
