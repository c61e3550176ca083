// Copies whose two sides run along different dimensions: through tiles in shared memory, so that both are read and written in runs.
#pragma once

#include <algorithm>
#include <optional>

#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

// The output runs along "across", the input along "down"; the rest is a loop of its own.
struct TilePlan {
    static constexpr std::int64_t kLeast = 16;  // elements that a run needs to be worth it

    // Nothing where the loop of output and input is no transposition.
    static std::optional<TilePlan> of(const Loop &loop) {
        if (loop.inner_stride(0) != 1 || loop.inner_stride(1) == 0 || loop.inner_stride(1) == 1 || loop.inner() < kLeast) return {};
        int down = loop.ndim - 2;
        while (down >= 0 && (loop.strides[1][down] != 1 || loop.shape[down] < kLeast)) --down;
        if (down < 0) return {};
        TilePlan plan;
        plan.across = loop.inner();
        plan.down = loop.shape[down];
        plan.out_step = loop.strides[0][down];
        plan.in_step = loop.inner_stride(1);
        Loop rest;
        rest.operands = 2;
        rest.count = rest.shape[0] = 1;
        rest.ndim = 0;
        for (int d = 0; d + 1 < loop.ndim; ++d) {
            if (d == down) continue;
            rest.shape[rest.ndim] = loop.shape[d];
            rest.count *= loop.shape[d];
            for (int k = 0; k < 2; ++k) rest.strides[k][rest.ndim] = loop.strides[k][d];
            ++rest.ndim;
        }
        rest.ndim = std::max(rest.ndim, 1);
        plan.rest = rest;
        return plan;
    }

    std::int64_t across = 0, down = 0;       // extents
    std::int64_t out_step = 0, in_step = 0;  // from one run to the next
    Loop rest;
};

template <class From, class To>
inline constexpr int kTileEdge = sizeof(typename From::Stored) > 2 || sizeof(typename To::Stored) > 2 ? 32 : 64;

struct TileGrid {
    std::int64_t across, down, out_step, in_step, tiles_across, tiles_down, tiles;
    Index<2> rest;
};

template <class C, class From, class To>
__global__ void __launch_bounds__(kThreads) copy_tiles(TileGrid grid, const typename From::Stored *in, typename To::Stored *out) {
    constexpr int kEdge = kTileEdge<From, To>, kRows = kThreads / kEdge;
    using T = typename To::Stored;
    // An odd number of 4-byte words from row to row: a column lies in different banks.
    constexpr int kPitch = kEdge + (sizeof(T) >= 4 ? 1 : 4 / static_cast<int>(sizeof(T)));
    __shared__ T tile[kEdge][kPitch];  // [across][down]
    const int x = threadIdx.x % kEdge, y = threadIdx.x / kEdge;
    for (std::int64_t t = blockIdx.x; t < grid.tiles; t += gridDim.x) {
        std::int64_t offset[2];
        const std::int64_t group = t / grid.tiles_down;
        const std::int64_t a0 = group % grid.tiles_across * kEdge, d0 = t % grid.tiles_down * kEdge;
        grid.rest.locate(static_cast<std::uint64_t>(group / grid.tiles_across), offset);
        const typename From::Stored *from = in + offset[1] + d0 + a0 * grid.in_step;
        T *to = out + offset[0] + a0 + d0 * grid.out_step;
        const int across = static_cast<int>(min(std::int64_t{kEdge}, grid.across - a0)),
                  down = static_cast<int>(min(std::int64_t{kEdge}, grid.down - d0));
#pragma unroll
        for (int r = 0; r < kEdge; r += kRows)
            if (x < down && y + r < across) tile[y + r][x] = narrow<To, C>(widen<From, C>(from[x + (y + r) * grid.in_step]));
        __syncthreads();
#pragma unroll
        for (int r = 0; r < kEdge; r += kRows)
            if (x < across && y + r < down) to[x + (y + r) * grid.out_step] = tile[x][y + r];
        __syncthreads();
    }
}

template <class C, class From, class To>
void run_tiles(const Device &device, const TilePlan &plan, const void *in, void *out, cudaStream_t stream) {
    constexpr int kEdge = kTileEdge<From, To>;
    TileGrid grid{plan.across,
                  plan.down,
                  plan.out_step,
                  plan.in_step,
                  (plan.across + kEdge - 1) / kEdge,
                  (plan.down + kEdge - 1) / kEdge,
                  0,
                  Index<2>(plan.rest)};
    grid.tiles = grid.tiles_across * grid.tiles_down * plan.rest.count;
    copy_tiles<C, From, To><<<blocks_for(device, grid.tiles, 1, 64), kThreads, 0, stream>>>(
        grid, static_cast<const typename From::Stored *>(in), static_cast<typename To::Stored *>(out));
}

}  // namespace mpt::cuda
