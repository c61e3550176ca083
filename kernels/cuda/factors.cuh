// Products of 16 rows with 16 rows on tensor cores (m16n8k16), their factors read from memory straight into registers: for matrices
// of which one block needs few rows. Warps share the depth; their sums meet in shared memory.
#pragma once

#include <cstdint>
#include <limits>

#include "conv_mma.cuh"

namespace mpt::cuda::factors {

inline constexpr int kSide = 16;
// A tile of partial sums, [right row][left row]: with this pitch the four rows that a warp writes at once lie in different banks.
inline constexpr int kPitch = 20, kTile = kSide * kPitch;
inline constexpr int kNoEnd = std::numeric_limits<int>::max();

// Eight elements; unwanted ones are 0. They may have been written by another block in this launch.
template <class T>
__device__ __forceinline__ uint4 read_pack(const typename T::Stored *from, bool wanted, bool aligned) {
    if (!wanted) return make_uint4(0, 0, 0, 0);
    if (aligned) return __ldcg(reinterpret_cast<const uint4 *>(from));
    const auto *at = reinterpret_cast<const unsigned short *>(from);
    std::uint32_t words[4];
#pragma unroll
    for (int w = 0; w < 4; ++w) words[w] = __ldcg(at + 2 * w) | static_cast<std::uint32_t>(__ldcg(at + 2 * w + 1)) << 16;
    return make_uint4(words[0], words[1], words[2], words[3]);
}

// A thread's part of 16 rows from `from` on, of depth 32: eight elements of each of two rows, those of two products, whose depths
// are counted in that order. at(row): where the row's depth begins; end: where it does.
template <class T, class At>
__device__ __forceinline__ void read_rows(uint4 (&packs)[2], At &&at, int from, int rows, bool aligned, int end = kNoEnd) {
    const int lane = static_cast<int>(threadIdx.x) % 32, place = from + lane % 4 * 8;
#pragma unroll
    for (int n = 0; n < 2; ++n) {
        const int row = n * 8 + lane / 4;
        packs[n] = read_pack<T>(at(row < rows ? row : 0) + place, row < rows && (end == kNoEnd || place < end), aligned);
    }
}
// Left factors of what has been read so.
struct Left {
    std::uint32_t first[4], second[4];
    __device__ __forceinline__ Left &operator=(const uint4 (&rows)[2]) {
        first[0] = rows[0].x, first[1] = rows[1].x, first[2] = rows[0].y, first[3] = rows[1].y;
        second[0] = rows[0].z, second[1] = rows[1].z, second[2] = rows[0].w, second[3] = rows[1].w;
        return *this;
    }
};
template <class T>
__device__ __forceinline__ void multiply(float (&sum)[2][4], const Left &left, const uint4 (&right)[2]) {
#pragma unroll
    for (int n = 0; n < 2; ++n) {
        multiply_add<T>(sum[n], left.first, right[n].x, right[n].y);
        multiply_add<T>(sum[n], left.second, right[n].z, right[n].w);
    }
}
// A warp's part of the sums into its tile, whose rows are the right factors'.
__device__ __forceinline__ void put(float *tile, const float (&sum)[2][4]) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) tile[(n * 8 + lane % 4 * 2 + i % 2) * kPitch + lane / 4 + i / 2 * 8] = sum[n][i];
}

}  // namespace mpt::cuda::factors
