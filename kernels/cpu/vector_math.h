// Functions in f32 that the compiler can vectorise: branch-free, within 2 to 3 units in the last place, the same bits on
// every machine (libm's differ between versions). Polynomials: Cephes, where nothing else is said. In f64 libm is used.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace mpt::cpu {

inline double vexp(double x) {
    return std::exp(x);
}
inline double vexp2(double x) {
    return std::exp2(x);
}
inline double vexpm1(double x) {
    return std::expm1(x);
}
inline double vlog(double x) {
    return std::log(x);
}
inline double vlog2(double x) {
    return std::log2(x);
}
inline double vlog10(double x) {
    return std::log10(x);
}
inline double vlog1p(double x) {
    return std::log1p(x);
}
inline double vtanh(double x) {
    return std::tanh(x);
}
inline double verf(double x) {
    return std::erf(x);
}

inline constexpr float kRoundMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, which the low bits then hold

// x = n ln 2 + r, |r| <= ln 2 / 2; n ln 2 is taken off in two steps of which the first is exact.
struct Reduced {
    std::int32_t n;
    float r;
};
inline std::int32_t low_bits(float shifted) {
    return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - std::bit_cast<std::uint32_t>(kRoundMagic));
}
inline Reduced reduce_by_ln2(float x) {
    const float shifted = x * 1.44269504088896341f + kRoundMagic;
    const float k = shifted - kRoundMagic;
    return {low_bits(shifted), (x - k * 0.693359375f) - k * -2.12194440e-4f};
}

// e^r - 1 for |r| <= 0.4.
inline float expm1_near_zero(float r) {
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
}

// y * 2^n as two factors: one alone would overflow at the upper end and lose the denormals at the lower.
inline float times_power_of_two(float y, std::int32_t n) {
    const std::int32_t half = n >> 1;
    const float a = std::bit_cast<float>(static_cast<std::uint32_t>(half + 127) << 23);
    const float b = std::bit_cast<float>(static_cast<std::uint32_t>(n - half + 127) << 23);
    return y * a * b;
}

// Bounds: where exp is 0 or infinite, and a little beyond.
inline float vexp(float x) {
    x = x < -105.0f ? -105.0f : x;
    const Reduced part = reduce_by_ln2(x > 89.0f ? 89.0f : x);
    return times_power_of_two(expm1_near_zero(part.r) + 1.0f, part.n);
}

// The smaller of two numbers that are not negative, on their bits: compilers give a comparison of floats a path of its own, with a
// second copy of all that follows. b for a NaN.
inline float min_magnitude(float a, float b) {
    return std::bit_cast<float>(std::min(std::bit_cast<std::uint32_t>(a), std::bit_cast<std::uint32_t>(b)));
}
inline double min_magnitude(double a, double b) {
    return a < b ? a : b;
}

// exp(-d + tail) for d from 0 to 88; 0 from 87.7 on, where the result would be no normal number.
inline float decay(float d, float tail) {
    const Reduced part = reduce_by_ln2(-d);
    return std::bit_cast<float>(static_cast<std::uint32_t>(part.n + 127) << 23) * (expm1_near_zero(part.r + tail) + 1.0f);
}
inline float decay(float d) {
    const Reduced part = reduce_by_ln2(-d);
    return std::bit_cast<float>(static_cast<std::uint32_t>(part.n + 127) << 23) * (expm1_near_zero(part.r) + 1.0f);
}
// exp(-|x|), 0 for NaN.
inline float vexp_decay(float x) {
    return decay(min_magnitude(std::fabs(x), 88.0f));
}
inline double vexp_decay(double x) {
    return std::exp(-std::fabs(x));
}

inline float vexp2(float x) {
    x = x < -151.0f ? -151.0f : x;
    x = x > 129.0f ? 129.0f : x;
    const float shifted = x + kRoundMagic;
    const float r = (x - (shifted - kRoundMagic)) * 0.693147180559945309f;  // the difference is exact
    return times_power_of_two(expm1_near_zero(r) + 1.0f, low_bits(shifted));
}

// exp(x) - 1 for x up to 40.
inline float expm1_below_40(float x) {
    const Reduced part = reduce_by_ln2(x < -80.0f ? -80.0f : x);
    const float power = std::bit_cast<float>(static_cast<std::uint32_t>(part.n + 127) << 23);
    return power * expm1_near_zero(part.r) + (power - 1.0f);
}

// exp(-|x|) - 1.
inline float vexpm1_decay(float x) {
    return expm1_below_40(-std::fabs(x));
}
inline double vexpm1_decay(double x) {
    return std::expm1(-std::fabs(x));
}

inline float vexpm1(float x) {
    const float y = expm1_below_40(x > 40.0f ? 40.0f : x);
    return x > 40.0f ? vexp(x) : y;
}

// A positive number as 2^e (1 + m), m in [sqrt(1/2) - 1, sqrt(2) - 1), and log(1 + m) = m - half + cubic.
struct LogParts {
    float e, m, half, cubic;
};
inline LogParts log_parts(float x) {
    const bool tiny = x < std::numeric_limits<float>::min();
    const float scaled = tiny ? x * 8388608.0f : x;  // 2^23
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(scaled);
    const std::uint32_t moved = bits - 0x3F3504F3u;  // the exponent's border at sqrt(1/2)
    LogParts parts;
    parts.e = static_cast<float>(static_cast<std::int32_t>(moved) >> 23);
    parts.e = tiny ? parts.e - 23.0f : parts.e;
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
    parts.m = m;
    parts.half = 0.5f * z;
    parts.cubic = m * z * p;
    return parts;
}
// The logarithm y of x where that is a positive number, else what it has to be.
inline float log_ends(float x, float y) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    y = x == kInfinity ? x : y;
    y = x == 0.0f ? -kInfinity : y;
    return x >= 0.0f ? y : std::numeric_limits<float>::quiet_NaN();
}

