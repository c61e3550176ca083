// Windows of pooling along one dimension of an image. See device/attrs/pool.h.
#pragma once

#include "device/attrs/pool.h"
#include "image.cuh"

namespace mpt::cuda {

class Windows {
public:
    // dim: 0 for the height, 1 for the width; in and out: the extents of the image and of what is made of it.
    Windows(const mpt_attrs_pool2d &at, int dim, std::int64_t in, std::int64_t out)
        : adaptive_(at.adaptive != 0),
          in_(static_cast<int>(in)),
          out_(static_cast<int>(out)),
          kernel_(at.kernel[dim]),
          stride_(at.stride[dim]),
          padding_(at.padding[dim]),
          by_stride_(static_cast<std::uint32_t>(at.stride[dim])),
          to_image_(in, out),
          to_windows_(out, in) {}

    // Where taps are counted from; it may be in the padding.
    __device__ __forceinline__ int first(int i) const { return adaptive_ ? to_image_.down(i) : i * stride_ - padding_; }
    // The elements of window i inside the image.
    __device__ __forceinline__ Range window(int i) const {
        const int begin = first(i);
        return adaptive_ ? Range{begin, to_image_.up(i + 1)} : Range{max(begin, 0), min(begin + kernel_, in_)};
    }
    // The windows that have element h of the image.
    __device__ __forceinline__ Range readers(int h) const {
        if (adaptive_) return {to_windows_.down(h), to_windows_.up(h + 1)};
        const int before = h + padding_ - kernel_;
        return {before < 0 ? 0 : divided(before) + 1, min(divided(h + padding_) + 1, out_)};
    }

private:
    __device__ __forceinline__ int divided(int x) const {
        auto q = static_cast<std::uint32_t>(x);
        by_stride_.divide(q);
        return static_cast<int>(q);
    }

    bool adaptive_;
    int in_, out_, kernel_, stride_, padding_;
    Divider by_stride_;
    Proportion to_image_, to_windows_;
};

struct Pooling {
    Pooling(const mpt_mod_call &call, const mpt_mod_operand &image, const mpt_mod_operand &made)
        : Pooling(kernels::attrs_of<mpt_attrs_pool2d>(call), image, made) {}
    Pooling(const mpt_attrs_pool2d &at, const mpt_mod_operand &image, const mpt_mod_operand &made)
        : down(at, 0, image.shape[2], made.shape[2]), across(at, 1, image.shape[3], made.shape[3]), kernel_width(at.kernel[1]) {}
    Windows down, across;
    int kernel_width;
};

}  // namespace mpt::cuda
