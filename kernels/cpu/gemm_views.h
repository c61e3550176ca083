// Views of tensors as the factors and results of a product.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gemm.h"
#include "runs.h"

namespace mpt::cpu {

// A plain matrix with any strides, one per item.
template <class T>
class StridedRows final : public RowSource<T> {
public:
    std::int32_t dtype = MPT_F32;
    std::int64_t row_stride = 0, col_stride = 0;
    std::vector<std::int64_t> item_offsets;

    void read(const void *base, std::int64_t item, std::int64_t row0, std::int64_t rows, std::int64_t col0, std::int64_t cols,
              T *dst, std::int64_t ld) const override {
        const std::int64_t size = float_size(dtype);
        const auto *src = static_cast<const char *>(base) +
                          (item_offsets[static_cast<std::size_t>(item)] + row0 * row_stride + col0 * col_stride) * size;
        for (std::int64_t r = 0; r < rows; ++r) read_run(dtype, src + r * row_stride * size, col_stride, dst + r * ld, cols);
    }
};

// Rows that count the pixels of images, in the order (image / group, i, j, image % group): with groups of more than one,
// neighbouring rows are one pixel of several images.
struct PixelGrid {
    std::int64_t height = 1, width = 1;
    std::int64_t group = 1;
};

struct Pixel {
    std::int64_t n, i, j;

    Pixel(const PixelGrid &grid, std::int64_t index) : in_group_(index % grid.group) {
        index /= grid.group;
        j = index % grid.width;
        index /= grid.width;
        i = index % grid.height;
        n = index / grid.height * grid.group + in_group_;
    }

    void next(const PixelGrid &grid) {
        if (in_group_ + 1 < grid.group) {
            ++in_group_;
            ++n;
            return;
        }
        n -= in_group_;
        in_group_ = 0;
        if (++j < grid.width) return;
        j = 0;
        if (++i < grid.height) return;
        i = 0;
        n += grid.group;
    }

private:
    std::int64_t in_group_;
};

// What the sinks get as base: the result and, optionally, a bias for its columns.
struct Destination {
    void *data;
    const void *bias;
};

// Writes C to pixels of an image, channels as columns; a plain matrix is one with a grid of one pixel. Adds the bias, rounds once.
template <class T>
class PixelSink final : public TileSink<T> {
public:
    std::int32_t dtype = MPT_F32;
    PixelGrid grid;
    std::int64_t n_stride = 0, i_stride = 0, j_stride = 0, col_stride = 0;
    std::vector<std::int64_t> item_offsets;
    std::int32_t bias_dtype = MPT_DTYPE_NONE;
    std::int64_t bias_stride = 0;
    std::int64_t bias_item_step = 0;  // columns from one item's to the next's

    void write(void *base, std::int64_t item, std::int64_t, std::int64_t m0, std::int64_t ms, std::int64_t n0, std::int64_t ns,
               T *src, std::int64_t ld) const override {
        const auto &to = *static_cast<const Destination *>(base);
        T bias[kTileColumns];
        if (bias_dtype != MPT_DTYPE_NONE) {
            const auto *b =
                static_cast<const char *>(to.bias) + (item * bias_item_step + n0) * bias_stride * float_size(bias_dtype);
            read_run(bias_dtype, b, bias_stride, bias, ns);
        }
        const std::int64_t size = float_size(dtype);
        auto *data = static_cast<char *>(to.data) + (item_offsets[static_cast<std::size_t>(item)] + n0 * col_stride) * size;
        Pixel pixel(grid, m0);
        for (std::int64_t r = 0; r < ms; ++r, pixel.next(grid)) {
            T *row = src + r * ld;
            if (bias_dtype != MPT_DTYPE_NONE)
                for (std::int64_t j = 0; j < ns; ++j) row[j] += bias[j];
            write_run(dtype, row, data + (pixel.n * n_stride + pixel.i * i_stride + pixel.j * j_stride) * size, col_stride, ns);
        }
    }
};

}  // namespace mpt::cpu
