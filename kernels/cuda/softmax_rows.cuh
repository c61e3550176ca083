// What softmax and cross entropy share: the largest element of a row and the sum of exponentials, in one pass
// [Milakov and Gimelshein 2018].
#pragma once

#include "rows.cuh"

namespace mpt::cuda {

// A row of -inf alone gives NaN, as do NaN and +inf in it [PyTorch].
struct Exponentials {
    static constexpr float kNone = -std::numeric_limits<float>::infinity();
    float largest = kNone, sum = 0;  // of exp(x - largest)

    template <int N>
    __device__ __forceinline__ void add(const float (&x)[N]) {
        float top = largest;
#pragma unroll
        for (int i = 0; i < N; ++i) top = Max()(top, x[i]);
        const float shift = top == kNone ? 0 : top;
        float total = 0;
#pragma unroll
        for (int i = 0; i < N; ++i) total += expf(x[i] - shift);
        sum = sum * expf(largest - shift) + total;
        largest = top;
    }
    // Of all threads of a team, for each of them.
    __device__ __forceinline__ void combine(float *scratch) {
        const float top = team_reduce(largest, Max(), kNone, scratch), shift = top == kNone ? 0 : top;
        sum = team_reduce(sum * expf(largest - shift), Add(), 0.0f, scratch);
        if (top == kNone) sum = std::numeric_limits<float>::quiet_NaN();
        largest = top;
    }
    // The whole row, by a team. Some packs are loaded before the first is looked at.
    template <class T, int V>
    __device__ __forceinline__ void add_row(const typename T::Stored *row, std::int64_t stride, std::int64_t length,
                                            float *scratch) {
        constexpr int kPacks = V == 1 ? 4 : 16 / V;
        const RowParts<T, V> parts(row, length);
        if (V > 1 && parts.ragged()) {
            float edges[2] = {kNone, kNone};
            if (threadIdx.x < parts.head) edges[0] = widen<T>(row[threadIdx.x]);
            if (parts.tail + threadIdx.x < length) edges[1] = widen<T>(row[parts.tail + threadIdx.x]);
            add(edges);
        }
        for (std::int64_t i = threadIdx.x; i < parts.packs; i += std::int64_t{kPacks} * blockDim.x) {
            float x[kPacks * V];
#pragma unroll
            for (int k = 0; k < kPacks; ++k) {
                const std::int64_t at = i + std::int64_t{k} * blockDim.x;
                float pack[V];
                if (at < parts.packs) take<T>(row + parts.head, stride, at, pack);
#pragma unroll
                for (int v = 0; v < V; ++v) x[k * V + v] = at < parts.packs ? pack[v] : kNone;
            }
            add(x);
        }
        combine(scratch);
    }
};

}  // namespace mpt::cuda
