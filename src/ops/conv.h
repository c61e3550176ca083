// Convolutions beside ops::conv2d of ops.h.
#pragma once

#include "core/error.h"
#include "device/attrs/conv.h"
#include "ops/emit.h"

namespace mpt {

// What dimension i of a filter covers of an image.
inline std::int64_t covered(const Dims &filter, int i, std::int64_t dilation) {
    std::int64_t extent;
    if (__builtin_mul_overflow(filter[i] - 1, dilation, &extent) || __builtin_add_overflow(extent, 1, &extent))
        fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", filter, ": with dilation ", dilation, " it is too large");
    return extent;
}

}  // namespace mpt

namespace mpt::ops {

// A transposed convolution also chooses among the sizes whose convolution would have x's: rows and columns added to the smallest.
struct ConvTranspose {
    mpt_attrs_conv2d conv;
    std::int64_t output_padding[2];
};
Ref<Tensor> conv_transpose2d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const ConvTranspose &how);

// Signals [N, C, L] are images of height 1: the attributes' second elements count, the first are 1, 0, 1 and 0.
Ref<Tensor> conv1d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const mpt_attrs_conv2d &attrs);
Ref<Tensor> conv_transpose1d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const ConvTranspose &how);

}  // namespace mpt::ops
