// Element types as the kernels see them: what is stored, and how a stored element becomes a value of the type that
// a kernel computes in (float, double, or std::int64_t for integers) and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "convert.h"
#include "kernel.h"

namespace mpt::cpu {

// A dtype as a type.
template <std::int32_t Dtype, class S>
struct Format {
    using Stored = S;
    static constexpr std::int32_t dtype = Dtype;
};
using F64 = Format<MPT_F64, double>;
using F32 = Format<MPT_F32, float>;
using F16 = Format<MPT_F16, std::uint16_t>;
using BF16 = Format<MPT_BF16, std::uint16_t>;
using Bool = Format<MPT_BOOL, std::uint8_t>;
using F8E4M3 = Format<MPT_F8E4M3, std::uint8_t>;
using F8E5M2 = Format<MPT_F8E5M2, std::uint8_t>;

inline bool is_float(std::int32_t dtype) {
    return dtype == MPT_F64 || dtype == MPT_F32 || dtype == MPT_F16 || dtype == MPT_BF16;
}

// f(Format{}) for the dtype; false when there is no such dtype.
template <class F>
bool visit_float(std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_F64:
            f(F64{});
            return true;
        case MPT_F32:
            f(F32{});
            return true;
        case MPT_F16:
            f(F16{});
            return true;
        case MPT_BF16:
            f(BF16{});
            return true;
        default:
            return false;
    }
}

template <class F>
bool visit_integer(std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_I8:
            f(Format<MPT_I8, std::int8_t>{});
            return true;
        case MPT_I16:
            f(Format<MPT_I16, std::int16_t>{});
            return true;
        case MPT_I32:
            f(Format<MPT_I32, std::int32_t>{});
            return true;
        case MPT_I64:
            f(Format<MPT_I64, std::int64_t>{});
            return true;
        case MPT_U8:
            f(Format<MPT_U8, std::uint8_t>{});
            return true;
        case MPT_BOOL:
            f(Bool{});
            return true;
        default:
            return false;
    }
}

// fp8 is stored and converted; no kernel but products computes with it.
template <class F>
bool visit_f8(std::int32_t dtype, F &&f) {
    switch (dtype) {
        case MPT_F8E4M3:
            f(F8E4M3{});
            return true;
        case MPT_F8E5M2:
            f(F8E5M2{});
            return true;
        default:
            return false;
    }
}

template <class F>
bool visit(std::int32_t dtype, F &&f) {
    return visit_float(dtype, f) || visit_integer(dtype, f) || visit_f8(dtype, f);
}

inline std::size_t bytes_of(std::int32_t dtype) {
    std::size_t bytes = 0;
    visit(dtype, [&](auto format) { bytes = sizeof(typename decltype(format)::Stored); });
    return bytes;
}

[[noreturn]] inline void unsupported_dtype(const char *kernel, std::int32_t dtype) {
    throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kernel) + ": dtype " + std::to_string(dtype) + " is not supported on the CPU"};
}

// The value of a stored element.
template <class From, class C>
inline C widen(typename From::Stored x) {
    if constexpr (From::dtype == MPT_F16)
        return static_cast<C>(f16_to_f32(x));
    else if constexpr (From::dtype == MPT_BF16)
        return static_cast<C>(bf16_to_f32(x));
    else if constexpr (From::dtype == MPT_F8E4M3)
        return static_cast<C>(f8e4m3_to_f32(x));
    else if constexpr (From::dtype == MPT_F8E5M2)
        return static_cast<C>(f8e5m2_to_f32(x));
    else if constexpr (From::dtype == MPT_BOOL)
        return static_cast<C>(x != 0);
    else
        return static_cast<C>(x);
}

// Truncates and saturates; NaN gives 0.
template <class I>
inline I to_integer(double x) {
    constexpr double low = static_cast<double>(std::numeric_limits<I>::min());
    constexpr double end = 2.0 * static_cast<double>(I{1} << (std::numeric_limits<I>::digits - 1));  // one past the largest
    if (x != x) return 0;
    if (x <= low) return std::numeric_limits<I>::min();
    if (x >= end) return std::numeric_limits<I>::max();
    return static_cast<I>(x);
}

// What is stored for a value.
template <class To, class C>
inline typename To::Stored narrow(C x) {
    if constexpr (To::dtype == MPT_F16)
        return f32_to_f16(static_cast<float>(x));
    else if constexpr (To::dtype == MPT_BF16)
        return f32_to_bf16(static_cast<float>(x));
    else if constexpr (To::dtype == MPT_F8E4M3)
        return f32_to_f8e4m3(static_cast<float>(x));
    else if constexpr (To::dtype == MPT_F8E5M2)
        return f32_to_f8e5m2(static_cast<float>(x));
    else if constexpr (To::dtype == MPT_BOOL)
        return x != C{0};
    else if constexpr (std::is_integral_v<typename To::Stored> && std::is_floating_point_v<C>)
        return to_integer<typename To::Stored>(x);
    else
        return static_cast<typename To::Stored>(x);
}

// The dtype whose elements are values of C as they stand.
template <class C>
constexpr std::int32_t dtype_of() {
    return std::is_same_v<C, double> ? MPT_F64 : std::is_same_v<C, float> ? MPT_F32 : MPT_I64;
}

}  // namespace mpt::cpu
