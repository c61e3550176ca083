// The floating formats, written from their definitions with arithmetic alone: an oracle for the library's bit tricks.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "mpt.h"

namespace test {

struct Format {
    int digits;        // of the significand, the hidden one included
    int min_exponent;  // of the smallest normal number
    int max_exponent;  // of the largest
};
inline constexpr Format kHalf{11, -14, 15}, kBfloat{8, -126, 127};

inline std::uint16_t encode(const Format &f, float value) {
    if (std::isnan(value)) return 0x7FFF;
    const int stored = f.digits - 1;
    const unsigned sign = std::signbit(value) ? 0x8000u : 0u;
    const unsigned infinity = static_cast<unsigned>(f.max_exponent - f.min_exponent + 2) << stored;
    const double x = std::fabs(static_cast<double>(value));
    if (x == 0) return static_cast<std::uint16_t>(sign);
    if (std::isinf(value) || std::ilogb(x) > f.max_exponent) return static_cast<std::uint16_t>(sign | infinity);
    const int exponent = std::max(std::ilogb(x), f.min_exponent);
    // To nearest even in units of the last place; a significand that rounds up to the next power of two carries by itself.
    const auto units = static_cast<unsigned>(std::nearbyint(std::ldexp(x, stored - exponent)));
    return static_cast<std::uint16_t>(sign | ((static_cast<unsigned>(exponent - f.min_exponent) << stored) + units));
}

inline float decode(const Format &f, std::uint16_t bits) {
    const int stored = f.digits - 1;
    const int field = (bits & 0x7FFF) >> stored, units = bits & ((1 << stored) - 1);
    double x;
    if (field == f.max_exponent - f.min_exponent + 2)
        x = units ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    else if (field == 0)
        x = std::ldexp(units, f.min_exponent - stored);
    else
        x = std::ldexp(units + (1 << stored), field - 1 + f.min_exponent - stored);
    return static_cast<float>(bits & 0x8000 ? -x : x);
}

// fp8: no E4M3 infinity, saturation instead of infinity, one NaN.
struct Small {
    int digits, min_exponent;
    double largest;
};
inline constexpr Small kE4M3{4, -6, 448}, kE5M2{3, -14, 57344};

inline std::uint8_t encode(const Small &f, float value) {
    if (std::isnan(value)) return 0x7F;
    const int stored = f.digits - 1;
    const unsigned sign = std::signbit(value) ? 0x80u : 0u;
    const auto code = [&](double x) {
        if (x == 0) return 0u;
        const int exponent = std::max(std::ilogb(x), f.min_exponent);
        const auto units = static_cast<unsigned>(std::nearbyint(std::ldexp(x, stored - exponent)));
        return (static_cast<unsigned>(exponent - f.min_exponent) << stored) + units;
    };
    const double x = std::fabs(static_cast<double>(value));
    const unsigned largest = code(f.largest);
    return static_cast<std::uint8_t>(sign | (x >= 2 * f.largest ? largest : std::min(code(x), largest)));
}

inline float decode(const Small &f, std::uint8_t bits) {
    const int stored = f.digits - 1;
    const int field = (bits & 0x7F) >> stored, units = bits & ((1 << stored) - 1);
    const double x = field == 0 ? std::ldexp(units, f.min_exponent - stored) : std::ldexp(units + (1 << stored), field - 1 + f.min_exponent - stored);
    double magnitude = x;
    if (x > f.largest) magnitude = f.digits == 3 && units == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    return static_cast<float>(bits & 0x80 ? -magnitude : magnitude);
}

inline mpt_dtype wide(mpt_dtype dtype) {
    return dtype == MPT_F16 || dtype == MPT_BF16 ? MPT_F32 : dtype;
}

// The value that a dtype can hold next to x. f64 reaches the 16-bit formats through f32.
inline double rounded(mpt_dtype dtype, double x) {
    switch (dtype) {
        case MPT_F32:
            return static_cast<float>(x);
        case MPT_F16:
            return decode(kHalf, encode(kHalf, static_cast<float>(x)));
        case MPT_BF16:
            return decode(kBfloat, encode(kBfloat, static_cast<float>(x)));
        case MPT_F8E4M3:
            return decode(kE4M3, encode(kE4M3, static_cast<float>(x)));
        case MPT_F8E5M2:
            return decode(kE5M2, encode(kE5M2, static_cast<float>(x)));
        default:
            return x;
    }
}

// The most that rounding to nearest changes a normal number, relative to it.
inline double roundoff(mpt_dtype dtype) {
    switch (dtype) {
        case MPT_F32:
            return 0x1p-24;
        case MPT_F16:
            return 0x1p-11;
        case MPT_BF16:
            return 0x1p-8;
        default:
            return 0x1p-53;
    }
}

// The smallest number above 0.
inline double smallest(mpt_dtype dtype) {
    switch (dtype) {
        case MPT_F32:
            return 0x1p-149;
        case MPT_F16:
            return 0x1p-24;
        case MPT_BF16:
            return 0x1p-133;
        default:
            return std::numeric_limits<double>::denorm_min();
    }
}

}  // namespace test
