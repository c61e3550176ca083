// How f16 and bf16 parameters without a master are stored.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "isa.h"
#include "philox.h"

namespace mpt::cpu {

inline constexpr int kDrawsPerBlock = 8;     // of 16 bits
inline constexpr int kRoundingBlocks = 128;  // Philox blocks drawn at once
inline constexpr std::int64_t kRoundingTile = kRoundingBlocks * kDrawsPerBlock;

// bf16 up or down with the probability of the distance: 16 random bits are added below the bits that stay. n up to kRoundingTile.
inline void round_stochastic(const float *values, std::uint16_t *to, std::int64_t n, std::uint64_t seed,
                             std::uint64_t first_block) {
    alignas(64) std::uint32_t lanes[4][kRoundingBlocks], draws[4 * kRoundingBlocks];
    philox<kRoundingBlocks>(seed, first_block, lanes);
    for (int b = 0; b < kRoundingBlocks; b++)
        for (int l = 0; l < 4; l++) draws[4 * b + l] = lanes[l][b];
    const auto rounded = [](float value, std::uint32_t draw) {
        const std::uint32_t x = std::bit_cast<std::uint32_t>(value);
        return static_cast<std::uint16_t>((x & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFFu : (x + draw) >> 16);
    };
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n / 2; i++) {
        to[2 * i] = rounded(values[2 * i], draws[i] & 0xFFFFu);
        to[2 * i + 1] = rounded(values[2 * i + 1], draws[i] >> 16);
    }
    if (n % 2) to[n - 1] = rounded(values[n - 1], draws[n / 2] & 0xFFFFu);
}

// rest = value - stored, what storing has lost; nothing where that is no number. rest may be one of the others.
inline void keep_rest(const float *value, const float *stored, float *rest, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) {
        const float lost = value[i] - stored[i];
        rest[i] = std::fabs(lost) < INFINITY ? lost : 0.0f;
    }
}

inline void add_rest(float *value, const float *rest, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) value[i] += rest[i];
}

// halfway = value + rest / 2
inline void go_halfway(const float *value, const float *rest, float *halfway, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) halfway[i] = value[i] + 0.5f * rest[i];
}

// value += rest where what is stored for halfway is the value: otherwise somebody else has written it since, and the rest is of
// another one.
inline void add_own_rest(float *value, const float *rest, const float *halfway, std::int64_t n) {
    for (std::int64_t i = 0; i < n; i++) value[i] += halfway[i] == value[i] ? rest[i] : 0.0f;
}

}  // namespace mpt::cpu
