// What blocks leave of a filter's gradient, each for its pixels, and their sum.
#pragma once

#include "conv.cuh"

namespace mpt::cuda {

// [part][group][column][patch] in f32. Of the columns and of the patch's channels those up to `columns` and `depth` of each group
// count; the rest is padding.
struct ConvPartials {
    std::int32_t parts;
    std::int32_t columns, depth;

    __host__ __device__ static std::int64_t elements(const Conv &c) {
        return std::int64_t{c.groups} * c.columns * c.length();
    }  // of a part
    std::size_t bytes(const Conv &c) const {
        return static_cast<std::size_t>(elements(c)) * static_cast<std::size_t>(parts) * sizeof(float);
    }
};

// conv2d_wgrad.cu. c's filter strides are those of dw.
void sum_partials(const Conv &c, const ConvPartials &form, const float *partials, void *dw, std::int32_t dtype,
                  cudaStream_t stream);

}  // namespace mpt::cuda
