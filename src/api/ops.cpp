#include "ops/ops.h"

#include "api/convert.h"
#include "api/guard.h"

using namespace mpt;

namespace {

template <class F>
mpt_status unary(const char *function, mpt_tensor *x, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        *out = op(api::tensor(c, x, "x")).detach();
    });
}

mpt_status binary(const char *function, mpt_tensor *a, mpt_tensor *b, mpt_tensor **out, int kind) {
    return api::call(function, a, "a", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> left = api::tensor(c, a, "a"), right = api::tensor(c, b, "b");
        *out = ops::binary(left, right, kind).detach();
    });
}

int dimension(const Tensor &x, std::int32_t dim, const char *name) {
    const int at = dim < 0 ? dim + x.shape.n : dim;
    if (at < 0 || at >= x.shape.n) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is ", dim, ": 'x' of shape ", x.shape, " has ", x.shape.n, " dimensions");
    return at;
}

mpt_status reduce(const char *function, mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out, int kind) {
    return unary(function, x, out, [&](const Ref<Tensor> &t) {
        unsigned mask = 0;
        if (!dims) {
            if (ndims != 0) fail(MPT_ERROR_ARGUMENT, "argument 'dims' is NULL but 'ndims' is ", ndims, ": 0 means all dimensions");
            mask = (1u << t->shape.n) - 1;
        } else {
            if (ndims < 0 || ndims > t->shape.n) fail(MPT_ERROR_ARGUMENT, "argument 'ndims' is ", ndims, ": 'x' has ", t->shape.n, " dimensions");
            for (int32_t i = 0; i < ndims; ++i) {
                const unsigned bit = 1u << dimension(*t, dims[i], "dims");
                if (mask & bit) fail(MPT_ERROR_ARGUMENT, "argument 'dims' names dimension ", dims[i], " twice");
                mask |= bit;
            }
        }
        return ops::reduce(t, kind, mask, api::flag(keep_dims, "keep_dims") != 0);
    });
}

mpt_reduction checked(mpt_reduction reduction) {
    if (reduction != MPT_REDUCTION_MEAN && reduction != MPT_REDUCTION_SUM && reduction != MPT_REDUCTION_NONE)
        fail(MPT_ERROR_ARGUMENT, "argument 'reduction' is ", static_cast<int>(reduction), ", which is none of mpt_reduction");
    return reduction;
}

}  // namespace

mpt_status MPT_CALL mpt_add(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_add", a, b, out, MPT_BINARY_ADD); }
mpt_status MPT_CALL mpt_sub(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_sub", a, b, out, MPT_BINARY_SUB); }
mpt_status MPT_CALL mpt_mul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_mul", a, b, out, MPT_BINARY_MUL); }
mpt_status MPT_CALL mpt_div(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_div", a, b, out, MPT_BINARY_DIV); }

mpt_status MPT_CALL mpt_affine(mpt_tensor *x, double scale, double shift, mpt_tensor **out) {
    return unary("mpt_affine", x, out, [&](const Ref<Tensor> &t) { return ops::unary(t, MPT_UNARY_AFFINE, scale, shift); });
}
mpt_status MPT_CALL mpt_neg(mpt_tensor *x, mpt_tensor **out) {
    return unary("mpt_neg", x, out, [](const Ref<Tensor> &t) { return ops::unary(t, MPT_UNARY_NEG); });
}
mpt_status MPT_CALL mpt_exp(mpt_tensor *x, mpt_tensor **out) {
    return unary("mpt_exp", x, out, [](const Ref<Tensor> &t) { return ops::unary(t, MPT_UNARY_EXP); });
}
mpt_status MPT_CALL mpt_log(mpt_tensor *x, mpt_tensor **out) {
    return unary("mpt_log", x, out, [](const Ref<Tensor> &t) { return ops::unary(t, MPT_UNARY_LOG); });
}
mpt_status MPT_CALL mpt_sqrt(mpt_tensor *x, mpt_tensor **out) {
    return unary("mpt_sqrt", x, out, [](const Ref<Tensor> &t) { return ops::unary(t, MPT_UNARY_SQRT); });
}
mpt_status MPT_CALL mpt_relu(mpt_tensor *x, mpt_tensor **out) {
    return unary("mpt_relu", x, out, [](const Ref<Tensor> &t) { return ops::unary(t, MPT_UNARY_RELU); });
}

mpt_status MPT_CALL mpt_sum(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_sum", x, ndims, dims, keep_dims, out, MPT_REDUCE_SUM);
}
mpt_status MPT_CALL mpt_mean(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_mean", x, ndims, dims, keep_dims, out, MPT_REDUCE_MEAN);
}
mpt_status MPT_CALL mpt_max(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_max", x, ndims, dims, keep_dims, out, MPT_REDUCE_MAX);
}

mpt_status MPT_CALL mpt_reshape(mpt_tensor *x, int32_t ndim, const int64_t *shape, mpt_tensor **out) {
    return unary("mpt_reshape", x, out, [&](const Ref<Tensor> &t) {
        Dims to = api::dims(ndim, shape, "ndim", "shape");
        const Dims asked = to;
        int open = -1;
        for (int i = 0; i < to.n; ++i) {
            if (to[i] < -1) fail(MPT_ERROR_SHAPE, "argument 'shape' is ", asked, ": an extent is negative and not -1");
            if (to[i] != -1) continue;
            if (open >= 0) fail(MPT_ERROR_SHAPE, "argument 'shape' is ", asked, ": only one extent may be -1");
            open = i;
            to[i] = 1;
        }
        checked_bytes(to, t->dtype, "argument 'shape'");
        const std::int64_t rest = numel(to), count = t->numel();
        if (open >= 0 && rest != 0) to[open] = count / rest;
        if (open >= 0 && rest == 0) fail(MPT_ERROR_SHAPE, "argument 'shape' is ", asked, ": -1 beside an extent of 0 can be anything");
        if (numel(to) != count) fail(MPT_ERROR_SHAPE, "argument 'shape' is ", asked, ": 'x' of shape ", t->shape, " has ", count, " elements");
        return ops::reshape(t, to);
    });
}

mpt_status MPT_CALL mpt_transpose(mpt_tensor *x, int32_t ndim, const int32_t *dims, mpt_tensor **out) {
    return unary("mpt_transpose", x, out, [&](const Ref<Tensor> &t) {
        if (!dims) {
            if (t->shape.n < 2) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", t->shape, ": without 'dims' it needs 2 dimensions");
            return ops::transpose_last(t);
        }
        if (ndim != t->shape.n) fail(MPT_ERROR_ARGUMENT, "argument 'ndim' is ", ndim, ": 'x' has ", t->shape.n, " dimensions");
        Dims order;
        unsigned seen = 0;
        for (int32_t i = 0; i < ndim; ++i) {
            const int dim = dimension(*t, dims[i], "dims");
            if (seen >> dim & 1) fail(MPT_ERROR_ARGUMENT, "argument 'dims' names dimension ", dims[i], " twice");
            seen |= 1u << dim;
            order.push(dim);
        }
        return ops::transpose(t, order);
    });
}

mpt_status MPT_CALL mpt_slice(mpt_tensor *x, int32_t dim, int64_t start, int64_t length, mpt_tensor **out) {
    return unary("mpt_slice", x, out, [&](const Ref<Tensor> &t) {
        const int d = dimension(*t, dim, "dim");
        if (start < 0 || length < 0 || start > t->shape[d] || length > t->shape[d] - start)
            fail(MPT_ERROR_SHAPE, "arguments 'start' and 'length' are ", start, " and ", length, ": dimension ", d, " of 'x' has ", t->shape[d], " elements");
        return ops::slice(t, d, start, length);
    });
}

mpt_status MPT_CALL mpt_cast(mpt_tensor *x, mpt_dtype dtype, mpt_tensor **out) {
    return unary("mpt_cast", x, out, [&](const Ref<Tensor> &t) {
        if (!is_known(dtype)) fail(MPT_ERROR_DTYPE, "argument 'dtype' is ", static_cast<int>(dtype), ", which is none of mpt_dtype");
        return ops::cast(t, dtype);
    });
}

mpt_status MPT_CALL mpt_matmul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) {
    return api::call("mpt_matmul", a, "a", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> left = api::tensor(c, a, "a"), right = api::tensor(c, b, "b");
        *out = ops::matmul(left, right).detach();
    });
}

mpt_status MPT_CALL mpt_linear(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out) {
    return api::call("mpt_linear", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> in = api::tensor(c, x, "x"), w = api::tensor(c, weight, "weight");
        *out = ops::linear(in, w, bias ? api::tensor(c, bias, "bias") : nullptr).detach();
    });
}

