// A strided view of a storage, with its place in the gradient's graph.
#pragma once

#include <cstdint>

#include "core/context.h"
#include "core/dtype.h"
#include "core/object.h"
#include "core/shape.h"
#include "core/storage.h"

struct mpt_tensor final : mpt::Object {
    mpt::Ref<mpt_context> ctx;
    mpt::Ref<mpt::Storage> storage;
    mpt_dtype dtype;
    mpt::Dims shape;
    mpt::Dims strides;
    std::int64_t offset;  // of the first element, in elements

    // The gradient's graph: where the gradient of this tensor goes. At most one of the three is set.
    bool requires_grad = false;     // here: a leaf
    mpt::Ref<mpt::Object> node;     // to output node_output of an op; the engine's Node
    int node_output = 0;
    mpt::Ref<mpt_tensor> leaf;      // to this leaf, of which this tensor is a conversion
    bool parameter = false;         // keeps low-precision copies of its own under autocast
    mpt::Ref<mpt_tensor> grad;      // a leaf's gradient
    // An fp8 tensor's values are its elements times inverse_scale (f32 scalar; null: 1); scaling is what its products' scales
    // come from (precision/fp8.h).
    mpt::Ref<mpt_tensor> inverse_scale;
    mpt::Ref<mpt::Object> scaling;

    mpt_tensor(mpt_context &context, mpt::Ref<mpt::Storage> memory, mpt_dtype type, const mpt::Dims &extents, const mpt::Dims &steps,
               std::int64_t first)
        : ctx(&context), storage(std::move(memory)), dtype(type), shape(extents), strides(steps), offset(first) {}

    std::int64_t numel() const { return mpt::numel(shape); }
    std::size_t nbytes() const { return static_cast<std::size_t>(numel()) * mpt::dtype_size(dtype); }
    void *data() const { return static_cast<char *>(storage->data()) + offset * static_cast<std::int64_t>(mpt::dtype_size(dtype)); }
    bool contiguous() const { return mpt::is_contiguous(shape, strides); }
    bool tracked() const { return requires_grad || node || leaf; }  // has a gradient to receive or to pass on

protected:
    void dispose() override;
};

namespace mpt {

using Tensor = ::mpt_tensor;

// The bytes that a shape needs; MPT_ERROR_SHAPE for negative extents or an overflow. subject: whose shape it is, for the message.
std::size_t checked_bytes(const Dims &shape, mpt_dtype dtype, const char *subject = "the result's shape");
// From the first element to one past the last, whose strides may leave gaps.
std::size_t bytes_from_first(mpt_dtype dtype, const Dims &shape, const Dims &strides);
// A tensor with memory of its own, also while a capture is open. Undefined contents.
Ref<Tensor> new_tensor(Context &ctx, mpt_dtype dtype, const Dims &shape, const Dims &strides);
Ref<Tensor> new_tensor(Context &ctx, mpt_dtype dtype, const Dims &shape);
// The same elements without the graph.
Ref<Tensor> detached(const Tensor &tensor);
Ref<Tensor> view_of(const Tensor &tensor, const Dims &shape, const Dims &strides, std::int64_t offset);

}  // namespace mpt
