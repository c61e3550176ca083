#include <cmath>
#include <limits>

#include "api/guard.h"
#include "api/wrap.h"
#include "device/attrs/data.h"
#include "engine/backward.h"
#include "nn/init.h"
#include "ops/ops.h"
#include "ops/shape.h"
#include "ops/transfer.h"
#include "program/recording.h"

using namespace mpt;

namespace {

mpt_dtype known(mpt_dtype dtype) {
    if (!is_known(dtype)) fail(MPT_ERROR_DTYPE, "argument 'dtype' is ", static_cast<int>(dtype), ", which is none of mpt_dtype");
    return dtype;
}

void copy_dims(const Dims &from, int64_t *out, int32_t capacity) {
    if (capacity < from.n) fail(MPT_ERROR_ARGUMENT, "argument 'capacity' is ", capacity, ": the tensor has ", from.n, " dimensions");
    if (from.n > 0) api::need(out, "out");
    for (int i = 0; i < from.n; ++i) out[i] = from[i];
}

void need_nbytes(const Tensor &t, std::size_t nbytes) {
    if (nbytes != t.nbytes())
        fail(MPT_ERROR_SHAPE, "argument 'nbytes' is ", nbytes, ": shape ", t.shape, " of ", dtype_name(t.dtype), " has ", t.nbytes(), " bytes");
}

// In-place changes of what takes part in gradients are refused.
void need_untracked(const Context &ctx, const Tensor &t) {
    if (ctx.scope.grad && t.tracked())
        fail(MPT_ERROR_STATE, "argument 'tensor' takes part in gradients: change it between mpt_no_grad_begin and mpt_no_grad_end");
}

void need_floating(const Tensor &t) {
    if (!is_floating(t.dtype)) fail(MPT_ERROR_DTYPE, "argument 'tensor' is ", dtype_name(t.dtype), ", which is not a floating type");
}

void need_leaf(const Tensor &t) {
    if (t.node || t.leaf) fail(MPT_ERROR_STATE, "argument 'tensor' is the result of an op: only leaves have a gradient of their own, use mpt_tensor_detach first");
}

const char *const kReadAfter = "name the tensor as an output of mpt_capture_end and read it after mpt_program_run";

}  // namespace

std::size_t api::reach(mpt_dtype dtype, const Dims &extents, const Dims &steps) {
    std::size_t last = 0;  // element, checked for overflow
    for (int i = 0; i < steps.n; ++i) {
        if (steps[i] < 0) fail(MPT_ERROR_ARGUMENT, "argument 'strides' is ", steps, ": strides must not be negative");
        std::size_t far = 0;
        if (extents[i] > 0 && (__builtin_mul_overflow(static_cast<std::size_t>(extents[i] - 1), static_cast<std::size_t>(steps[i]), &far) ||
                               __builtin_add_overflow(last, far, &last) || last > std::numeric_limits<std::size_t>::max() / 32))
            fail(MPT_ERROR_ARGUMENT, "argument 'strides' is ", steps, ": the last element's address overflows");
    }
    return numel(extents) == 0 ? 0 : (last + 1) * dtype_size(dtype);
}

Ref<Tensor> api::wrapped(Context &ctx, mpt_dtype dtype, const Dims &extents, const Dims &steps, void *data, std::size_t nbytes, mpt_release_fn release,
                         void *user_data) {
    if (reinterpret_cast<std::uintptr_t>(data) % dtype_size(dtype) != 0)
        fail(MPT_ERROR_ARGUMENT, "argument 'data' is ", data, ", which is not aligned to the ", dtype_size(dtype), " bytes of ", dtype_name(dtype));
    Ref<Storage> storage = make<Storage>(ctx, data, nbytes / dtype_size(dtype) * dtype_size(dtype));
    Ref<Tensor> t = make<Tensor>(ctx, storage, dtype, extents, steps, 0);
    storage->set_release(release, user_data);
    return t;
}

mpt_status MPT_CALL mpt_tensor_create(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, mpt_tensor **out) {
    return api::call("mpt_tensor_create", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const Dims extents = api::dims(ndim, shape, "ndim", "shape");
        checked_bytes(extents, known(dtype), "argument 'shape'");
        *out = new_tensor(c, dtype, extents).detach();
    });
}

