// Convolutions as products with patches that are never stored: what their kernels know about shapes, and how an output position and
// a tap of the filter find the element that they meet. See device/attrs/conv.h.
#pragma once

#include <algorithm>

#include "any_float.cuh"
#include "device/attrs/conv.h"
#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

// Along one dimension, a position in the images that are walked and a tap meet position (position * times + tap * step + base) /
// divisor in the images that are read, where that is whole and inside.
struct ConvAxis {
    std::int32_t extent;  // of the images that are read
    std::int32_t times, step, base;
    std::int32_t divisor;
    Divider divider;

    // sum: as above; becomes the position.
    __device__ __forceinline__ bool find(std::int32_t &sum) const {
        if (sum < 0) return false;
        if (divisor != 1) {
            auto quotient = static_cast<std::uint32_t>(sum);
            if (divider.divide(quotient) != 0) return false;
            sum = static_cast<std::int32_t>(quotient);
        }
        return sum < extent;
    }
};

// One convolution. Images "in" are read at taps, images "out" are walked: y's in conv2d, dx's in conv2d_dgrad and dy's in
// conv2d_wgrad. A group reads `depth` channels and has `columns` channels of the walked images.
struct Conv {
    std::int64_t in[4], out[4];  // strides: N, C, H, W
    std::int64_t images;
    std::int32_t groups, depth, columns, taps;
    std::int32_t pixels;  // of a walked image
    ConvAxis axis[2];
    Divider pixels_of_image, width, depth_of_tap, taps_across;
    std::int64_t filter_group, filter_column, filter_depth, filter_tap[2];  // strides of w, or of dw

    __host__ __device__ std::int64_t all_pixels() const { return images * pixels; }
    __host__ __device__ std::int64_t length() const { return std::int64_t{taps} * depth; }  // of a patch
};

// What a walked pixel, or a tap with a channel, adds to the place that is read.
struct ConvPlace {
    static constexpr std::int32_t kOutside = -(1 << 30);  // as a row: meets nothing
    std::int64_t in, other;                               // offsets in the images that are read, and in the other operand
    std::int32_t row, column;
};

// A walked pixel by its number, counted from an image.
__device__ __forceinline__ ConvPlace conv_pixel(const Conv &c, std::int64_t image, std::uint32_t number) {
    std::uint32_t pixel = c.pixels_of_image.divide(number);
    image += number;
    const auto column = static_cast<std::int32_t>(c.width.divide(pixel)), row = static_cast<std::int32_t>(pixel);
    ConvPlace place;
    place.in = image * c.in[0];
    place.other = image * c.out[0] + row * c.out[2] + column * c.out[3];
    place.row = image < c.images ? row * c.axis[0].times + c.axis[0].base : ConvPlace::kOutside;
    place.column = column * c.axis[1].times + c.axis[1].base;
    return place;
}

// Element k of a patch, channels innermost.
__device__ __forceinline__ ConvPlace conv_tap(const Conv &c, std::uint32_t k) {
    const std::int64_t channel = c.depth_of_tap.divide(k);
    const bool inside = k < static_cast<std::uint32_t>(c.taps);
    const auto across = static_cast<std::int32_t>(c.taps_across.divide(k)), down = static_cast<std::int32_t>(k);
    ConvPlace place;
    place.in = channel * c.in[1];
    place.other = channel * c.filter_depth + down * c.filter_tap[0] + across * c.filter_tap[1];
    place.row = inside ? down * c.axis[0].step : ConvPlace::kOutside;
    place.column = across * c.axis[1].step;
    return place;
}

template <class T>
__device__ __forceinline__ float conv_read(const Conv &c, const typename T::Stored *images, const ConvPlace &pixel,
                                           const ConvPlace &tap) {
    std::int32_t row = pixel.row + tap.row, column = pixel.column + tap.column;
    if (!c.axis[0].find(row) || !c.axis[1].find(column)) return 0;
    return widen<T>(images[pixel.in + tap.in + row * c.in[2] + column * c.in[3]]);
}

inline Conv conv_of(const char *kernel, const mpt_attrs_conv2d &at, const mpt_mod_operand &in, const mpt_mod_operand &out,
                    const mpt_mod_operand &filter, bool transposed) {
    Conv c{};
    std::copy_n(in.strides, 4, c.in);
    std::copy_n(out.strides, 4, c.out);
    c.images = out.shape[0];
    c.groups = at.groups;
    const auto narrow = [&](std::int64_t n, int bits) {
        if (n >> bits)
            throw Failure{MPT_ERROR_UNSUPPORTED,
                          std::string(kernel) + ": images or filters of this size are not supported on a GPU"};
        return static_cast<std::int32_t>(n);
    };
    c.depth = narrow(in.shape[1] / at.groups, 30);
    c.columns = narrow(out.shape[1] / at.groups, 30);
    c.taps = narrow(filter.shape[2] * filter.shape[3], 30);
    c.pixels = narrow(out.shape[2] * out.shape[3], 30);
    narrow(c.length(), 30);
    for (int d = 0; d < 2; ++d) {
        ConvAxis &axis = c.axis[d];
        axis.extent = narrow(in.shape[2 + d], 29);
        const std::int64_t reach = (filter.shape[2 + d] - 1) * std::int64_t{at.dilation[d]}, stride = at.stride[d],
                           padding = at.padding[d];
        narrow((transposed ? 1 : stride) * out.shape[2 + d] + padding + reach, 29);
        axis.times = static_cast<std::int32_t>(transposed ? 1 : stride);
        axis.step = transposed ? -at.dilation[d] : at.dilation[d];
        axis.base = transposed ? at.padding[d] : -at.padding[d];
        axis.divisor = static_cast<std::int32_t>(transposed ? stride : 1);
        axis.divider = Divider(static_cast<std::uint32_t>(axis.divisor));
    }
    c.pixels_of_image = Divider(static_cast<std::uint32_t>(c.pixels));
    c.width = Divider(static_cast<std::uint32_t>(out.shape[3]));
    c.depth_of_tap = Divider(static_cast<std::uint32_t>(c.depth));
    c.taps_across = Divider(static_cast<std::uint32_t>(filter.shape[3]));
    const int depth = transposed ? 0 : 1;
    c.filter_depth = filter.strides[depth];
    c.filter_column = filter.strides[1 - depth];
    c.filter_group = filter.shape[0] / at.groups * filter.strides[0];
    std::copy_n(filter.strides + 2, 2, c.filter_tap);
    return c;
}

}  // namespace mpt::cuda