mpt_status MPT_CALL mpt_conv2d_params_init(mpt_conv2d_params *params, size_t nbytes) {
    return api::catching("mpt_conv2d_params_init", nullptr, [&] { api::init_desc(params, nbytes, api::default_conv2d(), "params"); });
}

mpt_status MPT_CALL mpt_conv2d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv2d_params *params, mpt_tensor **out) {
    return api::call("mpt_conv2d", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> in = api::tensor(c, x, "x"), w = api::tensor(c, weight, "weight");
        const mpt_attrs_conv2d attrs = api::conv2d_attrs(params);
        *out = ops::conv2d(in, w, bias ? api::tensor(c, bias, "bias") : nullptr, attrs).detach();
    });
}

mpt_status MPT_CALL mpt_pool2d_params_init(mpt_pool2d_params *params, size_t nbytes) {
    return api::catching("mpt_pool2d_params_init", nullptr, [&] { api::init_desc(params, nbytes, api::default_pool2d(), "params"); });
}

mpt_status MPT_CALL mpt_max_pool2d(mpt_tensor *x, const mpt_pool2d_params *params, mpt_tensor **out) {
    return unary("mpt_max_pool2d", x, out, [&](const Ref<Tensor> &t) { return ops::max_pool2d(t, api::pool2d_attrs(params)); });
}

mpt_status MPT_CALL mpt_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out) {
    return unary("mpt_softmax", x, out, [&](const Ref<Tensor> &t) { return ops::softmax(t, dimension(*t, dim, "dim"), false); });
}
mpt_status MPT_CALL mpt_log_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out) {
    return unary("mpt_log_softmax", x, out, [&](const Ref<Tensor> &t) { return ops::softmax(t, dimension(*t, dim, "dim"), true); });
}

mpt_status MPT_CALL mpt_cross_entropy(mpt_tensor *logits, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out) {
    return api::call("mpt_cross_entropy", logits, "logits", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, logits, "logits"), y = api::tensor(c, target, "target");
        *out = ops::cross_entropy(x, y, checked(reduction)).detach();
    });
}

mpt_status MPT_CALL mpt_mse(mpt_tensor *prediction, mpt_tensor *target, mpt_reduction reduction, mpt_tensor **out) {
    return api::call("mpt_mse", prediction, "prediction", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, prediction, "prediction"), y = api::tensor(c, target, "target");
        *out = ops::mse(x, y, checked(reduction)).detach();
    });
}
