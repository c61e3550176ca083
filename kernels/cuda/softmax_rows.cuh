// What softmax and cross entropy share: the largest element of a row and the sum of exponentials, in one pass
// [Milakov and Gimelshein 2018].
#pragma once

#include "rows.cuh"

namespace mpt::cuda {

// Out: what the result is rounded to. An f32 takes all digits; 16 bits are content with those of a multiprocessor's own
// exponential, two parts in 2^23 and as many more as x is large.
template <class Out>
__device__ __forceinline__ float exponential(float x) {
    if constexpr (Out::dtype == MPT_F32) {
        return expf(x);
    } else {
        float y;
        asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x * 1.4426950408889634f));
        return y;
    }
}

// A row of -inf alone gives NaN, as do NaN and +inf in it [PyTorch]: a NaN is not the largest, but stays in the sum.
template <class Out>
struct Exponentials {
    static constexpr float kNone = -std::numeric_limits<float>::infinity();
    float largest = kNone, sum = 0;  // of exp(x - largest)

    template <int N>
    __device__ __forceinline__ void add(const float (&x)[N]) {
        float top = largest;
#pragma unroll
        for (int i = 0; i < N; ++i) top = fmaxf(top, x[i]);
        const float shift = top == kNone ? 0 : top;
        float total = 0;
#pragma unroll
        for (int i = 0; i < N; ++i) total += exponential<Out>(x[i] - shift);
        sum = sum * exponential<Out>(largest - shift) + total;
        largest = top;
    }
    // Of all threads of a team, for each of them.
    __device__ __forceinline__ void combine(float *scratch) {
        const float top = team_reduce(largest, Max(), kNone, scratch), shift = top == kNone ? 0 : top;
        sum = team_reduce(sum * exponential<Out>(largest - shift), Add(), 0.0f, scratch);
        if (top == kNone) sum = std::numeric_limits<float>::quiet_NaN();
        largest = top;
    }
    // The whole row, by a team. Some packs are loaded before the first is looked at. see(number, pack): each pack as it was loaded.
    template <class T, int V, class See>
    __device__ __forceinline__ void add_row(const typename T::Stored *row, std::int64_t stride, std::int64_t length, float *scratch,
                                            See &&see) {
        constexpr int kPacks = 4, kTogether = V == 8 ? 2 : 4;
        const RowParts<T, V> parts(row, length);
        if (V > 1 && parts.ragged()) {
            float edges[2] = {kNone, kNone};
            if (threadIdx.x < parts.head) edges[0] = widen<T>(row[threadIdx.x]);
            if (parts.tail + threadIdx.x < length) edges[1] = widen<T>(row[parts.tail + threadIdx.x]);
            add(edges);
        }
        const std::int64_t step = blockDim.x;
        std::int64_t i = threadIdx.x;
        const auto at = [&](std::int64_t pack) { return load<T, V, true>(row + (V == 1 ? pack * stride : parts.head + pack * V)); };
        for (; i + (kPacks - 1) * step < parts.packs; i += kPacks * step) {
            Elements<T, V> raw[kPacks];
#pragma unroll
            for (int k = 0; k < kPacks; ++k) raw[k] = at(i + k * step);
#pragma unroll
            for (int first = 0; first < kPacks; first += kTogether) {
                float x[kTogether * V];
#pragma unroll
                for (int k = 0; k < kTogether; ++k) {
                    see(i + (first + k) * step, raw[first + k]);
#pragma unroll
                    for (int v = 0; v < V; ++v) x[k * V + v] = raw[first + k][v];
                }
                add(x);
            }
        }
        for (; i < parts.packs; i += step) {
            const Elements<T, V> raw = at(i);
            see(i, raw);
            float x[V];
            widen<T>(raw, x);
            add(x);
        }
        combine(scratch);
    }
    template <class T, int V>
    __device__ __forceinline__ void add_row(const typename T::Stored *row, std::int64_t stride, std::int64_t length,
                                            float *scratch) {
        add_row<T, V>(row, stride, length, scratch, [](std::int64_t, const Elements<T, V> &) {});
    }
};

}  // namespace mpt::cuda
