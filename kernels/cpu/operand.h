// Loops (see common/operand.h) cut into tiles: pieces of one row, or several short rows together.
#pragma once

#include <cstdint>

#include "common/operand.h"
#include "kernel.h"

namespace mpt::cpu {

using kernels::expanded;
using kernels::is_dense;
using kernels::Loop;
using kernels::numel;
using kernels::same_layout;

inline constexpr std::int64_t kGrain = 16384;  // elements that are worth a thread

struct Tile {
    std::int64_t index;
    std::int64_t rows;         // along the last dimension but one
    std::int64_t n;            // along the last
    std::int64_t row, column;  // where it begins in these
    std::int64_t offset[Loop::kOperands];
};

struct Tiling {
    Tiling() = default;
    Tiling(const Loop &loop, std::int64_t most);  // elements of a tile at most
    Tiling(const Loop &loop, std::int64_t rows, std::int64_t width);

    Tile at(const Loop &loop, std::int64_t index) const;
    void advance(const Loop &loop, Tile &tile) const;  // to the next

    std::int64_t rows = 1, width = 1;
    std::int64_t across = 0, down = 0;  // tiles in the last dimension, and in the one before
    std::int64_t count = 0;
};

// f(tile) for all of them, by several threads.
template <class F>
void for_tiles(Pool &pool, const Loop &loop, const Tiling &tiling, F &&f) {
    const std::int64_t size = tiling.rows * tiling.width;
    pool.for_range(tiling.count, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
        Tile tile = tiling.at(loop, begin);
        f(tile);
        while (tile.index + 1 < end) {
            tiling.advance(loop, tile);
            f(tile);
        }
    });
}

}  // namespace mpt::cpu
