#include "core/tensor.h"

#include "core/error.h"

void mpt_tensor::dispose() { ctx->dispose(this); }

namespace mpt {

std::size_t checked_bytes(const Dims &shape, mpt_dtype dtype, const char *subject) {
    // Half of the address space, so that no sum of an offset and a size overflows.
    const std::int64_t most = INT64_MAX / 2 / static_cast<std::int64_t>(dtype_size(dtype));
    std::int64_t count = 1;
    bool empty = false;
    for (int i = 0; i < shape.n; ++i) {
        if (shape[i] < 0) fail(MPT_ERROR_SHAPE, subject, " is ", shape, ": an extent is negative");
        if (shape[i] == 0) empty = true;
    }
    // The extents around a zero count as well: strides and partial products are made of them.
    for (int i = 0; i < shape.n; ++i) {
        if (shape[i] == 0) continue;
        if (shape[i] > most / count) fail(MPT_ERROR_SHAPE, subject, " is ", shape, ": in ", dtype_name(dtype), " it needs more bytes than an address can count");
        count *= shape[i];
    }
    return empty ? 0 : static_cast<std::size_t>(count) * dtype_size(dtype);
}

std::size_t bytes_from_first(mpt_dtype dtype, const Dims &shape, const Dims &strides) {
    checked_bytes(shape, dtype);
    return checked_bytes({span(shape, strides)}, dtype);
}

Ref<Tensor> new_tensor(Context &ctx, mpt_dtype dtype, const Dims &shape, const Dims &strides) {
    return make<Tensor>(ctx, make<Storage>(ctx, bytes_from_first(dtype, shape, strides)), dtype, shape, strides, 0);
}

Ref<Tensor> new_tensor(Context &ctx, mpt_dtype dtype, const Dims &shape) { return new_tensor(ctx, dtype, shape, contiguous(shape)); }

Ref<Tensor> detached(const Tensor &tensor) { return view_of(tensor, tensor.shape, tensor.strides, tensor.offset); }

Ref<Tensor> view_of(const Tensor &tensor, const Dims &shape, const Dims &strides, std::int64_t offset) {
    Ref<Tensor> view = make<Tensor>(*tensor.ctx, tensor.storage, tensor.dtype, shape, strides, offset);
    view->inverse_scale = tensor.inverse_scale;
    view->scaling = tensor.scaling;
    return view;
}

}  // namespace mpt
