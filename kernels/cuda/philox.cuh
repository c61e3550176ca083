// Philox 4x32-10 [Salmon et al. 2011]: the same numbers by position as on the CPU.
#pragma once

#include <cstdint>

namespace mpt::cuda {

// The four lanes of a block of the stream.
__device__ __forceinline__ uint4 philox(std::uint64_t seed, std::uint64_t counter) {
    uint4 c = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0};
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const std::uint32_t high0 = __umulhi(0xD2511F53u, c.x), low0 = 0xD2511F53u * c.x;
        const std::uint32_t high1 = __umulhi(0xCD9E8D57u, c.z), low1 = 0xCD9E8D57u * c.z;
        c = {high1 ^ c.y ^ k0, low1, high0 ^ c.w ^ k1, low0};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

__device__ __forceinline__ std::uint32_t lane(const uint4 &block, unsigned i) {
    return i == 0 ? block.x : i == 1 ? block.y : i == 2 ? block.z : block.w;
}

}  // namespace mpt::cuda
