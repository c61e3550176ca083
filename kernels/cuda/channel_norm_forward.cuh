// The forward of a channel_norm: what is added up of x, and what becomes of it.
#pragma once

#include "channel_norm_passes.cuh"

namespace mpt::cuda {

template <class T>
struct Moments {
    static constexpr int kOperands = 1, kAtOnce = 8;
    const typename T::Stored *__restrict__ x;

    template <int V>
    struct Of {
        float center[V];
    };
    template <int V>
    using Raw = Elements<T, V>;

    template <int V>
    __device__ __forceinline__ void start(const std::int64_t (&offset)[1], std::int64_t, std::int64_t, int step, Of<V> &of) const {
#pragma unroll
        for (int v = 0; v < V; ++v) of.center[v] = widen<T>(x[offset[0] + v * step]);
    }
    template <int V, bool Packed>
    __device__ __forceinline__ Raw<V> load(const std::int64_t (&offset)[1]) const {
        return cuda::load<T, V, Packed>(x + offset[0]);
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void add(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&)[1], float (&a)[V],
                                        float (&b)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float d = raw[v] - of.center[v];
            a[v] += d;
            b[v] = fmaf(d, d, b[v]);
        }
    }
    // Mean and sum of squares.
    template <int V>
    __device__ __forceinline__ double2 result(double a, double b, const Of<V> &of, int v, std::int64_t rows) const {
        const double apart = a / static_cast<double>(rows), rest = fma(-a, apart, b);
        return {of.center[v] + apart, rest < 0 ? 0 : rest};
    }
};

// [item, channel] each.
struct Coefficients {
    float *mean, *scale, *shift;
};

// y. Relu: with what is added, unless that is null, and the ReLU behind it; each part is rounded like a tensor of its own.
template <class T, bool Relu>
struct Output {
    static constexpr int kOperands = 2, kAtOnce = Relu ? 4 : 8;  // y, x
    const typename T::Stored *x, *added;
    typename T::Stored *y;
    Coefficients c;

    template <int V>
    struct Of {
        float mean[V], scale[V], shift[V];
    };
    template <int V>
    struct Raw {
        Elements<T, V> x, added;
    };

    template <int V>
    __device__ __forceinline__ Of<V> of(std::int64_t number, bool together) const {
        Of<V> of;
        coefficients(c.mean, number, together, of.mean);
        coefficients(c.scale, number, together, of.scale);
        coefficients(c.shift, number, together, of.shift);
        return of;
    }
    template <int V, bool Packed>
    __device__ __forceinline__ Raw<V> load(const std::int64_t (&offset)[2]) const {
        return take<V, Packed>({cuda::load<T, V, Packed, true>(x + offset[1])}, offset);
    }
    // x has been kept.
    template <int V, bool Packed>
    __device__ __forceinline__ Raw<V> take(const Elements<T, V> (&kept)[1], const std::int64_t (&offset)[2]) const {
        Raw<V> raw;
        raw.x = kept[0];
        if constexpr (Relu)
            if (added) raw.added = cuda::load<T, V, Packed, true>(added + offset[1]);
        return raw;
    }
    template <int V, bool Packed, bool Last = false>
    __device__ __forceinline__ void store(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&offset)[2]) const {
        float e[V];
#pragma unroll
        for (int v = 0; v < V; ++v) {
            e[v] = normed(raw.x[v], of.mean[v], of.scale[v], of.shift[v]);
            if constexpr (Relu) {
                e[v] = rounded<T>(e[v]);
                if (added) e[v] = rounded<T>(e[v] + raw.added[v]);
                e[v] = e[v] < 0 ? 0 : e[v];
            }
        }
        cuda::store<T, V, Packed, Last>(y + offset[0], e);
    }
};

}  // namespace mpt::cuda
