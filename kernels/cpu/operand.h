// Operands of any strides as a loop: extents of 1 are dropped, dimensions are ordered by the first operand's strides
// and merged where all operands allow it, so that dense tensors of one layout become one long row. The loop is then
// cut into tiles: pieces of one row, or several short rows together.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "kernel.h"

namespace mpt::cpu {

inline constexpr std::int64_t kGrain = 16384;  // elements that are worth a thread

std::int64_t numel(const mpt_mod_operand &operand);

// x as an operand of like's shape, by strides of 0 when x has ndim 0. Failure when the shapes are others.
mpt_mod_operand expanded(const mpt_mod_operand &x, const mpt_mod_operand &like);

// No gaps and no overlaps, in whatever order of dimensions.
bool is_dense(const mpt_mod_operand &operand);

// The same shape and, where it matters, the same strides.
bool same_layout(const mpt_mod_operand &a, const mpt_mod_operand &b);

struct Loop {
    static constexpr int kOperands = 4;
    Loop() = default;
    // The first operand decides the order of dimensions. All have one shape, else Failure.
    Loop(const char *kernel, std::initializer_list<const mpt_mod_operand *> list);

    // Offsets, in elements, of the row that has this index; the row is the last dimension.
    void locate(std::int64_t row, std::int64_t *offset) const;

    int ndim = 1;  // at least 1
    int operands = 0;
    std::int64_t count = 0;  // elements
    std::int64_t shape[MPT_MAX_DIMS] = {};
    std::int64_t strides[kOperands][MPT_MAX_DIMS] = {};

    std::int64_t inner() const { return shape[ndim - 1]; }
    std::int64_t inner_stride(int operand) const { return strides[operand][ndim - 1]; }
    std::int64_t outer_stride(int operand) const { return ndim > 1 ? strides[operand][ndim - 2] : 0; }
};

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
