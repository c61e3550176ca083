// Moving rows of elements between operands and buffers of the type that a kernel computes in.
#pragma once

#include <cstdint>

#include "element.h"

namespace mpt::cpu {

// Elements (r, i) of an operand, r < rows, i < n, at src + r * row_stride + i * stride, to dst[r * n + i].
template <class C>
using Load = void (*)(const void *src, std::int64_t rows, std::int64_t row_stride, std::int64_t n, std::int64_t stride, C *dst);

// The reverse.
template <class C>
using Store = void (*)(const C *src, void *dst, std::int64_t rows, std::int64_t row_stride, std::int64_t n, std::int64_t stride);

// Between two operands of one element size, bit for bit.
using Move = void (*)(const void *src, std::int64_t src_row_stride, std::int64_t src_stride, void *dst, std::int64_t dst_row_stride,
                      std::int64_t dst_stride, std::int64_t rows, std::int64_t n);

// nullptr where there is none. float: of f32, f16, bf16, fp8. double: of these and f64. int64: of integers and bool.
template <class C>
Load<C> loader(std::int32_t dtype);

// nullptr where there is none. float: to any float, fp8 and bool; double and int64: to any dtype.
template <class C>
Store<C> storer(std::int32_t dtype);

// Tiles up to this size whose source is transposed pass through a buffer.
inline constexpr std::int64_t kTransposedTile = 2048;

Move mover(std::size_t element_bytes);

}  // namespace mpt::cpu
