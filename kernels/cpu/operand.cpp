#include "operand.h"

#include <algorithm>

namespace mpt::cpu {

Tiling::Tiling(const Loop &loop, std::int64_t most) {
    const std::int64_t inner = std::max<std::int64_t>(loop.inner(), 1);
    const std::int64_t outer = loop.ndim > 1 ? std::max<std::int64_t>(loop.shape[loop.ndim - 2], 1) : 1;
    const bool several = inner <= most / 2;
    *this = Tiling(loop, several ? std::min(outer, most / inner) : 1, several ? inner : std::min(inner, most));
}

Tiling::Tiling(const Loop &loop, std::int64_t rows_of, std::int64_t width_of) : rows(rows_of), width(width_of) {
    const std::int64_t inner = loop.inner();
    const std::int64_t outer = loop.ndim > 1 ? loop.shape[loop.ndim - 2] : 1;
    if (loop.count == 0) return;
    across = (inner + width - 1) / width;
    down = (outer + rows - 1) / rows;
    count = loop.count / (inner * outer) * across * down;
}

Tile Tiling::at(const Loop &loop, std::int64_t index) const {
    Tile tile{};
    tile.index = index;
    tile.column = index % across * width;
    index /= across;
    const std::int64_t outer = loop.ndim > 1 ? loop.shape[loop.ndim - 2] : 1;
    tile.row = index % down * rows;
    index /= down;
    tile.n = std::min(width, loop.inner() - tile.column);
    tile.rows = std::min(rows, outer - tile.row);
    loop.locate(index * outer + tile.row, tile.offset);
    for (int k = 0; k < loop.operands; k++) tile.offset[k] += tile.column * loop.inner_stride(k);
    return tile;
}

void Tiling::advance(const Loop &loop, Tile &tile) const {
    // The common step needs no division: one tile a row, and rows left.
    if (across == 1 && loop.ndim > 1 && tile.row + rows < loop.shape[loop.ndim - 2]) {
        tile.index++;
        tile.row += rows;
        tile.rows = std::min(rows, loop.shape[loop.ndim - 2] - tile.row);
        for (int k = 0; k < loop.operands; k++) tile.offset[k] += rows * loop.outer_stride(k);
    } else {
        tile = at(loop, tile.index + 1);
    }
}

}  // namespace mpt::cpu
