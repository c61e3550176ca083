// Division with a remainder: a = quotient * b + remainder with an integer quotient, so that the two always agree (a rounded a / b
// may lie on the other side of an integer).
#pragma once

namespace mpt::cuda {

__device__ inline float truncated_quotient(float a, float b) {
    return rintf((a - fmodf(a, b)) / b);
}

// The remainder with the sign of b.
__device__ inline float remainder_of(float a, float b) {
    const float r = fmodf(a, b);
    if (r == 0) return copysignf(r, b);
    return (r < 0) != (b < 0) ? r + b : r;
}

__device__ inline float floor_quotient(float a, float b) {
    if (b == 0) return a / b;
    const float r = fmodf(a, b);
    const float q = rintf((a - r) / b);
    return r != 0 && (r < 0) != (b < 0) ? q - 1 : q;
}

}  // namespace mpt::cuda
