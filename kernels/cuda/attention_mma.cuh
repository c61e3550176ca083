// Attention on tensor cores [Dao 2023]: tiles of 16-bit elements in shared memory, products of fragments of m16n8k16, and which
// calls have this form. A thread has, of a 16 x 8 tile of a sum, columns 2 (lane % 4) and the next of rows lane / 4 and lane / 4
// + 8.
#pragma once

#include <cstring>
#include <type_traits>

#include "attention.cuh"
#include "attention.h"
#include "conv_mma.cuh"

namespace mpt::cuda::attention {

inline constexpr int kKeys = 64;  // rows of a tile that is walked over
inline constexpr float kLog2e = 1.4426950408889634f;

__device__ __forceinline__ void copies_end() {
    asm volatile("cp.async.commit_group;\n" ::: "memory");
}
// All but the newest n groups have come.
template <int N>
__device__ __forceinline__ void copies_wait() {
    asm volatile("cp.async.wait_group %0;\n" ::"n"(N) : "memory");
}

// Rows first to first + Rows - 1 of a matrix with D columns; those from rows on are 0.
template <class T, int D, int Rows, int Threads>
__device__ __forceinline__ void copy_tile(std::uint32_t to, const typename T::Stored *from, std::int64_t stride, int first,
                                          int rows) {
    constexpr int packs = D / 8;
    static_assert(Rows * packs % Threads == 0);
#pragma unroll
    for (int n = 0; n < Rows * packs / Threads; ++n) {
        const int i = n * Threads + static_cast<int>(threadIdx.x), r = i / packs, c = i % packs;
        const bool wanted = first + r < rows;
        conv_copy_pack(to + conv_pack_at(r, c, D), from + (wanted ? first + r : 0) * stride + c * 8, wanted);
    }
}

// Rows row to row + 15 and columns 16 k to 16 k + 15 of a tile, as the left factor.
template <int D>
__device__ __forceinline__ void load_left(std::uint32_t (&a)[4], std::uint32_t tile, int row, int k) {
    const int lane_id = threadIdx.x % 32;
    load_matrices(a, tile + conv_pack_at(row + lane_id % 16, 2 * k + lane_id / 16, D));
}

// sum[n] += left rows^T: columns 8 n to 8 n + 7 of the sum belong to rows first + 8 n of the tile, the depth is its D columns.
template <class T, int D, int N, class Left>
__device__ __forceinline__ void multiply_rows(float (&sum)[N][4], const Left &left, std::uint32_t tile, int first) {
    const int lane_id = threadIdx.x % 32;
#pragma unroll
    for (int k = 0; k < D / 16; ++k) {
        std::uint32_t a[4];
        left(a, k);
#pragma unroll
        for (int n = 0; n < N; n += 2) {
            std::uint32_t b[4];
            load_matrices(b, tile + conv_pack_at(first + 8 * n + lane_id / 16 * 8 + lane_id % 8, 2 * k + lane_id / 8 % 2, D));
            multiply_add<T>(sum[n], a, b[0], b[1]);
            multiply_add<T>(sum[n + 1], a, b[2], b[3]);
        }
    }
}

// Two neighbours as they are stored.
template <class T>
__device__ __forceinline__ std::uint32_t packed(float low, float high) {
    const typename T::Stored pair[2] = {narrow<T>(low), narrow<T>(high)};
    std::uint32_t bits;
    memcpy(&bits, pair, sizeof bits);
    return bits;
}

// sum += weights times rows first to first + 8 N - 1 of the tile; the weights are 16 x 8 tiles of a sum, rounded here.
template <class T, int D, int N>
__device__ __forceinline__ void multiply_columns(float (&sum)[D / 8][4], const float (&weights)[N][4], std::uint32_t tile,
                                                 int first) {
    const int lane_id = threadIdx.x % 32;
#pragma unroll
    for (int k = 0; k < N / 2; ++k) {
        const auto &low = weights[2 * k], &high = weights[2 * k + 1];
        const std::uint32_t a[4] = {packed<T>(low[0], low[1]), packed<T>(low[2], low[3]), packed<T>(high[0], high[1]),
                                    packed<T>(high[2], high[3])};
#pragma unroll
        for (int n = 0; n < D / 8; n += 2) {
            std::uint32_t b[4];
            load_matrices_transposed(b, tile + conv_pack_at(first + 16 * k + lane_id % 16, n + lane_id / 16, D));
            multiply_add<T>(sum[n], a, b[0], b[1]);
            multiply_add<T>(sum[n + 1], a, b[2], b[3]);
        }
    }
}

// A warp's 16 rows of a sum, times its factors for the upper and the lower eight, to rows from row on of those there are.
template <class T, int D>
__device__ __forceinline__ void store_rows(void *to, const Place &x, std::int64_t offset, int row, int rows,
                                           const float (&sum)[D / 8][4], float upper, float lower) {
    const int lane_id = threadIdx.x % 32, up = row + lane_id / 4, low = up + 8;
    auto *p = static_cast<typename T::Stored *>(to) + offset + lane_id % 4 * 2;
#pragma unroll
    for (int n = 0; n < D / 8; ++n) {
        if (up < rows) *reinterpret_cast<std::uint32_t *>(p + up * x.row + n * 8) = packed<T>(sum[n][0] * upper, sum[n][1] * upper);
        if (low < rows)
            *reinterpret_cast<std::uint32_t *>(p + low * x.row + n * 8) = packed<T>(sum[n][2] * lower, sum[n][3] * lower);
    }
}

__device__ __forceinline__ std::uint32_t shared_at(const void *p) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

// Without mask and dropout, the same 64 or 128 columns everywhere. The addresses are looked at when they are known.
inline bool tensor_cores(const mpt_mod_call &call, const mpt_mod_operand &random) {
    const mpt_mod_operand &q = call.in[0], &k = call.in[1], &v = call.in[2];
    const std::int64_t d = q.shape[3];
    return (q.dtype == MPT_F16 || q.dtype == MPT_BF16) && (d == 64 || d == 128) && v.shape[3] == d && !present(call.in[3]) &&
           !present(random) && q.shape[2] < 1 << 29 && k.shape[2] < 1 << 29 && packs(q) && packs(k) && packs(v);
}

// f(format, D).
template <class F>
void visit_tensor_cores(const mpt_mod_operand &q, F &&f) {
    const auto columns = [&](auto format) {
        if (q.shape[3] == 64)
            f(format, std::integral_constant<int, 64>{});
        else
            f(format, std::integral_constant<int, 128>{});
    };
    if (q.dtype == MPT_F16)
        columns(F16{});
    else
        columns(BF16{});
}

}  // namespace mpt::cuda::attention