mpt_status MPT_CALL mpt_tensor_wrap(mpt_context *ctx, mpt_dtype dtype, int32_t ndim, const int64_t *shape, const int64_t *strides, void *data,
                                    size_t nbytes, mpt_release_fn release, void *user_data, mpt_tensor **out) {
    return api::call("mpt_tensor_wrap", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        known(dtype);
        const Dims extents = api::dims(ndim, shape, "ndim", "shape");
        checked_bytes(extents, dtype, "argument 'shape'");
        const Dims steps = strides ? api::dims(ndim, strides, "ndim", "strides") : contiguous(extents);
        const std::size_t needed = api::reach(dtype, extents, steps);
        if (needed > nbytes)
            fail(MPT_ERROR_ARGUMENT, "argument 'nbytes' is ", nbytes, ": shape ", extents, " with strides ", steps, " reaches over ", needed, " bytes");
        if (nbytes > 0) api::need(data, "data");
        *out = api::wrapped(c, dtype, extents, steps, data, nbytes, release, user_data).detach();
    });
}

void MPT_CALL mpt_tensor_retain(mpt_tensor *tensor) {
    if (tensor) tensor->retain();
}
void MPT_CALL mpt_tensor_release(mpt_tensor *tensor) {
    if (tensor) tensor->release();
}

mpt_status MPT_CALL mpt_tensor_dtype(const mpt_tensor *tensor, mpt_dtype *out) {
    return api::call("mpt_tensor_dtype", tensor, "tensor", [&](Context &) { api::need(out, "out") = tensor->dtype; });
}
mpt_status MPT_CALL mpt_tensor_ndim(const mpt_tensor *tensor, int32_t *out) {
    return api::call("mpt_tensor_ndim", tensor, "tensor", [&](Context &) { api::need(out, "out") = tensor->shape.n; });
}
mpt_status MPT_CALL mpt_tensor_shape(const mpt_tensor *tensor, int64_t *out, int32_t capacity) {
    return api::call("mpt_tensor_shape", tensor, "tensor", [&](Context &) { copy_dims(tensor->shape, out, capacity); });
}
mpt_status MPT_CALL mpt_tensor_strides(const mpt_tensor *tensor, int64_t *out, int32_t capacity) {
    return api::call("mpt_tensor_strides", tensor, "tensor", [&](Context &) { copy_dims(tensor->strides, out, capacity); });
}
mpt_status MPT_CALL mpt_tensor_numel(const mpt_tensor *tensor, int64_t *out) {
    return api::call("mpt_tensor_numel", tensor, "tensor", [&](Context &) { api::need(out, "out") = tensor->numel(); });
}

mpt_status MPT_CALL mpt_tensor_data(const mpt_tensor *tensor, void **out) {
    return api::call("mpt_tensor_data", tensor, "tensor", [&](Context &) {
        api::need(out, "out");
        const StorageState state = tensor->storage->state();
        if (state != StorageState::Pending) tensor->storage->require_ready("tensor");  // an output's address is fixed before its first run
        *out = tensor->data();
    });
}

mpt_status MPT_CALL mpt_tensor_write(mpt_tensor *tensor, const void *data, size_t nbytes) {
    return api::call("mpt_tensor_write", tensor, "tensor", [&](Context &c) {
        api::need_outside_capture(c, "write before mpt_capture_begin, or use mpt_program_feed before each run");
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_nbytes(*t, nbytes);
        if (nbytes > 0) api::need(data, "data");
        need_untracked(c, *t);
        write(t, data);
    });
}

mpt_status MPT_CALL mpt_tensor_read(const mpt_tensor *tensor, void *data, size_t nbytes) {
    return api::call("mpt_tensor_read", tensor, "tensor", [&](Context &c) {
        api::need_outside_capture(c, kReadAfter);
        const Ref<Tensor> t = api::tensor(c, const_cast<mpt_tensor *>(tensor), "tensor");
        need_nbytes(*t, nbytes);
        if (nbytes > 0) api::need(data, "data");
        read(t, data);
    });
}

mpt_status MPT_CALL mpt_tensor_item(const mpt_tensor *tensor, double *out) {
    return api::call("mpt_tensor_item", tensor, "tensor", [&](Context &c) {
        api::need(out, "out");
        api::need_outside_capture(c, kReadAfter);
        const Ref<Tensor> t = api::tensor(c, const_cast<mpt_tensor *>(tensor), "tensor");
        if (t->numel() != 1) fail(MPT_ERROR_SHAPE, "argument 'tensor' has shape ", t->shape, ": it must have one element");
        ScopeGuard guard(c);
        c.scope.grad = false;
        c.scope.policy = nullptr;
        double value = 0;
        read(ops::cast(t, MPT_F64), &value);
        *out = value;
    });
}

mpt_status MPT_CALL mpt_tensor_fill(mpt_tensor *tensor, double value) {
    return api::call("mpt_tensor_fill", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_untracked(c, *t);
        ops::fill(t, value);
    });
}

