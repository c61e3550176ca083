// Small matrices transposed on their way into a packed factor.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mpt::cpu {

// dst[c * rows + r] = src[r * src_step + c].
inline void transpose(const double *src, std::int64_t src_step, std::int64_t rows, std::int64_t cols, double *dst) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < cols; ++c) dst[c * rows + r] = src[r * src_step + c];
}

// rows is a multiple of 4; src may be read up to the next multiple of 4 columns.
inline void transpose(const float *src, std::int64_t src_step, std::int64_t rows, std::int64_t cols, float *dst) {
    typedef float V __attribute__((vector_size(16)));
    typedef float M __attribute__((vector_size(16), aligned(4), may_alias));
    for (std::int64_t c = 0; c < cols; c += 4) {
        const std::int64_t left = std::min<std::int64_t>(4, cols - c);
        for (std::int64_t r = 0; r < rows; r += 4) {
            const float *s = src + r * src_step + c;
            const V v0 = *reinterpret_cast<const M *>(s), v1 = *reinterpret_cast<const M *>(s + src_step);
            const V v2 = *reinterpret_cast<const M *>(s + 2 * src_step), v3 = *reinterpret_cast<const M *>(s + 3 * src_step);
            const V a = __builtin_shufflevector(v0, v1, 0, 4, 1, 5), b = __builtin_shufflevector(v2, v3, 0, 4, 1, 5);
            const V e = __builtin_shufflevector(v0, v1, 2, 6, 3, 7), f = __builtin_shufflevector(v2, v3, 2, 6, 3, 7);
            float *d = dst + c * rows + r;
            *reinterpret_cast<M *>(d) = __builtin_shufflevector(a, b, 0, 1, 4, 5);
            if (left > 1) *reinterpret_cast<M *>(d + rows) = __builtin_shufflevector(a, b, 2, 3, 6, 7);
            if (left > 2) *reinterpret_cast<M *>(d + 2 * rows) = __builtin_shufflevector(e, f, 0, 1, 4, 5);
            if (left > 3) *reinterpret_cast<M *>(d + 3 * rows) = __builtin_shufflevector(e, f, 2, 3, 6, 7);
        }
    }
}

}  // namespace mpt::cpu
