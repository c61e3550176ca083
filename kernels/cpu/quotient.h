// Division with a remainder, for floating numbers: a = quotient * b + remainder with an integer quotient, so that the two always
// agree (a rounded a / b may lie on the other side of an integer).
#pragma once

#include <cmath>

namespace mpt::cpu {

template <class C>
inline C truncated_quotient(C a, C b) {
    return std::nearbyint((a - std::fmod(a, b)) / b);
}

// The remainder with the sign of b.
template <class C>
inline C remainder(C a, C b) {
    const C r = std::fmod(a, b);
    if (r == C{0}) return std::copysign(r, b);
    return (r < C{0}) != (b < C{0}) ? r + b : r;
}

template <class C>
inline C floor_quotient(C a, C b) {
    if (b == C{0}) return a / b;
    const C r = std::fmod(a, b);
    const C q = std::nearbyint((a - r) / b);
    return r != C{0} && (r < C{0}) != (b < C{0}) ? q - C{1} : q;
}

}  // namespace mpt::cpu
