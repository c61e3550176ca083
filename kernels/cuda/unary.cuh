// Functions of one input with their gradients, and the kernels made of them. A function is a struct with value(x, scale, shift)
// and, where "unary_grad" has it, gradient(dy, v, scale, shift). What is long and seldom used is called instead of inlined: it is
// compiled once, and not for every element of a pack.
#pragma once

#include <cmath>
#include <numbers>

#include "elementwise.cuh"
#include "unary.h"

#define MPT_INLINED static __device__ __forceinline__ float
#define MPT_CALLED static __device__ __noinline__ float

namespace mpt::cuda {

// Arithmetic.
struct Neg {
    MPT_INLINED value(float x, float, float) { return -x; }
};
struct Sqrt {
    MPT_INLINED value(float x, float, float) { return sqrtf(x); }
    MPT_INLINED gradient(float dy, float y, float, float) { return 0.5f * dy / y; }
};
struct Affine {
    MPT_INLINED value(float x, float scale, float shift) { return scale * x + shift; }
};
struct Abs {
    MPT_INLINED value(float x, float, float) { return fabsf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return x > 0 ? dy : x < 0 ? -dy : dy * x; }  // 0 at 0; NaN stays
};
struct Sign {
    MPT_INLINED value(float x, float, float) { return x > 0 ? 1.0f : x < 0 ? -1.0f : x; }
};
struct Square {
    MPT_INLINED value(float x, float, float) { return x * x; }
    MPT_INLINED gradient(float dy, float x, float, float) { return 2 * dy * x; }
};
struct Rsqrt {
    MPT_INLINED value(float x, float, float) { return 1 / sqrtf(x); }
    MPT_INLINED gradient(float dy, float y, float, float) { return -0.5f * dy * y * y * y; }
};
struct Reciprocal {
    MPT_INLINED value(float x, float, float) { return 1 / x; }
    MPT_INLINED gradient(float dy, float y, float, float) { return -dy * y * y; }
};
struct Floor {
    MPT_INLINED value(float x, float, float) { return floorf(x); }
};
struct Ceil {
    MPT_INLINED value(float x, float, float) { return ceilf(x); }
};
struct Round {
    MPT_INLINED value(float x, float, float) { return rintf(x); }
};
struct Trunc {
    MPT_INLINED value(float x, float, float) { return truncf(x); }
};
struct Clamp {
    MPT_INLINED value(float x, float low, float high) {
        x = x < low ? low : x;
        return x > high ? high : x;
    }
    MPT_INLINED gradient(float dy, float x, float low, float high) { return x > low && x < high ? dy : 0; }
};

// Exponentials, logarithms, powers and the error function.
struct Exp {
    MPT_INLINED value(float x, float, float) { return expf(x); }
};
struct Log {
    MPT_INLINED value(float x, float, float) { return logf(x); }
};
struct Exp2 {
    MPT_INLINED value(float x, float, float) { return exp2f(x); }
    MPT_INLINED gradient(float dy, float y, float, float) { return dy * y * std::numbers::ln2_v<float>; }
};
struct Expm1 {
    MPT_CALLED value(float x, float, float) { return expm1f(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy * expf(x); }
};
struct Log2 {
    MPT_INLINED value(float x, float, float) { return log2f(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy * std::numbers::log2e_v<float> / x; }
};
struct Log10 {
    MPT_INLINED value(float x, float, float) { return log10f(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy * std::numbers::log10e_v<float> / x; }
};
struct Log1p {
    MPT_CALLED value(float x, float, float) { return log1pf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy / (1 + x); }
};
struct Erf {
    MPT_INLINED value(float x, float, float) { return erff(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy * (2 * std::numbers::inv_sqrtpi_v<float> * expf(-x * x)); }
};
struct Pow {
    MPT_CALLED value(float x, float exponent, float) { return powf(x, exponent); }
    MPT_CALLED gradient(float dy, float x, float exponent, float) {
        return exponent == 0 ? 0 : dy * (exponent * powf(x, exponent - 1));
    }
};
// The exponents that are arithmetic; -1, -0.5, 0.5 and 2 are functions from above but for the gradient, which is of x here.
struct PowMinus1 : Reciprocal {
    MPT_INLINED gradient(float dy, float x, float, float) { return -dy / (x * x); }
};
struct PowMinusHalf : Rsqrt {
    MPT_INLINED gradient(float dy, float x, float, float) { return -0.5f * dy / (x * sqrtf(x)); }
};
struct PowHalf : Sqrt {
    MPT_INLINED gradient(float dy, float x, float, float) { return 0.5f * dy / sqrtf(x); }
};
struct Pow3 {
    MPT_INLINED value(float x, float, float) { return x * x * x; }
    MPT_INLINED gradient(float dy, float x, float, float) { return 3 * dy * (x * x); }
};

// Trigonometric and hyperbolic functions and their inverses.
struct Sin {
    MPT_CALLED value(float x, float, float) { return sinf(x); }
    MPT_CALLED gradient(float dy, float x, float, float) { return dy * cosf(x); }
};
struct Cos {
    MPT_CALLED value(float x, float, float) { return cosf(x); }
    MPT_CALLED gradient(float dy, float x, float, float) { return -dy * sinf(x); }
};
struct Tan {
    MPT_CALLED value(float x, float, float) { return tanf(x); }
    MPT_INLINED gradient(float dy, float y, float, float) { return dy * (1 + y * y); }
};
struct Asin {
    MPT_CALLED value(float x, float, float) { return asinf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy / sqrtf((1 - x) * (1 + x)); }
};
struct Acos {
    MPT_CALLED value(float x, float, float) { return acosf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return -dy / sqrtf((1 - x) * (1 + x)); }
};
struct Atan {
    MPT_CALLED value(float x, float, float) { return atanf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy / (1 + x * x); }
};
struct Sinh {
    MPT_CALLED value(float x, float, float) { return sinhf(x); }
    MPT_CALLED gradient(float dy, float x, float, float) { return dy * coshf(x); }
};
struct Cosh {
    MPT_CALLED value(float x, float, float) { return coshf(x); }
    MPT_CALLED gradient(float dy, float x, float, float) { return dy * sinhf(x); }
};
struct Tanh {
    MPT_INLINED value(float x, float, float) { return tanhf(x); }
    MPT_INLINED gradient(float dy, float y, float, float) { return dy * ((1 - y) * (1 + y)); }
};
struct Asinh {
    MPT_CALLED value(float x, float, float) { return asinhf(x); }
    MPT_CALLED gradient(float dy, float x, float, float) { return dy / hypotf(x, 1.0f); }  // x * x may overflow
};
struct Acosh {
    MPT_CALLED value(float x, float, float) { return acoshf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy / (sqrtf(x - 1) * sqrtf(x + 1)); }
};
struct Atanh {
    MPT_CALLED value(float x, float, float) { return atanhf(x); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy / ((1 - x) * (1 + x)); }
};

// 1 / d for d from 1 on, where a Newton step is enough and the division's care for denormal numbers is not needed.
__device__ __forceinline__ float reciprocal_from_1(float d) {
    float r;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(d));
    return __fmaf_rn(r, __fmaf_rn(-d, r, 1.0f), r);
}

// Activation functions. exp(-|x|) serves both signs: it never overflows, and what is small keeps its digits.
struct Relu {
    MPT_INLINED value(float x, float, float) { return x < 0 ? 0 : x; }  // NaN stays
};
struct Sigmoid {
    MPT_INLINED value(float x, float, float) {
        const float e = expf(-fabsf(x)), large = reciprocal_from_1(1 + e);
        return x < 0 ? e * large : large;
    }
    MPT_INLINED gradient(float dy, float x, float, float) {  // from x: near 1 the rounded result has lost its distance from it
        const float e = expf(-fabsf(x)), large = reciprocal_from_1(1 + e);
        return dy * (e * large * large);
    }
};
struct Silu {
    MPT_INLINED value(float x, float, float) { return x * Sigmoid::value(x, 0, 0); }
    MPT_INLINED gradient(float dy, float x, float, float) {
        const float e = expf(-fabsf(x));
        const float large = reciprocal_from_1(1 + e), small = e * large;  // sigmoids of |x| and -|x|
        return dy * (x < 0 ? small * (1 + x * large) : large * (1 + x * small));
    }
};
struct Softplus {
    MPT_INLINED value(float x, float, float) { return (x < 0 ? 0 : x) + log1pf(expf(-fabsf(x))); }
    MPT_INLINED gradient(float dy, float x, float, float) { return dy * Sigmoid::value(x, 0, 0); }
};
struct LeakyRelu {
    MPT_INLINED value(float x, float slope, float) { return x > 0 ? x : slope * x; }
    MPT_INLINED gradient(float dy, float x, float slope, float) { return x > 0 ? dy : slope * dy; }
};
struct Elu {
    MPT_INLINED value(float x, float alpha, float) { return x > 0 ? x : alpha * expm1f(x); }
    MPT_INLINED gradient(float dy, float x, float alpha, float) { return x > 0 ? dy : dy * (alpha * expf(x)); }
};

// The normal distribution at a magnitude a: e = exp(-a^2 / 2) and the integral up to -a.
struct Normal {
    float a, e, tail;
};
// At |x|, or where e has become 0; that for NaN too. The integral is e t P(t), t = 1 / (1 + 5 a / 16), with the CPU's P: a minimax
// polynomial of the relative error up to a = 14.5.
__device__ __forceinline__ Normal normal(float x) {
    const float a = fminf(fabsf(x), 14.5f);
    // With what a^2 was rounded by: a relative error of a^2 would be one of e times a^2.
    const float square = a * a, rest = __fmaf_rn(a, a, -square);
    const float power = expf(-0.5f * square);
    const float e = __fmaf_rn(power, -0.5f * rest, power);
    const float t = reciprocal_from_1(1 + 0.3125f * a);
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
    return {a, e, e * (t * p)};
}
// x times the normal distribution's integral up to x.
struct Gelu {
    MPT_INLINED value(float x, float, float) {
        const Normal n = normal(x);
        return (x < 0 ? 0 : x) - n.a * n.tail;
    }
    MPT_INLINED gradient(float dy, float x, float, float) {
        const Normal n = normal(x);
        constexpr float kDensity = std::numbers::inv_sqrtpi_v<float> / std::numbers::sqrt2_v<float>;
        return dy * ((x < 0 ? n.tail : 1 - n.tail) + x * (n.e * kDensity));
    }
};
// x/2 (1 + tanh u) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3).
struct GeluTanh {
    static constexpr float kTwice = 2 * std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
    static constexpr float kCubic = 0.044715f;

