// One run of elements between a tensor's format and what a product computes in (T: f64 for f64, else f32). Unlike the
// functions of rows.h these are inlined: a filter's rows are short, and there are many.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "element.h"

namespace mpt::cpu {

inline std::int64_t float_size(std::int32_t dtype) {
    return dtype == MPT_F64 ? 8 : dtype == MPT_F32 ? 4 : 2;
}

inline void require_float(const mpt_mod_call &call, const mpt_mod_operand &x) {
    if (!is_float(x.dtype)) unsupported_dtype(call.kernel, x.dtype);
}

// A loop below the length at which a call pays.
template <class T>
inline void copy_run(const T *src, T *dst, std::int64_t n) {
    if (n >= 32) {
        std::memcpy(dst, src, static_cast<std::size_t>(n) * sizeof(T));
    } else {
        for (std::int64_t i = 0; i < n; ++i) dst[i] = src[i];
    }
}

inline constexpr std::int64_t kShortRun = 8;

template <class From, class T>
inline void read_run_of(const void *src, std::int64_t stride, T *dst, std::int64_t n);

// 16-bit elements that are not neighbours: collected first, since converting many at once is so much faster.
template <class From, class T>
inline void gather_run_of(const typename From::Stored *src, std::int64_t stride, T *dst, std::int64_t n) {
    constexpr std::int64_t kPiece = 64;
    typename From::Stored piece[kPiece];
    for (std::int64_t i = 0; i < n; i += kPiece) {
        const std::int64_t count = std::min(kPiece, n - i);
        for (std::int64_t j = 0; j < count; ++j) piece[j] = src[(i + j) * stride];
        read_run_of<From>(piece, 1, dst + i, count);
    }
}

template <class From, class T>
inline void read_run_of(const void *src, std::int64_t stride, T *dst, std::int64_t n) {
    const auto *s = static_cast<const typename From::Stored *>(src);
    if constexpr (From::dtype == dtype_of<T>()) {
        if (stride == 1) return copy_run(s, dst, n);
    } else if (stride == 1 && n >= kShortRun) {
        if constexpr (From::dtype == MPT_F16) return f16_row_to_f32(s, dst, n);
        if constexpr (From::dtype == MPT_BF16) return bf16_row_to_f32(s, dst, n);
    }
    if (sizeof(*s) == 2 && n >= kShortRun) return gather_run_of<From>(s, stride, dst, n);
    for (std::int64_t i = 0; i < n; ++i) dst[i] = widen<From, T>(s[i * stride]);
}

template <class To, class T>
inline void write_run_of(const T *src, void *dst, std::int64_t stride, std::int64_t n) {
    auto *d = static_cast<typename To::Stored *>(dst);
    if constexpr (To::dtype == dtype_of<T>()) {
        if (stride == 1) return copy_run(src, d, n);
    } else if (stride == 1 && n >= kShortRun) {
        if constexpr (To::dtype == MPT_F16) return f32_row_to_f16(src, d, n);
        if constexpr (To::dtype == MPT_BF16) return f32_row_to_bf16(src, d, n);
    }
    for (std::int64_t i = 0; i < n; ++i) d[i * stride] = narrow<To, T>(src[i]);
}

template <class T>
inline void read_run(std::int32_t dtype, const void *src, std::int64_t stride, T *dst, std::int64_t n) {
    if constexpr (sizeof(T) == 8)
        return read_run_of<F64>(src, stride, dst, n);
    else if (dtype == MPT_F32)
        return read_run_of<F32>(src, stride, dst, n);
    else if (dtype == MPT_F16)
        return read_run_of<F16>(src, stride, dst, n);
    else
        return read_run_of<BF16>(src, stride, dst, n);
}

template <class T>
inline void write_run(std::int32_t dtype, const T *src, void *dst, std::int64_t stride, std::int64_t n) {
    if constexpr (sizeof(T) == 8)
        return write_run_of<F64>(src, dst, stride, n);
    else if (dtype == MPT_F32)
        return write_run_of<F32>(src, dst, stride, n);
    else if (dtype == MPT_F16)
        return write_run_of<F16>(src, dst, stride, n);
    else
        return write_run_of<BF16>(src, dst, stride, n);
}

}  // namespace mpt::cpu
