// What the recurrent cells share: matrices of any strides, read and written in pieces of their rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "operand.h"
#include "rows.h"

namespace mpt::cpu {

inline constexpr std::int64_t kCellTile = 256;  // elements of a state's row that are worked out together

// A matrix seen as values of C; its width is a multiple of the state's, a part for each gate.
template <class C>
class CellOperand {
public:
    CellOperand(const char *kernel, const mpt_mod_operand &x) : present_(x.dtype != MPT_DTYPE_NONE) {
        if (!present_) return;
        load_ = loader<C>(x.dtype);
        store_ = storer<C>(x.dtype);
        if (!load_ || !is_float(x.dtype)) unsupported_dtype(kernel, x.dtype);
        bytes_ = static_cast<std::int64_t>(bytes_of(x.dtype));
        row_stride_ = x.strides[0];
        stride_ = x.strides[1];
        direct_ = x.dtype == dtype_of<C>() && stride_ == 1;
    }

    bool present() const { return present_; }

    // n elements of a row: where they lie, or in the buffer. An absent matrix is full of zeros.
    const C *read(const void *base, std::int64_t row, std::int64_t column, std::int64_t n, C *buffer) const {
        if (!present_) {
            std::fill_n(buffer, n, C{0});
            return buffer;
        }
        const std::byte *at = static_cast<const std::byte *>(base) + offset(row, column);
        if (direct_) return reinterpret_cast<const C *>(at);
        load_(at, 1, n, n, stride_, buffer);
        return buffer;
    }

    // Where n elements are worked out, and what brings them to their place; an absent matrix drops them.
    C *place(void *base, std::int64_t row, std::int64_t column, C *buffer) const {
        return direct_ ? reinterpret_cast<C *>(static_cast<std::byte *>(base) + offset(row, column)) : buffer;
    }
    void write(const C *values, void *base, std::int64_t row, std::int64_t column, std::int64_t n) const {
        if (!direct_) copy(values, base, row, column, n);
    }
    // The same for values that were worked out somewhere else.
    void copy(const C *values, void *base, std::int64_t row, std::int64_t column, std::int64_t n) const {
        if (present_) store_(values, static_cast<std::byte *>(base) + offset(row, column), 1, n, n, stride_);
    }

private:
    std::int64_t offset(std::int64_t row, std::int64_t column) const { return (row * row_stride_ + column * stride_) * bytes_; }

    bool present_, direct_ = false;
    Load<C> load_ = nullptr;
    Store<C> store_ = nullptr;
    std::int64_t bytes_ = 0, row_stride_ = 0, stride_ = 0;
};

// f(row, first column, columns) for the pieces of a state, by several threads.
template <class F>
void for_cells(Pool &pool, const mpt_mod_operand &state, F &&f) {
    const std::int64_t width = state.shape[1], pieces = (width + kCellTile - 1) / kCellTile;
    const std::int64_t size = std::max<std::int64_t>(1, std::min(width, kCellTile));
    pool.for_range(state.shape[0] * pieces, (kGrain / 8 + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i++) {
            const std::int64_t column = i % pieces * kCellTile;
            f(i / pieces, column, std::min(kCellTile, width - column));
        }
    });
}

template <template <class> class K>
std::unique_ptr<Kernel> prepare_cell(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    return std::make_unique<K<float>>(pool, call);
}

}  // namespace mpt::cpu