// log(x) for a positive number x.
inline float log_in_range(float x) {
    const LogParts l = log_parts(x);
    return (l.m + ((l.cubic + l.e * -2.12194440e-4f) - l.half)) + l.e * 0.693359375f;
}

inline float vlog(float x) {
    return log_ends(x, log_in_range(x));
}

// The factors' leading parts have few digits, so that the large products are exact.
inline float vlog2(float x) {
    const LogParts l = log_parts(x);
    const float rest = l.cubic - l.half;
    return log_ends(x, (((rest + l.m) * 0.442695040888963407f + rest) + l.m) + l.e);
}
inline float vlog10(float x) {
    const LogParts l = log_parts(x);
    const float rest = l.cubic - l.half;
    const float small = (rest + l.m) * 7.00731903251827651129e-4f + l.e * 2.48745663981195213739e-4f;
    return log_ends(x, ((small + rest * 0.43359375f) + l.m * 0.43359375f) + l.e * 0.30078125f);
}

// log(1 + x) as log(u) for the rounded u = 1 + x, and the first term of what u is off by.
inline float vlog1p(float x) {
    const float u = 1.0f + x;
    const float off = x < 1.0f ? x - (u - 1.0f) : 1.0f - (u - x);
    const float log_u = vlog(u), y = log_u + off / u;
    const bool plain = u > 0.0f && u < std::numeric_limits<float>::infinity();
    return x == 0.0f ? x : plain ? y : log_u;
}
// For x from 0 to 1.
inline float log1p_to_1(float x) {
    const float u = 1.0f + x;
    return log_in_range(u) + (x - (u - 1.0f)) / u;
}
inline double log1p_to_1(double x) {
    return std::log1p(x);
}

inline float vtanh(float x) {
    const float t = vexpm1_decay(2.0f * x);
    return x == 0.0f ? x : std::copysign(t / (t + 2.0f), x);
}

// 1 / (1 + exp(-x)), without overflow and exact in both tails.
template <class C>
inline C vsigmoid(C x) {
    const C e = vexp_decay(x);
    return (x < C{0} ? e : x == x ? C{1} : x) / (C{1} + e);
}

// The normal distribution at a magnitude a: e = exp(-a^2 / 2) and the integral up to -a.
template <class C>
struct Normal {
    C a, e, tail;
};

// The integral is e t P(t), t = 1 / (1 + 5 a / 16). P is a minimax polynomial of the relative error (0.2 units in the last place)
// up to a = 14.5.
inline float normal_tail(float a, float e) {
    const float t = 1.0f / (1.0f + 0.3125f * a);
    float p = -1.9025824964e-2f;
    p = p * t + 9.1434389353e-2f;
    p = p * t - 1.5108229220e-1f;
    p = p * t + 7.4268281460e-2f;
    p = p * t - 2.5088526309e-3f;
    p = p * t + 5.5517822504e-2f;
    p = p * t + 9.0099148452e-2f;
    p = p * t + 1.1188139766e-1f;
    p = p * t + 1.2475057691e-1f;
    p = p * t + 1.2466534972e-1f;
    return e * (t * p);
}

// At |x|, or where e has become 0; that for NaN too.
inline Normal<float> normal(float x) {
    const float a = min_magnitude(std::fabs(x), 13.25f);
    // a^2 in two parts, of which the first is exact: a relative error of a^2 would be one of e times a^2.
    const float high = std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) & 0xFFFFF000u);
    const float e = decay(0.5f * (high * high), -0.5f * ((a - high) * (a + high)));
    return {a, e, normal_tail(a, e)};
}
inline Normal<double> normal(double x) {
    const double a = min_magnitude(std::fabs(x), 40.0);
    return {a, std::exp(-0.5 * a * a), 0.5 * std::erfc(a * 0.707106781186547524)};
}

// Near 0 an odd polynomial (minimax of the relative error), beyond it 1 - 2 times the integral up to -sqrt(2) a.
inline float verf(float x) {
    const float a = min_magnitude(std::fabs(x), 5.0f);
    const float z = a * a;
    float p = -5.1781639922e-4f;
    p = p * z + 4.8368377611e-3f;
    p = p * z - 2.6661295444e-2f;
    p = p * z + 1.1278919131e-1f;
    p = p * z - 3.7612214684e-1f;
    p = p * z + 1.1283791065e+0f;
    const float far = 1.0f - 2.0f * normal_tail(a * 1.41421356237309505f, decay(z));
    const float y = a < 0.875f ? a * p : far;
    return x == x ? std::copysign(y, x) : x;
}

// Sine and cosine of 2 pi u for u in [0, 1].
inline void vsincos_turns(float u, float &sine, float &cosine) {
    const float shifted = u * 4.0f + kRoundMagic;
    const std::uint32_t quarter = std::bit_cast<std::uint32_t>(shifted);
    const float t = (u - (shifted - kRoundMagic) * 0.25f) * 6.28318530717958648f;  // the difference is exact
    const float z = t * t;
    const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * t + t;
    const float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.0f;
    const float x = (quarter & 1u) ? c : s;
    const float y = (quarter & 1u) ? s : c;
    sine = (quarter & 2u) ? -x : x;
    cosine = ((quarter + 1u) & 2u) ? -y : y;
}

}  // namespace mpt::cpu
