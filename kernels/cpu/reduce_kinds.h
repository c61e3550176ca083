// What the kinds of a reduction do to a run, to a row of accumulators and to partial results.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "device/attrs/reduce.h"
#include "isa.h"
#include "kernel.h"
#include "sums.h"
#include "vector_math.h"

namespace mpt::cpu {

// The runs to one value.
template <class C>
C sum_of_run(const C *x, std::int64_t n, C) {
    return sum_run(x, n);
}
template <class C>
C max_of_run(const C *x, std::int64_t n, C) {
    return max_run(x, n);
}
template <class C>
C min_of_run(const C *x, std::int64_t n, C) {
    return min_run(x, n);
}
template <class C>
C product_of_run(const C *x, std::int64_t n, C) {
    return product_run(x, n);
}
template <class C>
C exponentials_of_run(const C *x, std::int64_t n, C centre) {
    constexpr std::int64_t kPiece = 256;
    alignas(64) C e[kPiece];
    C total = 0;
    for (std::int64_t i = 0; i < n; i += kPiece) {
        const std::int64_t length = std::min(kPiece, n - i);
        for (std::int64_t j = 0; j < length; j++) e[j] = vexp(x[i + j] - centre);
        total += sum_run(e, length);
    }
    return total;
}

// acc[j] op= x[r * stride + j]
template <class C>
void column_sum(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *) {
    for (std::int64_t r = 0; r < rows; r++, x += stride)
        for (std::int64_t j = 0; j < n; j++) acc[j] += x[j];
}
template <class C>
void column_max(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *) {
    for (std::int64_t r = 0; r < rows; r++, x += stride)
        for (std::int64_t j = 0; j < n; j++) acc[j] = larger(acc[j], x[j]);
}
template <class C>
void column_min(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *) {
    for (std::int64_t r = 0; r < rows; r++, x += stride)
        for (std::int64_t j = 0; j < n; j++) acc[j] = smaller(acc[j], x[j]);
}
template <class C>
void column_product(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *) {
    for (std::int64_t r = 0; r < rows; r++, x += stride)
        for (std::int64_t j = 0; j < n; j++) acc[j] *= x[j];
}
template <class C>
void column_squares(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *centre) {
    for (std::int64_t r = 0; r < rows; r++, x += stride)
        for (std::int64_t j = 0; j < n; j++) acc[j] += (x[j] - centre[j]) * (x[j] - centre[j]);
}
template <class C>
void column_exponentials(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *centre) {
    for (std::int64_t r = 0; r < rows; r++, x += stride)
        for (std::int64_t j = 0; j < n; j++) acc[j] += vexp(x[j] - centre[j]);
}

// Partial results together, in f64.
inline double combine_sum(double a, double b) {
    return a + b;
}
inline double combine_product(double a, double b) {
    return a * b;
}
template <class C, double (*F)(double, double)>
void combine_row(double *total, const C *row, std::int64_t n) {
    for (std::int64_t j = 0; j < n; j++) total[j] = F(total[j], row[j]);
}

template <class C>
struct ReduceKind {
    C (*run)(const C *x, std::int64_t n, C centre);
    void (*column)(C *acc, const C *x, std::int64_t rows, std::int64_t stride, std::int64_t n, const C *centre);
    C start;
    double (*combine)(double a, double b);
    void (*combine_row)(double *total, const C *row, std::int64_t n);
    double (*finish)(double total, double count, double scale, double centre);
};

template <class C, double (*F)(double, double)>
ReduceKind<C> reduce_kind_of(decltype(ReduceKind<C>::run) run, decltype(ReduceKind<C>::column) column, C start,
                             decltype(ReduceKind<C>::finish) finish) {
    return {run, column, start, F, combine_row<C, F>, finish};
}

template <class C>
ReduceKind<C> reduce_kind(std::int64_t kind) {
    constexpr C kInfinity = std::numeric_limits<C>::infinity();
    const auto sum = Versions<&sum_of_run<C>>::best();
    const auto column = Versions<&column_sum<C>>::best();
    const auto squares = Versions<&squares_run<C>>::best();
    const auto column_of_squares = Versions<&column_squares<C>>::best();
    const auto as_it_is = [](double total, double, double, double) { return total; };
    switch (kind) {
        case MPT_REDUCE_SUM:
            return reduce_kind_of<C, combine_sum>(sum, column, 0, as_it_is);
        case MPT_REDUCE_MEAN:
            return reduce_kind_of<C, combine_sum>(sum, column, 0,
                                                  [](double total, double count, double, double) { return total / count; });
        case MPT_REDUCE_MAX:
            return reduce_kind_of<C, larger<double>>(Versions<&max_of_run<C>>::best(), Versions<&column_max<C>>::best(), -kInfinity,
                                                     as_it_is);
        case MPT_REDUCE_MIN:
            return reduce_kind_of<C, smaller<double>>(Versions<&min_of_run<C>>::best(), Versions<&column_min<C>>::best(), kInfinity,
                                                      as_it_is);
        case MPT_REDUCE_PROD:
            return reduce_kind_of<C, combine_product>(Versions<&product_of_run<C>>::best(), Versions<&column_product<C>>::best(), 1,
                                                      as_it_is);
        case MPT_REDUCE_SQUARES:
            return reduce_kind_of<C, combine_sum>(squares, column_of_squares, 0,
                                                  [](double total, double, double scale, double) { return total * scale; });
        case MPT_REDUCE_NORM:
            return reduce_kind_of<C, combine_sum>(squares, column_of_squares, 0,
                                                  [](double total, double, double, double) { return std::sqrt(total); });
        case MPT_REDUCE_LOGSUMEXP:
            return reduce_kind_of<C, combine_sum>(
                Versions<&exponentials_of_run<C>>::best(), Versions<&column_exponentials<C>>::best(), 0,
                [](double total, double, double, double centre) { return std::log(total) + centre; });
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "reduce: kind " + std::to_string(kind) + " is unknown"};
    }
}

}  // namespace mpt::cpu
