// Extents and strides (in elements), and the arithmetic on them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>

#include "mpt.h"

namespace mpt {

struct Dims {
    std::int32_t n = 0;
    std::int64_t v[MPT_MAX_DIMS] = {};

    Dims() = default;
    Dims(std::initializer_list<std::int64_t> list) {
        for (std::int64_t x : list) v[n++] = x;
    }
    std::int64_t &operator[](int i) { return v[i]; }
    std::int64_t operator[](int i) const { return v[i]; }
    void push(std::int64_t x) { v[n++] = x; }
    friend bool operator==(const Dims &a, const Dims &b) {
        if (a.n != b.n) return false;
        for (int i = 0; i < a.n; ++i)
            if (a.v[i] != b.v[i]) return false;
        return true;
    }
};
std::ostream &operator<<(std::ostream &out, const Dims &dims);  // [2, 3]

std::int64_t numel(const Dims &shape);
Dims contiguous(const Dims &shape);    // row-major strides
Dims channels_last(const Dims &shape);  // [N,C,H,W] with C innermost in memory
bool is_contiguous(const Dims &shape, const Dims &strides);
// Every element once and no gap, in whatever order of dimensions.
bool is_dense(const Dims &shape, const Dims &strides);
// Elements from the first to one past the last.
std::int64_t span(const Dims &shape, const Dims &strides);
// Dense strides that keep the order of dimensions in memory of `like`.
Dims dense_like(const Dims &shape, const Dims &like);
// NumPy's rule. False when the two do not go together.
bool broadcast(const Dims &a, const Dims &b, Dims &out);
// Strides of a tensor seen in a larger broadcast shape: 0 where it is repeated.
Dims broadcast_strides(const Dims &shape, const Dims &strides, const Dims &to);
// Strides for a new shape of the same elements; false when the elements must be copied.
bool reshape_strides(const Dims &shape, const Dims &strides, const Dims &to, Dims &out);

}  // namespace mpt
