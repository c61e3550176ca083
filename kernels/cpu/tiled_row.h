// Rows along one dimension of an operand (of any strides), for kernels that pass over a row several times.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "operand.h"
#include "rows.h"

namespace mpt::cpu {

inline constexpr std::int64_t kRowTile = 1024;

// The operand without dimension dim: its elements are the starts of the rows.
inline mpt_mod_operand without_dim(const mpt_mod_operand &x, std::int64_t dim) {
    mpt_mod_operand out = x;
    out.ndim = x.ndim - 1;
    for (std::int64_t d = dim; d < out.ndim; d++) {
        out.shape[d] = x.shape[d + 1];
        out.strides[d] = x.strides[d + 1];
    }
    return out;
}

// Tiles of one row as values of C: where they lie if they are that already, else in the buffer. A row that is one tile
// is read once however often it is asked for.
template <class C>
class RowReader {
public:
    RowReader(Load<C> load, std::int32_t dtype, std::int64_t stride)
        : load_(load),
          bytes_(static_cast<std::int64_t>(bytes_of(dtype))),
          stride_(stride),
          direct_(dtype == dtype_of<C>() && stride == 1) {}

    void start(const void *row) {
        row_ = static_cast<const std::byte *>(row);
        held_ = -1;
    }

    const C *tile(std::int64_t first, std::int64_t n) {
        const std::byte *at = row_ + first * stride_ * bytes_;
        if (direct_) return reinterpret_cast<const C *>(at);
        if (held_ != first) {
            load_(at, 1, n, n, stride_, buffer_);
            held_ = first;
        }
        return buffer_;
    }

private:
    Load<C> load_;
    std::int64_t bytes_, stride_;
    bool direct_;
    const std::byte *row_ = nullptr;
    std::int64_t held_ = -1;
    alignas(64) C buffer_[kRowTile];
};

// f(first, length) for the tiles of a row of n.
template <class F>
inline void each_tile(std::int64_t n, F &&f) {
    for (std::int64_t i = 0; i < n; i += kRowTile) f(i, std::min(kRowTile, n - i));
}

}  // namespace mpt::cpu
