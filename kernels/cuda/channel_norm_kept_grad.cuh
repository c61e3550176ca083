// The gradient of a norm whose groups fit in shared memory.
#pragma once

#include "channel_norm_kept.cuh"

namespace mpt::cuda {

// Factors of a channel: mean, p, q, r. sums: [item, channel].
template <class T>
struct KeptGradient {
    static constexpr int kInputs = 2;
    using Stored = typename T::Stored;
    const Stored *in[2];  // x, dy
    Stored *out;
    const float *mean, *rstd;
    Vector weights;
    double2 *sums;

    __device__ __forceinline__ std::int64_t number(const Spans<2> &s, std::int64_t item, std::int64_t channel) const {
        return item * (s.channels / s.per_group) + channel / s.per_group;
    }
    __device__ __forceinline__ float center(const Spans<2> &s, std::int64_t item, std::int64_t channel) const {
        return mean[number(s, item, channel)];
    }
    template <int V>
    __device__ __forceinline__ void add(const Elements<T, V> (&raw)[2], const float (&center)[V], float (&a)[V],
                                        float (&b)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float g = raw[1][v];
            a[v] += g;
            b[v] = fmaf(g, raw[0][v] - center[v], b[v]);
        }
    }
    __device__ __forceinline__ double weight(std::int64_t channel) const {
        return weights.read(channel, 1);
    }
    __device__ __forceinline__ void see(const Spans<2> &s, std::int64_t item, std::int64_t channel, double2 sum) const {
        sums[item * s.channels + channel] = sum;
    }
    __device__ __forceinline__ void finish(const Spans<2> &s, std::int64_t item, std::int64_t channel, double2 sum, float center,
                                           int lane, int step, bool, float *factors, int pitch) const {
        const double scale = rstd[number(s, item, channel)];
        for (int c = lane; c < s.per_group; c += step) {
            factors[c] = center;
            factors[c + pitch] = static_cast<float>(scale * static_cast<double>(weights.read(channel + c, 1)));
            factors[c + 2 * pitch] = static_cast<float>(-scale * scale * scale * (sum.y * s.share));
            factors[c + 3 * pitch] = static_cast<float>(-scale * (sum.x * s.share));
        }
    }
    template <int V>
    __device__ __forceinline__ void result(const Elements<T, V> (&raw)[2], const float (&of)[4][V], float (&e)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) e[v] = fmaf(raw[1][v], of[1][v], fmaf(raw[0][v] - of[0][v], of[2][v], of[3][v]));
    }
};

}  // namespace mpt::cuda