    MPT_INLINED value(float x, float, float) {
        const float square = fminf(x * x, 10000.0f);  // beyond, sigmoid is 0 or 1, and powers may overflow
        const float w = x * (kTwice + kTwice * kCubic * square);
        return x * Sigmoid::value(w, 0, 0);
    }
    MPT_INLINED gradient(float dy, float x, float, float) {
        const float square = fminf(x * x, 10000.0f);
        const float w = x * (kTwice + kTwice * kCubic * square);
        const float slope = x * (kTwice + 3 * kTwice * kCubic * square);  // x dw/dx
        const float e = expf(-fabsf(w));
        const float large = reciprocal_from_1(1 + e), small = e * large;
        return dy * (x < 0 ? small * (1 + slope * large) : large * (1 + slope * small));
    }
};

template <class Function>
struct Value {
    float scale, shift;
    __device__ __forceinline__ float operator()(float x) const { return Function::value(x, scale, shift); }
};

template <class Function>
std::unique_ptr<Kernel> prepare_value(Device &device, const mpt_mod_call &call, const mpt_attrs_unary &attrs) {
    std::unique_ptr<Kernel> kernel;
    visit_float("unary", call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        const Value<Function> f{static_cast<float>(attrs.scale), static_cast<float>(attrs.shift)};
        const Elementwise<float, T, T> elements(device, "unary", call.out[0], {&call.in[0]});
        kernel = kernel_of("cuda:unary", [f, elements](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            elements.run(stream, f, {in[0]}, out[0]);
        });
    });
    return kernel;
}

}  // namespace mpt::cuda
