// Philox 4x32-10 [Salmon et al. 2011]: random numbers by position, the same for any number of threads.
#pragma once

#include <cstdint>

namespace mpt::cpu {

// Blocks first, first + step, ... of the stream; lane l of block b goes to lanes[l][b].
template <int Blocks>
inline void philox(std::uint64_t seed, std::uint64_t first, std::uint32_t (*lanes)[Blocks], std::uint64_t step = 1) {
    for (int b = 0; b < Blocks; b++) {
        const std::uint64_t counter = first + static_cast<std::uint64_t>(b) * step;
        std::uint32_t c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32), c2 = 0, c3 = 0;
        std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
        for (int round = 0; round < 10; round++) {
            const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
            c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
            c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
            c1 = static_cast<std::uint32_t>(p1);
            c3 = static_cast<std::uint32_t>(p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        lanes[0][b] = c0;
        lanes[1][b] = c1;
        lanes[2][b] = c2;
        lanes[3][b] = c3;
    }
}

}  // namespace mpt::cpu
