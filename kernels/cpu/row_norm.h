// What row_norm and row_norm_grad share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "device/attrs/norm.h"
#include "isa.h"
#include "operand.h"
#include "rows.h"
#include "tiled_row.h"

namespace mpt::cpu {

// One operand's rows: the last dimension of any tensor.
template <class C>
class NormRows {
public:
    NormRows() = default;
    NormRows(const char *kernel, const mpt_mod_operand &x)
        : load_(loader<C>(x.dtype)), store_(storer<C>(x.dtype)), dtype_(x.dtype), stride_(x.strides[x.ndim - 1]) {
        if (!load_ || !is_float(x.dtype)) unsupported_dtype(kernel, x.dtype);
        bytes_ = static_cast<std::int64_t>(bytes_of(x.dtype));
    }
    RowReader<C> reader() const { return RowReader<C>(load_, dtype_, stride_); }
    const std::byte *at(const void *base, std::int64_t offset) const {
        return static_cast<const std::byte *>(base) + offset * bytes_;
    }
    std::byte *at(void *base, std::int64_t offset) const { return static_cast<std::byte *>(base) + offset * bytes_; }
    // Where the results of a tile are computed, and what brings them to their place.
    C *place(std::byte *row, std::int64_t first, C *buffer) const {
        return dtype_ == dtype_of<C>() && stride_ == 1 ? reinterpret_cast<C *>(row) + first : buffer;
    }
    void put(const C *values, std::byte *row, std::int64_t first, std::int64_t n, const C *buffer) const {
        if (values == buffer) store_(values, row + first * stride_ * bytes_, 1, n, n, stride_);
    }

private:
    Load<C> load_ = nullptr;
    Store<C> store_ = nullptr;
    std::int32_t dtype_ = 0;
    std::int64_t stride_ = 0, bytes_ = 0;
};

// A weight or bias as values of C: where it lies if it is that already, else a copy.
template <class C>
class RowVector {
public:
    RowVector(const char *kernel, const mpt_mod_operand &x, std::int64_t n) : n_(n), present_(x.dtype != MPT_DTYPE_NONE) {
        if (!present_) return;
        load_ = loader<C>(x.dtype);
        if (!load_ || !is_float(x.dtype)) unsupported_dtype(kernel, x.dtype);
        if (x.ndim != 1 || x.shape[0] != n) throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": a vector of another shape"};
        stride_ = x.strides[0];
        direct_ = x.dtype == dtype_of<C>() && stride_ == 1;
    }
    const C *read(const void *from, C absent, C *copy) const {
        if (direct_) return static_cast<const C *>(from);
        if (present_)
            load_(from, 1, n_, n_, stride_, copy);
        else
            std::fill_n(copy, n_, absent);
        return copy;
    }

private:
    std::int64_t n_, stride_ = 0;
    bool present_, direct_ = false;
    Load<C> load_ = nullptr;
};

inline std::int64_t row_length(const mpt_mod_operand &x) {
    if (x.ndim < 1) throw Failure{MPT_ERROR_INTERNAL, "a norm was given an operand without rows"};
    return x.shape[x.ndim - 1];
}
inline mpt_mod_operand row_starts(const mpt_mod_operand &x) {
    return without_dim(x, x.ndim - 1);
}
// Offsets of row r of a loop over the starts.
inline void locate_row(const Loop &loop, std::int64_t r, std::int64_t *offset) {
    loop.locate(r / loop.inner(), offset);
    for (int k = 0; k < loop.operands; k++) offset[k] += r % loop.inner() * loop.inner_stride(k);
}

}  // namespace mpt::cpu
