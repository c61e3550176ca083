// How f16 and bf16 parameters without a master are read and stored.
#pragma once

#include <cmath>
#include <cstdint>

#include "element.cuh"
#include "philox.cuh"

namespace mpt::cuda {

// x as f16 or bf16 holds it.
__device__ __forceinline__ float stored_nearest(float x, std::int32_t dtype) {
    return dtype == MPT_BF16 ? widen<BF16>(narrow<BF16>(x)) : widen<F16>(narrow<F16>(x));
}

// bf16 up or down with the probability of the distance: 16 random bits are added below the bits that stay.
__device__ __forceinline__ float stored_stochastic(float x, std::uint32_t draw) {
    const std::uint32_t bits = __float_as_uint(x);
    return __uint_as_float((bits & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFF0000u : (bits + draw) & 0xFFFF0000u);
}

// The 16 random bits of V elements from j on, a multiple of V; V is 1 or 4.
template <int V>
__device__ __forceinline__ void draw_bits(std::uint64_t seed, std::uint64_t first_block, std::int64_t j,
                                          std::uint32_t (&draws)[V]) {
    const uint4 block = philox(seed, first_block + static_cast<std::uint64_t>(j / 8));
#pragma unroll
    for (int v = 0; v < V; ++v) {
        const unsigned at = static_cast<unsigned>(j % 8) + static_cast<unsigned>(v);
        draws[v] = lane(block, at / 2) >> (16 * (at % 2)) & 0xFFFFu;
    }
}

// What storing has lost; nothing where that is no number.
__device__ __forceinline__ float lost(float value, float stored) {
    const float rest = value - stored;
    return fabsf(rest) < INFINITY ? rest : 0.0f;
}

// value + rest where what is stored for value + rest / 2 is the value: otherwise somebody else has written it since, and the rest
// is of another one.
__device__ __forceinline__ float with_own_rest(float value, float rest, std::int32_t dtype) {
    const float halfway = stored_nearest(__fadd_rn(value, __fmul_rn(0.5f, rest)), dtype);
    return value + (halfway == value ? rest : 0.0f);
}

}  // namespace mpt::cuda
