// exp, log and sine/cosine in f32 that the compiler can vectorise: branch-free, within 2 units in the last place, the
// same bits on every machine (libm's differ between versions). Polynomials: Cephes. In f64 libm is used.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mpt::cpu {

inline double vexp(double x) {
    return std::exp(x);
}
inline double vlog(double x) {
    return std::log(x);
}

inline float vexp(float x) {
    constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, which the low bits then hold
    x = x < -105.0f ? -105.0f : x;
    x = x > 89.0f ? 89.0f : x;
    const float shifted = x * 1.44269504088896341f + kMagic;
    const std::int32_t n = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kMagic));
    const float k = shifted - kMagic;
    const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const float y = (p * (r * r) + r) + 1.0f;
    // 2^n as two factors: one alone would overflow at the upper end and lose the denormals at the lower.
    const std::int32_t half = n >> 1;
    const float a = std::bit_cast<float>(static_cast<std::uint32_t>(half + 127) << 23);
    const float b = std::bit_cast<float>(static_cast<std::uint32_t>(n - half + 127) << 23);
    return y * a * b;
}

inline float vlog(float x) {
    const bool tiny = x < std::numeric_limits<float>::min();
    const float scaled = tiny ? x * 8388608.0f : x;  // 2^23
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(scaled);
    // The mantissa in [sqrt(1/2), sqrt(2)): the offset moves the exponent's border there.
    const std::uint32_t moved = bits - 0x3F3504F3u;
    float e = static_cast<float>(static_cast<std::int32_t>(moved) >> 23);
    e = tiny ? e - 23.0f : e;
    const float m = std::bit_cast<float>((moved & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    const float z = m * m;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    float y = m * z * p;
    y = y + e * -2.12194440e-4f;
    y = y - 0.5f * z;
    y = (m + y) + e * 0.693359375f;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    y = x == kInfinity ? x : y;
    y = x == 0.0f ? -kInfinity : y;
    return x >= 0.0f ? y : std::numeric_limits<float>::quiet_NaN();
}

// Sine and cosine of 2 pi u for u in [0, 1].
inline void vsincos_turns(float u, float &sine, float &cosine) {
    constexpr float kMagic = 12582912.0f;
    const float shifted = u * 4.0f + kMagic;
    const std::uint32_t quarter = std::bit_cast<std::uint32_t>(shifted);
    const float t = (u - (shifted - kMagic) * 0.25f) * 6.28318530717958648f;  // the difference is exact
    const float z = t * t;
    const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * t + t;
    const float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
    const float x = (quarter & 1u) ? c : s;
    const float y = (quarter & 1u) ? s : c;
    sine = (quarter & 2u) ? -x : x;
    cosine = ((quarter + 1u) & 2u) ? -y : y;
}

}  // namespace mpt::cpu
