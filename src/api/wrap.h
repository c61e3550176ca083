// Tensors of memory that somebody else owns: what mpt_tensor_wrap and DLPack have in common.
#pragma once

#include <cstddef>

#include "core/tensor.h"

namespace mpt::api {

// The bytes from the first element to the last one's end. MPT_ERROR_ARGUMENT for negative strides and for overflows.
std::size_t reach(mpt_dtype dtype, const Dims &extents, const Dims &steps);
// release is armed last: on failure the memory stays the caller's.
Ref<Tensor> wrapped(Context &ctx, mpt_dtype dtype, const Dims &extents, const Dims &steps, void *data, std::size_t nbytes, mpt_release_fn release,
                    void *user_data);

}  // namespace mpt::api
