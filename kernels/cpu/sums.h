// Sums, products and extremes of runs in one fixed order: a set number of lanes, then the lanes in a tree, whatever the
// instruction set. To be called inside a function that Versions compiles.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace mpt::cpu {

// 64 bytes of values of C, as the compiler's own vector type: plain code on machines without such registers.
template <class C>
struct Lanes {
    static constexpr int count = 64 / sizeof(C);
    typedef C Vector __attribute__((vector_size(64)));

    typedef C Unaligned __attribute__((vector_size(64), aligned(alignof(C)), may_alias));

    static inline const Unaligned &at(const C *x) { return *reinterpret_cast<const Unaligned *>(x); }
    static inline C sum(const Vector &v) {
        C x[count];
        std::memcpy(x, &v, sizeof v);
        for (int half = count / 2; half > 0; half /= 2)
            for (int i = 0; i < half; i++) x[i] += x[i + half];
        return x[0];
    }
    static inline C product(const Vector &v) {
        C x[count];
        std::memcpy(x, &v, sizeof v);
        for (int half = count / 2; half > 0; half /= 2)
            for (int i = 0; i < half; i++) x[i] *= x[i + half];
        return x[0];
    }
};

template <class C>
inline C smaller(C a, C b) {  // NaN wins
    return b < a || b != b ? b : a;
}

template <class C>
inline C larger(C a, C b) {  // NaN wins
    return b > a || b != b ? b : a;
}

template <class C>
inline C sum_run(const C *x, std::int64_t n) {
    using L = Lanes<C>;
    typename L::Vector a{}, b{}, c{}, d{};
    std::int64_t i = 0;
    for (; i + 4 * L::count <= n; i += 4 * L::count) {
        a += L::at(x + i);
        b += L::at(x + i + L::count);
        c += L::at(x + i + 2 * L::count);
        d += L::at(x + i + 3 * L::count);
    }
    for (; i + L::count <= n; i += L::count) a += L::at(x + i);
    C tail = 0;
    for (; i < n; i++) tail += x[i];
    return L::sum((a + b) + (c + d)) + tail;
}

template <class C>
inline C dot_run(const C *x, const C *y, std::int64_t n) {
    using L = Lanes<C>;
    typename L::Vector a{}, b{};
    std::int64_t i = 0;
    for (; i + 2 * L::count <= n; i += 2 * L::count) {
        a += L::at(x + i) * L::at(y + i);
        b += L::at(x + i + L::count) * L::at(y + i + L::count);
    }
    C tail = 0;
    for (; i < n; i++) tail += x[i] * y[i];
    return L::sum(a + b) + tail;
}

template <class C>
inline C product_run(const C *x, std::int64_t n) {
    using L = Lanes<C>;
    typename L::Vector a = typename L::Vector{} + C{1}, b = a, c = a, d = a;
    std::int64_t i = 0;
    for (; i + 4 * L::count <= n; i += 4 * L::count) {
        a *= L::at(x + i);
        b *= L::at(x + i + L::count);
        c *= L::at(x + i + 2 * L::count);
        d *= L::at(x + i + 3 * L::count);
    }
    C tail = 1;
    for (; i < n; i++) tail *= x[i];
    return L::product((a * b) * (c * d)) * tail;
}

// (x[i] - centre)^2 added up.
template <class C>
inline C squares_run(const C *x, std::int64_t n, C centre) {
    using L = Lanes<C>;
    typename L::Vector a{}, b{};
    std::int64_t i = 0;
    for (; i + 2 * L::count <= n; i += 2 * L::count) {
        const typename L::Vector p = L::at(x + i) - centre, q = L::at(x + i + L::count) - centre;
        a += p * p;
        b += q * q;
    }
    C tail = 0;
    for (; i < n; i++) tail += (x[i] - centre) * (x[i] - centre);
    return L::sum(a + b) + tail;
}

// By integers of the same order, since compilers vectorise the maximum of integers and not that of floats with NaN.
// Turned upside down for the minimum.
template <class C, bool kLargest>
inline C extreme_run(const C *x, std::int64_t n) {
    using Key = std::conditional_t<sizeof(C) == 8, std::int64_t, std::int32_t>;
    constexpr int kSign = 8 * sizeof(C) - 1;
    constexpr Key kMagnitude = std::numeric_limits<Key>::max();
    constexpr Key kFlip = kLargest ? Key{0} : ~Key{0};
    const auto turn = [](Key bits) { return bits ^ ((bits >> kSign) & kMagnitude); };  // its own inverse
    constexpr C kInfinity = std::numeric_limits<C>::infinity();
    Key best = turn(std::bit_cast<Key>(kLargest ? -kInfinity : kInfinity)) ^ kFlip;
    Key nan = 0;
    for (std::int64_t i = 0; i < n; i++) {
        const Key key = turn(std::bit_cast<Key>(x[i])) ^ kFlip;
        best = key > best ? key : best;
        nan |= x[i] != x[i] ? Key{1} : Key{0};
    }
    return nan ? std::numeric_limits<C>::quiet_NaN() : std::bit_cast<C>(turn(best ^ kFlip));
}

template <class C>
inline C max_run(const C *x, std::int64_t n) {
    return extreme_run<C, true>(x, n);
}

template <class C>
inline C min_run(const C *x, std::int64_t n) {
    return extreme_run<C, false>(x, n);
}

}  // namespace mpt::cpu