mpt_status MPT_CALL mpt_tensor_random_uniform(mpt_tensor *tensor, double low, double high) {
    return api::call("mpt_tensor_random_uniform", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_floating(*t);
        need_untracked(c, *t);
        if (!std::isfinite(low) || !std::isfinite(high))
            fail(MPT_ERROR_ARGUMENT, "arguments 'low' and 'high' are ", low, " and ", high, ": both must be finite");
        if (low > high) fail(MPT_ERROR_ARGUMENT, "arguments 'low' and 'high' are ", low, " and ", high, ": low must not be above high");
        ops::random(t, MPT_RANDOM_UNIFORM, low, high);
    });
}

mpt_status MPT_CALL mpt_tensor_random_normal(mpt_tensor *tensor, double mean, double std) {
    return api::call("mpt_tensor_random_normal", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_floating(*t);
        need_untracked(c, *t);
        if (!std::isfinite(mean)) fail(MPT_ERROR_ARGUMENT, "argument 'mean' is ", mean, ": it must be finite");
        if (!(std >= 0) || !std::isfinite(std)) fail(MPT_ERROR_ARGUMENT, "argument 'std' is ", std, ": it must be finite and not negative");
        ops::random(t, MPT_RANDOM_NORMAL, mean, std);
    });
}

mpt_status MPT_CALL mpt_tensor_init(mpt_tensor *tensor, mpt_init init) {
    return api::call("mpt_tensor_init", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_floating(*t);
        if (t->shape.n < 2) fail(MPT_ERROR_SHAPE, "argument 'tensor' has shape ", t->shape, ": a weight is [out, in, ...]");
        initialize(t, init);
    });
}

mpt_status MPT_CALL mpt_tensor_fill_range(mpt_tensor *tensor, double start, double step) {
    return api::call("mpt_tensor_fill_range", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        if (t->dtype == MPT_BOOL || is_f8(t->dtype))
            fail(MPT_ERROR_DTYPE, "argument 'tensor' is ", dtype_name(t->dtype), ", which is neither a floating nor an integer type");
        need_untracked(c, *t);
        ops::fill_range(t, start, step);
    });
}

mpt_status MPT_CALL mpt_tensor_copy(mpt_tensor *tensor, const mpt_tensor *src) {
    return api::call("mpt_tensor_copy", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> to = api::tensor(c, tensor, "tensor"), from = api::tensor(c, const_cast<mpt_tensor *>(src), "src");
        need_untracked(c, *to);
        // Overlapping views would be read after they were written.
        const bool shared = to->storage == from->storage;
        ops::copy_into(to, shared ? ops::clone(from) : from);
    });
}

mpt_status MPT_CALL mpt_tensor_mark_modified(mpt_tensor *tensor) {
    return api::call("mpt_tensor_mark_modified", tensor, "tensor", [&](Context &c) {
        api::need_outside_capture(c, "mark it before mpt_capture_begin or between runs");
        ++api::tensor(c, tensor, "tensor")->storage->version;
    });
}

mpt_status MPT_CALL mpt_tensor_detach(mpt_tensor *tensor, mpt_tensor **out) {
    return api::call("mpt_tensor_detach", tensor, "tensor", [&](Context &c) {
        api::need(out, "out");
        *out = detached(*api::tensor(c, tensor, "tensor")).detach();
    });
}

mpt_status MPT_CALL mpt_tensor_set_requires_grad(mpt_tensor *tensor, int32_t requires_grad) {
    return api::call("mpt_tensor_set_requires_grad", tensor, "tensor", [&](Context &c) {
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_floating(*t);
        need_leaf(*t);
        const bool on = api::flag(requires_grad, "requires_grad") != 0;
        if (c.recording) c.recording->on_abort([t, before = t->requires_grad, parameter = t->parameter] { t->requires_grad = before, t->parameter = parameter; });
        t->requires_grad = on;
        if (on) t->parameter = true;
    });
}

mpt_status MPT_CALL mpt_tensor_requires_grad(const mpt_tensor *tensor, int32_t *out) {
    return api::call("mpt_tensor_requires_grad", tensor, "tensor", [&](Context &) { api::need(out, "out") = tensor->tracked() ? 1 : 0; });
}

mpt_status MPT_CALL mpt_tensor_grad(mpt_tensor *tensor, mpt_tensor **out) {
    return api::call("mpt_tensor_grad", tensor, "tensor", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, tensor, "tensor");
        need_leaf(*t);
        if (!t->requires_grad) fail(MPT_ERROR_STATE, "argument 'tensor' asks for no gradient: call mpt_tensor_set_requires_grad first");
        *out = Ref<Tensor>(gradient_of(t)).detach();
    });
}
