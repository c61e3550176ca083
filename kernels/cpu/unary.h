// Elementwise functions of one input with their gradients. A function is a struct with `value(x, scale, shift)` and, where
// "unary_grad" has it, `gradient(dy, v, scale, shift)`; both for C float and double. The files unary_*.cpp hold them by subject.
#pragma once

#include <cstdint>

#include "isa.h"

namespace mpt::cpu {

template <class C>
using ValueRow = void (*)(const C *x, C *y, std::int64_t n, C scale, C shift);
template <class C>
using GradRow = void (*)(const C *dy, const C *v, C *dx, std::int64_t n, C scale, C shift);

// One function over a row. Null where there is no gradient.
template <class C>
struct UnaryRows {
    ValueRow<C> value = nullptr;
    GradRow<C> gradient = nullptr;
};
struct UnaryFunction {
    UnaryRows<float> f32;
    UnaryRows<double> f64;
};

template <class F, class C>
void value_row(const C *x, C *y, std::int64_t n, C scale, C shift) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = F::value(x[i], scale, shift);
}
template <class F, class C>
void grad_row(const C *dy, const C *v, C *dx, std::int64_t n, C scale, C shift) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) dx[i] = F::gradient(dy[i], v[i], scale, shift);
}

template <class F>
concept HasGradient = requires(float v) {
    F::gradient(v, v, v, v);
};

// For each instruction set: what vectorises.
template <class F, class C>
UnaryRows<C> versions() {
    UnaryRows<C> rows{Versions<&value_row<F, C>>::best()};
    if constexpr (HasGradient<F>) rows.gradient = Versions<&grad_row<F, C>>::best();
    return rows;
}
// Once: what calls libm for every element.
template <class F, class C>
UnaryRows<C> plain() {
    UnaryRows<C> rows{value_row<F, C>};
    if constexpr (HasGradient<F>) rows.gradient = grad_row<F, C>;
    return rows;
}

// Arithmetic alone; functions of vector_math.h, which call libm in f64; libm.
template <class F>
UnaryFunction arithmetic() {
    return {versions<F, float>(), versions<F, double>()};
}
template <class F>
UnaryFunction vector_math() {
    return {versions<F, float>(), plain<F, double>()};
}
template <class F>
UnaryFunction libm() {
    return {plain<F, float>(), plain<F, double>()};
}

// The functions of a file by their kind; rows stay null for a kind that is another file's.
UnaryFunction arithmetic_function(std::int64_t kind);
UnaryFunction exponential_function(std::int64_t kind);
UnaryFunction power_function(double exponent);
UnaryFunction trigonometric_function(std::int64_t kind);
UnaryFunction activation_function(std::int64_t kind);

}  // namespace mpt::cpu
