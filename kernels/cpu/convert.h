// Conversions between f32 and the 16-bit and 8-bit formats: round to nearest even, every NaN becomes 7FFF or 7F, f32 denormals are
// kept; infinity stays in 16 bits and saturates in 8. The row functions give the same bits as the scalar ones and are fast on this machine.
#pragma once

#include <bit>
#include <cstdint>

namespace mpt::cpu {

inline float f16_to_f32(std::uint16_t h) {
    const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
    const std::uint32_t magnitude = static_cast<std::uint32_t>(h & 0x7FFFu) << 13;
    // Below 2^-14 the value is a multiple of 2^-24, which 2^-14 + x - 2^-14 computes exactly.
    const std::uint32_t tiny =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude + 0x38800000u) - std::bit_cast<float>(0x38800000u));
    const std::uint32_t normal = magnitude + 0x38000000u;
    const std::uint32_t special = magnitude + 0x70000000u;
    const std::uint32_t quiet = magnitude > 0x0F800000u ? 0x00400000u : 0u;
    return std::bit_cast<float>(sign | (magnitude < 0x00800000u ? tiny : magnitude < 0x0F800000u ? normal : special | quiet));
}

inline std::uint16_t f32_to_f16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000u;
    const std::uint32_t x = bits & 0x7FFFFFFFu;
    const std::uint32_t normal = (x - 0x38000000u + 0xFFFu + ((x >> 13) & 1u)) >> 13;
    // Below 2^-14: adding 0.5 lets the addition round at 2^-24.
    const std::uint32_t tiny = std::bit_cast<std::uint32_t>(std::bit_cast<float>(x) + 0.5f) - 0x3F000000u;
    const std::uint32_t finite = x < 0x38800000u ? tiny : normal;
    const std::uint32_t number = sign | (x >= 0x47800000u ? 0x7C00u : finite);
    return static_cast<std::uint16_t>(x > 0x7F800000u ? 0x7FFFu : number);
}

inline float bf16_to_f32(std::uint16_t h) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(h) << 16);
}

inline std::uint16_t f32_to_bf16(float value) {
    const std::uint32_t x = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t rounded = (x + 0x7FFFu + ((x >> 16) & 1u)) >> 16;
    return static_cast<std::uint16_t>((x & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFFu : rounded);
}

inline float f8e5m2_to_f32(std::uint8_t b) {
    return f16_to_f32(static_cast<std::uint16_t>(b << 8));  // the upper half of an f16
}

inline float f8e4m3_to_f32(std::uint8_t b) {
    const std::uint32_t sign = static_cast<std::uint32_t>(b & 0x80u) << 24;
    const std::uint32_t magnitude = static_cast<std::uint32_t>(b & 0x7Fu) << 20;
    // Below 2^-6 the value is a multiple of 2^-9, which 2^-6 + x - 2^-6 computes exactly.
    const std::uint32_t tiny =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude + 0x3C800000u) - std::bit_cast<float>(0x3C800000u));
    const std::uint32_t number = magnitude < 0x00800000u ? tiny : magnitude + 0x3C000000u;
    return std::bit_cast<float>(sign | (magnitude == 0x07F00000u ? 0x7FC00000u : number));
}

namespace detail {

// M bits of mantissa; Least: the exponent field, as f32, of the smallest normal number; Largest: the code of the largest finite one.
template <unsigned M, std::uint32_t Least, std::uint32_t Largest>
inline std::uint8_t f32_to_f8(float value) {
    constexpr unsigned kDrop = 23 - M;
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t x = bits & 0x7FFFFFFFu;
    const std::uint32_t normal = (x - ((Least - 1) << 23) + ((1u << (kDrop - 1)) - 1) + ((x >> kDrop) & 1u)) >> kDrop;
    // Below the smallest normal number: adding a power of two lets the addition round at the smallest denormal.
    constexpr std::uint32_t kMagic = (Least + kDrop) << 23;
    const std::uint32_t tiny = std::bit_cast<std::uint32_t>(std::bit_cast<float>(x) + std::bit_cast<float>(kMagic)) - kMagic;
    const std::uint32_t rounded = x < (Least << 23) ? tiny : normal;
    const std::uint32_t number = (bits >> 24 & 0x80u) | (rounded > Largest ? Largest : rounded);
    return static_cast<std::uint8_t>(x > 0x7F800000u ? 0x7Fu : number);
}

}  // namespace detail

inline std::uint8_t f32_to_f8e4m3(float value) { return detail::f32_to_f8<3, 121, 0x7E>(value); }
inline std::uint8_t f32_to_f8e5m2(float value) { return detail::f32_to_f8<2, 113, 0x7B>(value); }

void f16_row_to_f32(const std::uint16_t *in, float *out, std::int64_t n);
void f32_row_to_f16(const float *in, std::uint16_t *out, std::int64_t n);
void bf16_row_to_f32(const std::uint16_t *in, float *out, std::int64_t n);
void f32_row_to_bf16(const float *in, std::uint16_t *out, std::int64_t n);

}  // namespace mpt::cpu
