// What attention and its gradient share: the places of q, k, v and the mask, and the scores of a row.
#pragma once

#include <cmath>

#include "device/attrs/attention.h"
#include "element.cuh"
#include "philox.cuh"
#include "reduction.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda::attention {

inline constexpr int kWarps = 8;   // rows that a block works on
inline constexpr int kTile = 32;   // rows of the other side in shared memory, one for each lane

// A [B,H,rows,columns] operand.
struct Place {
    std::int64_t batch, head, row, column;
};

inline Place place_of(const mpt_mod_operand &x) {
    return {x.strides[0], x.strides[1], x.strides[2], x.strides[3]};
}

enum class Mask { None, Seen, Added, AddedF32 };

struct Problem {
    std::int64_t H, T, S;
    int D, E;
    Place q, k, v, mask, out;
    Mask masked;
    bool causal;
    float scale, keep;        // keep: 1 / (1 - dropout)
    std::uint32_t threshold;  // dropout * 2^24
};

inline Problem problem_of(const mpt_mod_call &call, const mpt_mod_operand &out) {
    const auto &a = attrs_of<mpt_attrs_attention>(call);
    const mpt_mod_operand &q = call.in[0], &k = call.in[1], &v = call.in[2], &mask = call.in[3];
    Problem p = {};
    p.H = q.shape[1], p.T = q.shape[2], p.S = k.shape[2];
    p.D = static_cast<int>(q.shape[3]), p.E = static_cast<int>(v.shape[3]);
    p.q = place_of(q), p.k = place_of(k), p.v = place_of(v), p.out = place_of(out);
    p.masked = !present(mask)           ? Mask::None
               : mask.dtype == MPT_BOOL ? Mask::Seen
               : mask.dtype == q.dtype  ? Mask::Added
                                        : Mask::AddedF32;
    if (present(mask)) p.mask = place_of(mask);
    p.causal = a.causal != 0;
    p.scale = static_cast<float>(a.scale);
    p.threshold = static_cast<std::uint32_t>(std::ceil(a.dropout * 0x1p24));
    p.keep = static_cast<float>(1 / (1 - a.dropout));
    return p;
}

// A tile is padded by one float a row, so that lanes that read one column of different rows meet different banks.
inline std::size_t tile_floats(int columns) {
    return static_cast<std::size_t>(kTile) * (columns + 1);
}

// Rows first to first + kTile - 1 of a matrix into shared memory; those from rows on are 0.
template <class T>
__device__ __forceinline__ void load_tile(float *tile, const void *base, const Place &x, std::int64_t offset, std::int64_t first, std::int64_t rows,
                                          int columns) {
    const auto *p = static_cast<const typename T::Stored *>(base) + offset;
    for (int i = threadIdx.x; i < kTile * columns; i += blockDim.x) {
        const int r = i / columns, c = i % columns;
        const std::int64_t row = first + r;
        tile[r * (columns + 1) + c] = row < rows ? widen<T>(p[row * x.row + c * x.column]) : 0.f;
    }
}

template <class T>
__device__ __forceinline__ void load_row(float *to, const void *base, const Place &x, std::int64_t offset, std::int64_t row, int columns, int lane) {
    const auto *p = static_cast<const typename T::Stored *>(base) + offset + row * x.row;
    for (int c = lane; c < columns; c += 32) to[c] = widen<T>(p[c * x.column]);
}

__device__ __forceinline__ float dot(const float *a, const float *b, int n) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum = fmaf(a[i], b[i], sum);
    return sum;
}

// What -inf hides is hidden whatever the score is.
__device__ __forceinline__ float masked_by(float m, float s) {
    return m == -INFINITY ? m : s + m;
}

// The masked score of (i, j) from the product of its rows; -inf: not seen.
template <class T>
__device__ __forceinline__ float score(const Problem &p, float product, const void *mask, std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) {
    if (i >= p.T || j >= p.S || (p.causal && j > i + p.S - p.T)) return -INFINITY;
    const std::int64_t at = b * p.mask.batch + h * p.mask.head + i * p.mask.row + j * p.mask.column;
    float s = product * p.scale;
    if (p.masked == Mask::Seen) {
        if (!static_cast<const std::uint8_t *>(mask)[at]) return -INFINITY;
    } else if (p.masked == Mask::Added) {
        s = masked_by(widen<T>(static_cast<const typename T::Stored *>(mask)[at]), s);
    } else if (p.masked == Mask::AddedF32) {
        s = masked_by(static_cast<const float *>(mask)[at], s);
    }
    return s;
}

// What dropout multiplies the probability of (i, j) by.
__device__ __forceinline__ float dropped(const Problem &p, const std::int64_t *random, std::int64_t bh, std::int64_t i, std::int64_t j) {
    if (!random) return 1;
    const std::uint64_t block = static_cast<std::uint64_t>(random[1]) + static_cast<std::uint64_t>((bh * p.T + i) * ((p.S + 3) / 4) + j / 4);
    const std::uint32_t bits = lane(philox(static_cast<std::uint64_t>(random[0]), block), static_cast<unsigned>(j % 4));
    return bits >> 8 < p.threshold ? 0.f : p.keep;
}

}  // namespace mpt::cuda::attention
