// Element types on the device: what is stored, and how a stored element becomes a value of the type that a kernel computes in
// (float; double, std::int64_t for what moves data) and back. Conversions are those of the CPU, bit for bit.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "kernel.h"

namespace mpt::cuda {

// A dtype as a type.
template <std::int32_t Dtype, class S>
struct Format {
    using Stored = S;
    static constexpr std::int32_t dtype = Dtype;
};
using F64 = Format<MPT_F64, double>;
using F32 = Format<MPT_F32, float>;
using F16 = Format<MPT_F16, __half>;
using BF16 = Format<MPT_BF16, __nv_bfloat16>;
using Bool = Format<MPT_BOOL, std::uint8_t>;
using F8E4M3 = Format<MPT_F8E4M3, __nv_fp8_storage_t>;
using F8E5M2 = Format<MPT_F8E5M2, __nv_fp8_storage_t>;
using I64 = Format<MPT_I64, std::int64_t>;
using I32 = Format<MPT_I32, std::int32_t>;
using U8 = Format<MPT_U8, std::uint8_t>;

[[noreturn]] inline void unsupported_dtype(const char *kernel, std::int32_t dtype) {
    std::string text = std::string(kernel) + ": dtype " + std::to_string(dtype) + " is not supported on a GPU";
    if (dtype == MPT_F64) text = std::string(kernel) + ": a GPU stores, copies and casts f64 but does not compute in it: use f32, or a context on the CPU";
    throw Failure{MPT_ERROR_UNSUPPORTED, text};
}

// f(Format{}) for a format that a GPU computes with; Failure for another.
template <class F>
void visit_float(const char *kernel, std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_F32:
            return f(F32{});
        case MPT_F16:
            return f(F16{});
        case MPT_BF16:
            return f(BF16{});
        default:
            unsupported_dtype(kernel, dtype);
    }
}

// The types of an index, or of any integers.
template <class F>
void visit_integer(const char *kernel, std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_I8:
            return f(Format<MPT_I8, std::int8_t>{});
        case MPT_I16:
            return f(Format<MPT_I16, std::int16_t>{});
        case MPT_I32:
            return f(I32{});
        case MPT_I64:
            return f(I64{});
        case MPT_U8:
            return f(U8{});
        case MPT_BOOL:
            return f(Bool{});
        default:
            unsupported_dtype(kernel, dtype);
    }
}

template <class F>
void visit_index(const char *kernel, std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_I32:
            return f(I32{});
        case MPT_I64:
            return f(I64{});
        case MPT_U8:
            return f(U8{});
        default:
            unsupported_dtype(kernel, dtype);
    }
}

// Every dtype that is stored.
template <class F>
void visit(const char *kernel, std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_F64:
            return f(F64{});
        case MPT_F8E4M3:
            return f(F8E4M3{});
        case MPT_F8E5M2:
            return f(F8E5M2{});
        case MPT_F32:
        case MPT_F16:
        case MPT_BF16:
            return visit_float(kernel, dtype, f);
        default:
            return visit_integer(kernel, dtype, f);
    }
}

inline std::size_t bytes_of(std::int32_t dtype) {
    std::size_t bytes = 0;
    visit("bytes_of", dtype, [&](auto format) { bytes = sizeof(typename decltype(format)::Stored); });
    return bytes;
}

// f(Bits{}) with unsigned integers of the dtype's size: for kernels that move elements and do not look at them.
template <class F>
void visit_bits(std::int32_t dtype, F &&f) {
    switch (bytes_of(dtype)) {
        case 1:
            return f(std::uint8_t{});
        case 2:
            return f(std::uint16_t{});
        case 4:
            return f(std::uint32_t{});
        default:
            return f(std::uint64_t{});
    }
}

// The value of a stored element.
template <class From, class C = float>
__device__ __forceinline__ C widen(typename From::Stored x) {
    if constexpr (From::dtype == MPT_F16)
        return static_cast<C>(__half2float(x));
    else if constexpr (From::dtype == MPT_BF16)
        return static_cast<C>(__bfloat162float(x));
    else if constexpr (From::dtype == MPT_F8E4M3)
        return static_cast<C>(__half2float(__half(__nv_cvt_fp8_to_halfraw(x, __NV_E4M3))));
    else if constexpr (From::dtype == MPT_F8E5M2)
        return static_cast<C>(__half2float(__half(__nv_cvt_fp8_to_halfraw(x, __NV_E5M2))));
    else if constexpr (From::dtype == MPT_BOOL)
        return static_cast<C>(x != 0);
    else
        return static_cast<C>(x);
}

// Truncates and saturates; NaN gives 0.
template <class I>
__host__ __device__ __forceinline__ I to_integer(double x) {
    constexpr double low = static_cast<double>(std::numeric_limits<I>::min());
    constexpr double end = 2.0 * static_cast<double>(I{1} << (std::numeric_limits<I>::digits - 1));  // one past the largest
    if (x != x) return 0;
    if (x <= low) return std::numeric_limits<I>::min();
    if (x >= end) return std::numeric_limits<I>::max();
    return static_cast<I>(x);
}

// What is stored for a value: to nearest even, NaN as 7FFF (fp8: 7F, and larger numbers saturate).
template <class To, class C = float>
__host__ __device__ __forceinline__ typename To::Stored narrow(C x) {
    if constexpr (To::dtype == MPT_F16)
        return __float2half_rn(static_cast<float>(x));
    else if constexpr (To::dtype == MPT_BF16)
        return __float2bfloat16_rn(static_cast<float>(x));
    else if constexpr (To::dtype == MPT_F8E4M3)
        return __nv_cvt_float_to_fp8(static_cast<float>(x), __NV_SATFINITE, __NV_E4M3);
    else if constexpr (To::dtype == MPT_F8E5M2)
        return __nv_cvt_float_to_fp8(static_cast<float>(x), __NV_SATFINITE, __NV_E5M2);
    else if constexpr (To::dtype == MPT_BOOL)
        return x != C{0};
    else if constexpr (std::is_integral_v<typename To::Stored> && std::is_floating_point_v<C>)
        return to_integer<typename To::Stored>(x);
    else
        return static_cast<typename To::Stored>(x);
}

// Elements that are read or written together, with one instruction up to 16 bytes.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
    T at[N];
};

inline bool aligned(const void *ptr, std::size_t bytes) {
    return reinterpret_cast<std::uintptr_t>(ptr) % bytes == 0;
}

}  // namespace mpt::cuda
