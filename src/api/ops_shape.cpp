#include <vector>

#include "api/convert.h"
#include "api/guard.h"
#include "ops/ops.h"
#include "ops/shape.h"

using namespace mpt;

namespace {

template <class F>
mpt_status unary(const char *function, mpt_tensor *x, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        *out = op(api::tensor(c, x, "x")).detach();
    });
}

// op(tensors). The first tensor decides the context, so the list is looked at before there is one.
template <class F>
mpt_status join(const char *function, mpt_tensor *const *tensors, int32_t n, mpt_tensor **out, F &&op) {
    const mpt_status status = api::catching(function, nullptr, [&] {
        if (n < 1) fail(MPT_ERROR_ARGUMENT, "argument 'n' is ", n, ": give at least one tensor");
        api::need(tensors, "tensors");
    });
    if (status != MPT_OK) return status;
    return api::call(function, tensors[0], "tensors[0]", [&](Context &c) {
        api::need(out, "out");
        *out = op(api::tensors(c, tensors, n, "tensors", "n")).detach();
    });
}

// A place between dimensions: 0 to ndim, negative ones from the end.
int between(const Tensor &x, int32_t dim, const char *of) {
    const std::int64_t n = x.shape.n, at = dim < 0 ? dim + n + 1 : dim;
    if (at < 0 || at > n)
        fail(MPT_ERROR_ARGUMENT, "argument 'dim' is ", dim, ": '", of, "' of shape ", x.shape,
             " has room for a new dimension from ", -n - 1, " to ", n);
    return static_cast<int>(at);
}

}  // namespace

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
        if (open >= 0 && rest == 0)
            fail(MPT_ERROR_SHAPE, "argument 'shape' is ", asked, ": -1 beside an extent of 0 can be anything");
        if (numel(to) != count)
            fail(MPT_ERROR_SHAPE, "argument 'shape' is ", asked, ": 'x' of shape ", t->shape, " has ", count, " elements");
        return ops::reshape(t, to);
    });
}

mpt_status MPT_CALL mpt_transpose(mpt_tensor *x, int32_t ndim, const int32_t *dims, mpt_tensor **out) {
    return unary("mpt_transpose", x, out, [&](const Ref<Tensor> &t) {
        if (!dims) {
            if (t->shape.n < 2)
                fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", t->shape, ": without 'dims' it needs 2 dimensions");
            return ops::transpose_last(t);
        }
        if (ndim != t->shape.n) fail(MPT_ERROR_ARGUMENT, "argument 'ndim' is ", ndim, ": 'x' has ", t->shape.n, " dimensions");
        Dims order;
        unsigned seen = 0;
        for (int32_t i = 0; i < ndim; ++i) {
            const int dim = api::dimension(*t, dims[i], "dims");
            if (seen >> dim & 1) fail(MPT_ERROR_ARGUMENT, "argument 'dims' names dimension ", dims[i], " twice");
            seen |= 1u << dim;
            order.push(dim);
        }
        return ops::transpose(t, order);
    });
}

mpt_status MPT_CALL mpt_slice(mpt_tensor *x, int32_t dim, int64_t start, int64_t length, mpt_tensor **out) {
    return unary("mpt_slice", x, out, [&](const Ref<Tensor> &t) {
        const int d = api::dimension(*t, dim, "dim");
        if (start < 0 || length < 0 || start > t->shape[d] || length > t->shape[d] - start)
            fail(MPT_ERROR_SHAPE, "arguments 'start' and 'length' are ", start, " and ", length, ": dimension ", d, " of 'x' has ",
                 t->shape[d], " elements");
        return ops::slice(t, d, start, length);
    });
}

mpt_status MPT_CALL mpt_cast(mpt_tensor *x, mpt_dtype dtype, mpt_tensor **out) {
    return unary("mpt_cast", x, out, [&](const Ref<Tensor> &t) {
        if (!is_known(dtype))
            fail(MPT_ERROR_DTYPE, "argument 'dtype' is ", static_cast<int>(dtype), ", which is none of mpt_dtype");
        return ops::cast(t, dtype);
    });
}

mpt_status MPT_CALL mpt_expand(mpt_tensor *x, int32_t ndim, const int64_t *shape, mpt_tensor **out) {
    return unary("mpt_expand", x, out, [&](const Ref<Tensor> &t) {
        const Dims to = api::dims(ndim, shape, "ndim", "shape");
        checked_bytes(to, t->dtype, "argument 'shape'");
        Dims both;
        if (!broadcast(t->shape, to, both) || !(both == to))
            fail(MPT_ERROR_SHAPE, "argument 'shape' is ", to, ": 'x' of shape ", t->shape, " does not broadcast to it");
        return ops::expand(t, to);
    });
}

mpt_status MPT_CALL mpt_squeeze(mpt_tensor *x, int32_t dim, mpt_tensor **out) {
    return unary("mpt_squeeze", x, out, [&](const Ref<Tensor> &t) {
        const int d = api::dimension(*t, dim, "dim");
        if (t->shape[d] != 1)
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", t->shape, ": the extent of dimension ", d, " must be 1");
        return ops::squeeze(t, d);
    });
}

