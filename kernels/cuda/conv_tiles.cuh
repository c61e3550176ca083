// The product of patches and a filter, or of patches and a gradient, for any strides: tiles in shared memory, multiplied in f32.
#pragma once

#include "conv.cuh"

namespace mpt::cuda {

struct ConvTile {
    static constexpr int kWide = 128, kNarrow = 64, kDepth = 16;  // of a block
    static constexpr int kRows = 8, kColumns = 4;                 // of a thread
};

// What a tile kernel is given beside the convolution.
struct ConvOperands {
    const void *images, *other;  // what is read at taps; the filter, or the gradient
    void *result;
    std::int32_t result_dtype;
    bool images_along_depth, other_along_depth;  // neighbours in memory are neighbours along what is summed
    Vector bias;
    std::int64_t chunk;  // of gradients: pixels that a block sums
    bool partial;        // of gradients: result is f32 [chunk][group][column][patch]
};

// Gradient: for a block of patch elements and columns, the sum over a chunk of pixels. Otherwise: for a block of pixels and
// columns, the sum over the patch.
template <class T, bool Gradient>
__global__ void __launch_bounds__(kThreads) conv_tiles(const __grid_constant__ Conv c, const __grid_constant__ ConvOperands at) {
    using Tile = ConvTile;
    __shared__ ConvPlace wide[Tile::kWide], deep[2][Tile::kDepth];
    __shared__ alignas(16) float a[Tile::kDepth][Tile::kWide + 4], b[Tile::kDepth][Tile::kNarrow + 4];
    const int tid = static_cast<int>(threadIdx.x);
    const auto *images = static_cast<const typename T::Stored *>(at.images),
               *other = static_cast<const typename T::Stored *>(at.other);

    const std::int64_t wide0 = std::int64_t{blockIdx.x} * Tile::kWide, wide_end = Gradient ? c.length() : c.all_pixels();
    const std::int64_t pixel0 = Gradient ? blockIdx.z * at.chunk : wide0,
                       pixel_end = Gradient ? min(c.all_pixels(), pixel0 + at.chunk) : wide_end;
    const std::int64_t image0 = pixel0 / c.pixels;
    const auto within0 = static_cast<std::uint32_t>(pixel0 % c.pixels);
    const int depth = static_cast<int>(Gradient ? max(std::int64_t{0}, pixel_end - pixel0) : c.length());
    const auto place = [&](bool pixel, int i) {
        return pixel ? conv_pixel(c, image0, within0 + static_cast<std::uint32_t>(i)) : conv_tap(c, static_cast<std::uint32_t>(i));
    };
    if (tid < Tile::kWide) wide[tid] = place(!Gradient, static_cast<int>(Gradient ? wide0 : 0) + tid);

    const int column_blocks = (c.columns + Tile::kNarrow - 1) / Tile::kNarrow;
    for (std::int64_t unit = blockIdx.y; unit < std::int64_t{c.groups} * column_blocks; unit += gridDim.y) {
        const std::int64_t group = unit / column_blocks;
        const int column0 = static_cast<int>(unit % column_blocks) * Tile::kNarrow;
        const auto *group_images = images + group * c.depth * c.in[1];
        const std::int64_t column_stride = Gradient ? c.out[1] : c.filter_column;
        const auto *group_other = other + (Gradient ? group * c.columns * c.out[1] : group * c.filter_group);
        if (tid < 2 * Tile::kDepth) deep[tid / Tile::kDepth][tid % Tile::kDepth] = place(Gradient, tid);
        __syncthreads();

        float next_a[Tile::kRows], next_b[Tile::kColumns];
        const auto fetch = [&](int first) {
            const ConvPlace *along = deep[first / Tile::kDepth % 2];
#pragma unroll
            for (int j = 0; j < Tile::kRows; ++j) {
                const int k = at.images_along_depth ? tid % Tile::kDepth : tid / Tile::kWide + 2 * j;
                const int w = at.images_along_depth ? tid / Tile::kDepth + 16 * j : tid % Tile::kWide;
                next_a[j] = first + k < depth ? conv_read<T>(c, group_images, along[k], wide[w]) : 0;
            }
#pragma unroll
            for (int j = 0; j < Tile::kColumns; ++j) {
                const int k = at.other_along_depth ? tid % Tile::kDepth : tid / Tile::kNarrow + 4 * j;
                const int n = column0 + (at.other_along_depth ? tid / Tile::kDepth + 16 * j : tid % Tile::kNarrow);
                next_b[j] = first + k < depth && n < c.columns ? widen<T>(group_other[along[k].other + n * column_stride]) : 0;
            }
        };
        float sum[Tile::kRows][Tile::kColumns] = {};
        const int row = tid / 16 * Tile::kRows, column = tid % 16 * Tile::kColumns;
        fetch(0);
        for (int first = 0; first < depth; first += Tile::kDepth) {
#pragma unroll
            for (int j = 0; j < Tile::kRows; ++j) {
                if (at.images_along_depth)
                    a[tid % Tile::kDepth][tid / Tile::kDepth + 16 * j] = next_a[j];
                else
                    a[tid / Tile::kWide + 2 * j][tid % Tile::kWide] = next_a[j];
            }
#pragma unroll
            for (int j = 0; j < Tile::kColumns; ++j) {
                if (at.other_along_depth)
                    b[tid % Tile::kDepth][tid / Tile::kDepth + 16 * j] = next_b[j];
                else
                    b[tid / Tile::kNarrow + 4 * j][tid % Tile::kNarrow] = next_b[j];
            }
            __syncthreads();
            // The places of this step have been used: those of the step after the next take their room.
            if (tid < Tile::kDepth && first + 2 * Tile::kDepth < depth)
                deep[first / Tile::kDepth % 2][tid] = place(Gradient, first + 2 * Tile::kDepth + tid);
            if (first + Tile::kDepth < depth) fetch(first + Tile::kDepth);
#pragma unroll
            for (int k = 0; k < Tile::kDepth; ++k) {
                float x[Tile::kRows], y[Tile::kColumns];
                *reinterpret_cast<float4 *>(x) = *reinterpret_cast<const float4 *>(&a[k][row]);
                *reinterpret_cast<float4 *>(x + 4) = *reinterpret_cast<const float4 *>(&a[k][row + 4]);
                *reinterpret_cast<float4 *>(y) = *reinterpret_cast<const float4 *>(&b[k][column]);
#pragma unroll
                for (int i = 0; i < Tile::kRows; ++i)
#pragma unroll
                    for (int j = 0; j < Tile::kColumns; ++j) sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
            }
            __syncthreads();
        }

        for (int j = 0; j < Tile::kColumns; ++j) {
            const int n = column0 + column + j;
            if (n >= c.columns) break;
            const std::int64_t channel = group * c.columns + n;
            const float bias = Gradient ? 0 : at.bias.read(channel, 0);
            for (int i = 0; i < Tile::kRows; ++i) {
                if (wide0 + row + i >= wide_end) break;
                const std::int64_t to =
                    !Gradient     ? wide[row + i].other + channel * c.out[1]
                    : !at.partial ? group * c.filter_group + n * c.filter_column + wide[row + i].other
                                  : ((blockIdx.z * std::int64_t{c.groups}) * c.columns + channel) * c.length() + wide0 + row + i;
                const float value[1] = {sum[i][j] + bias};
                store_any(at.result, at.result_dtype, to, value);
            }
        }
        __syncthreads();  // deep is written anew
    }
}

}  // namespace mpt::cuda
