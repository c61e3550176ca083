// What "row_norm" and the norm with a residual sum in front share: the rows that stay in registers.
#pragma once

#include "any_float.cuh"
#include "device/attrs/norm.h"
#include "rows.cuh"

namespace mpt::cuda::row_norm {

inline constexpr int kFew = 8, kMany = 32;  // elements that a thread keeps
inline constexpr unsigned kMost = 512;      // threads that keep elements

// Beside x and y. mean: null with rms.
struct Operands {
    float *mean, *rstd;
    Vector weight, bias;
    double eps;
    bool rms;
};

struct Statistics {
    float mean, rstd;
    float shift;  // what rounding took from the mean, times rstd
};

// Of a row's sums of x - mean and of (x - mean)^2.
__device__ __forceinline__ Statistics statistics(const Operands &o, float mean, float apart, float squares, std::int64_t length) {
    const float count = static_cast<float>(length);
    apart = o.rms ? 0 : apart / count;
    const float variance = squares / count - apart * apart;
    const auto rstd = static_cast<float>(rsqrt(static_cast<double>(variance < 0 ? 0 : variance) + o.eps));
    return {mean, rstd, -apart * rstd};
}

// y of V elements from i V on, in place.
template <int V>
__device__ __forceinline__ void normalise(const Operands &o, const Statistics &s, std::int64_t i, float (&x)[V]) {
    float weight[V], bias[V];
    o.weight.read(i * V, 1, weight);
    o.bias.read(i * V, 0, bias);
#pragma unroll
    for (int v = 0; v < V; ++v) x[v] = ((x[v] - s.mean) * s.rstd + s.shift) * weight[v] + bias[v];
}

// Places: offset of a row of y, x and rstd.
//   load(rows, offset, i, x), store(rows, offset, i, y): V elements from i V on
template <class Places, int V, int E>
__global__ void __launch_bounds__(kMost) held(Rows<3> rows, Places at, Operands o) {
    __shared__ float scratch[32];
    constexpr int kPacks = E / V;
    const int packs = static_cast<int>(rows.length / V), thread = static_cast<int>(threadIdx.x),
              step = static_cast<int>(blockDim.x);
    for (std::int64_t r = team(); r < rows.count; r += teams()) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        float x[kPacks][V], sum = 0;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) at.load(rows, offset, thread + k * step, x[k]);
        float mean = 0;
        if (!o.rms) {
#pragma unroll
            for (int k = 0; k < kPacks; ++k)
                if (thread + k * step < packs)
#pragma unroll
                    for (int v = 0; v < V; ++v) sum += x[k][v];
            mean = team_reduce(sum, Add(), 0.0f, scratch) / static_cast<float>(rows.length);
        }
        float apart = 0, squares = 0;
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs)
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const float d = x[k][v] - mean;
                    apart += d;
                    squares += d * d;
                }
        if (!o.rms) apart = team_reduce(apart, Add(), 0.0f, scratch);
        squares = team_reduce(squares, Add(), 0.0f, scratch);
        const Statistics s = statistics(o, mean, apart, squares, rows.length);
        if (thread == 0) {
            if (o.mean) o.mean[offset[2]] = s.mean;
            o.rstd[offset[2]] = s.rstd;
        }
#pragma unroll
        for (int k = 0; k < kPacks; ++k)
            if (thread + k * step < packs) {
                normalise(o, s, thread + k * step, x[k]);
                at.store(rows, offset, thread + k * step, x[k]);
            }
    }
}

// The threads for rows of V elements at a time, and for single ones.
struct Teams {
    Teams(const Device &device, std::int64_t count, std::int64_t length, int v)
        : packed(team_that_holds(device, count, length, v, kFew, kMany, kMost)), single(team_that_holds(device, count, length, 1, kFew, kFew, kMost)) {}
    Team packed, single;
};

}  // namespace mpt::cuda::row_norm