mpt_status MPT_CALL mpt_unsqueeze(mpt_tensor *x, int32_t dim, mpt_tensor **out) {
    return unary("mpt_unsqueeze", x, out, [&](const Ref<Tensor> &t) { return ops::unsqueeze(t, between(*t, dim, "x")); });
}

mpt_status MPT_CALL mpt_contiguous(mpt_tensor *x, mpt_tensor **out) {
    return unary("mpt_contiguous", x, out, [](const Ref<Tensor> &t) { return ops::contiguous(t); });
}

mpt_status MPT_CALL mpt_concat(mpt_tensor *const *tensors, int32_t n, int32_t dim, mpt_tensor **out) {
    return join("mpt_concat", tensors, n, out, [&](const std::vector<Ref<Tensor>> &list) {
        if (list[0]->shape.n == 0) fail(MPT_ERROR_SHAPE, "argument 'tensors': number 0 has no dimensions: use mpt_stack");
        return ops::concat(list, api::dimension(*list[0], dim, "dim", "tensors[0]"));
    });
}

mpt_status MPT_CALL mpt_stack(mpt_tensor *const *tensors, int32_t n, int32_t dim, mpt_tensor **out) {
    return join("mpt_stack", tensors, n, out,
                [&](const std::vector<Ref<Tensor>> &list) { return ops::stack(list, between(*list[0], dim, "tensors[0]")); });
}

mpt_status MPT_CALL mpt_split(mpt_tensor *x, int32_t dim, const int64_t *lengths, int32_t n, mpt_tensor **outputs) {
    return api::call("mpt_split", x, "x", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, x, "x");
        const int d = api::dimension(*t, dim, "dim");
        if (n < 1) fail(MPT_ERROR_ARGUMENT, "argument 'n' is ", n, ": give at least one length");
        api::need(lengths, "lengths");
        api::need(outputs, "outputs");
        std::int64_t left = t->shape[d];
        for (int32_t i = 0; i < n; ++i) {
            if (lengths[i] < 0 || lengths[i] > left)
                fail(MPT_ERROR_SHAPE, "argument 'lengths[", i, "]' is ", lengths[i], ": dimension ", d, " of 'x' has ", left,
                     " elements left there");
            left -= lengths[i];
        }
        if (left != 0)
            fail(MPT_ERROR_SHAPE, "argument 'lengths' leaves ", left, " elements of dimension ", d, " of 'x': they must add up to ",
                 t->shape[d]);
        std::vector<Ref<Tensor>> parts = ops::split(t, d, {lengths, lengths + n});
        for (int32_t i = 0; i < n; ++i) outputs[i] = parts[static_cast<std::size_t>(i)].detach();
    });
}

mpt_status MPT_CALL mpt_pad(mpt_tensor *x, int32_t ndim, const int64_t *before, const int64_t *after, double value,
                            mpt_tensor **out) {
    return unary("mpt_pad", x, out, [&](const Ref<Tensor> &t) {
        const Dims front = api::dims(ndim, before, "ndim", "before"), back = api::dims(ndim, after, "ndim", "after");
        if (ndim != t->shape.n) fail(MPT_ERROR_ARGUMENT, "argument 'ndim' is ", ndim, ": 'x' has ", t->shape.n, " dimensions");
        return ops::pad(t, front, back, value);
    });
}

mpt_status MPT_CALL mpt_flip(mpt_tensor *x, int32_t ndims, const int32_t *dims, mpt_tensor **out) {
    return unary("mpt_flip", x, out, [&](const Ref<Tensor> &t) {
        if (ndims != 0) api::need(dims, "dims");
        return ops::flip(t, api::dimensions(*t, ndims, dims));
    });
}

mpt_status MPT_CALL mpt_tile(mpt_tensor *x, int32_t ndim, const int64_t *repeats, mpt_tensor **out) {
    return unary("mpt_tile", x, out, [&](const Ref<Tensor> &t) {
        const Dims times = api::dims(ndim, repeats, "ndim", "repeats");
        if (ndim < t->shape.n)
            fail(MPT_ERROR_ARGUMENT, "argument 'ndim' is ", ndim, ": 'x' has ", t->shape.n, " dimensions; repeat the others once");
        for (int i = 0; i < ndim; ++i)
            if (times[i] < 0)
                fail(MPT_ERROR_ARGUMENT, "argument 'repeats' is ", times, ": a number of repeats must not be negative");
        return ops::tile(t, times);
    });
}

mpt_status MPT_CALL mpt_tril(mpt_tensor *x, int64_t diagonal, mpt_tensor **out) {
    return unary("mpt_tril", x, out, [&](const Ref<Tensor> &t) { return ops::triangle(t, diagonal, false); });
}
mpt_status MPT_CALL mpt_triu(mpt_tensor *x, int64_t diagonal, mpt_tensor **out) {
    return unary("mpt_triu", x, out, [&](const Ref<Tensor> &t) { return ops::triangle(t, diagonal, true); });
}
