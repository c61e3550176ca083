// What the kinds of a reduction do with each element, and how their results are finished and stored.
#pragma once

#include <cmath>
#include <limits>

#include "any_float.cuh"
#include "device/attrs/reduce.h"
#include "fold.cuh"

namespace mpt::cuda {

struct ReduceOutcome {
    std::int32_t kind, dtype;  // dtype: of the output
    float count, scale;
};

// Sums and products of segments are in double.
struct ReduceBase {
    using Acc = float;
    using Wide = double;
    static __device__ __forceinline__ float centre(float c) { return c; }

    static __device__ __forceinline__ void store(const ReduceOutcome &outcome, double wide, std::int64_t at, float c, void *y) {
        float total = static_cast<float>(wide);
        if (outcome.kind == MPT_REDUCE_MEAN) total /= outcome.count;
        if (outcome.kind == MPT_REDUCE_SQUARES) total *= outcome.scale;
        if (outcome.kind == MPT_REDUCE_NORM) total = sqrtf(total);
        if (outcome.kind == MPT_REDUCE_LOGSUMEXP) total = logf(total) + (isfinite(c) ? c : 0.0f);
        store_any(y, outcome.dtype, at, {total});
    }
};

struct ReduceSum : ReduceBase {
    template <class A>
    static __device__ __forceinline__ A start() {
        return 0;
    }
    static __device__ __forceinline__ float take(float acc, float x, float, std::uint32_t) { return acc + x; }
    template <class A>
    static __device__ __forceinline__ A combine(A a, A b) {
        return a + b;
    }
};

struct ReduceSquares : ReduceSum {
    static __device__ __forceinline__ float take(float acc, float x, float c, std::uint32_t) { return fmaf(x - c, x - c, acc); }
};

struct ReduceExponentials : ReduceSum {
    static __device__ __forceinline__ float centre(float c) { return isfinite(c) ? c : 0.0f; }
    static __device__ __forceinline__ float take(float acc, float x, float c, std::uint32_t) { return acc + expf(x - c); }
};

struct ReduceProduct : ReduceBase {
    template <class A>
    static __device__ __forceinline__ A start() {
        return 1;
    }
    static __device__ __forceinline__ float take(float acc, float x, float, std::uint32_t) { return acc * x; }
    template <class A>
    static __device__ __forceinline__ A combine(A a, A b) {
        return a * b;
    }
};

// F: Max or Min.
template <class F>
struct ReduceExtreme : ReduceBase {
    using Wide = float;
    template <class A>
    static __device__ __forceinline__ A start() {
        return std::is_same_v<F, Max> ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    }
    static __device__ __forceinline__ float take(float acc, float x, float, std::uint32_t) { return F{}(acc, x); }
    static __device__ __forceinline__ float combine(float a, float b) { return F{}(a, b); }
};

// Enqueues a reduction of elements of a dtype.
using ReduceLaunch = void (*)(cudaStream_t, const Fold &, std::int32_t dtype, const ReduceOutcome &, const void *x,
                              const void *centre, void *y, void *workspace);

template <class Op>
void launch_reduce(cudaStream_t stream, const Fold &fold, std::int32_t dtype, const ReduceOutcome &outcome, const void *x,
                   const void *centre, void *y, void *workspace) {
    visit_float("reduce", dtype, [&](auto t) { fold.run<Op, decltype(t)>(stream, outcome, x, centre, y, workspace); });
}

// Compiled in files of their own, since each takes long.
extern template void launch_reduce<ReduceExtreme<Max>>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &,
                                                       const void *, const void *, void *, void *);
extern template void launch_reduce<ReduceExtreme<Min>>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &,
                                                       const void *, const void *, void *, void *);
extern template void launch_reduce<ReduceProduct>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &, const void *,
                                                  const void *, void *, void *);
extern template void launch_reduce<ReduceExponentials>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &,
                                                       const void *, const void *, void *, void *);

}  // namespace mpt::cuda
