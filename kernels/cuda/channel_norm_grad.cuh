// The gradient of a channel_norm: where it comes from, what is added up of it, and what becomes of it.
#pragma once

#include "channel_norm_passes.cuh"

namespace mpt::cuda {

// Where the norm's gradient comes from.
//   kAlike: it has x's layout, so that one offset serves both
//   kAtOnce: as for Measure
//   start(channel, step, of): what is kept of channels, as for Measure
//   load(offset), value(raw, x, mean, of, offset, g): V elements of it
//   second(): the same for another pass

// A tensor.
template <class T>
struct Given {
    static constexpr bool kAlike = false;
    static constexpr int kAtOnce = 4;
    const typename T::Stored *dy;

    template <int V>
    struct Of {};
    template <int V>
    using Raw = Elements<T, V>;
    bool lies_well() const { return aligned(dy, 16); }
    __host__ __device__ Given second() const { return *this; }
    template <int V>
    __device__ __forceinline__ void start(std::int64_t, int, Of<V> &) const {}
    template <int V, bool Packed, bool Last>
    __device__ __forceinline__ Raw<V> load(std::int64_t at) const {
        return cuda::load<T, V, Packed, Last>(dy + at);
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void value(const Raw<V> &raw, const float (&)[V], const float (&)[V], const Of<V> &, std::int64_t,
                                          float (&g)[V]) const {
        widen<T>(raw, g);
    }
};

// dy, or the sum of two tensors, rounded like a tensor of its own.
template <class T>
struct Parts {
    const typename T::Stored *dy, *other;  // other: may be null

    template <int V>
    struct Raw {
        Elements<T, V> dy, other;
    };
    bool lies_well() const { return aligned(dy, 16) && aligned(other, 16); }
    template <int V, bool Packed, bool Last>
    __device__ __forceinline__ Raw<V> load(std::int64_t at) const {
        Raw<V> raw;
        raw.dy = cuda::load<T, V, Packed, Last>(dy + at);
        if (other) raw.other = cuda::load<T, V, Packed, Last>(other + at);
        return raw;
    }
    template <int V>
    __device__ __forceinline__ float value(const Raw<V> &raw, int v) const {
        const float x = raw.dy[v];
        return other ? rounded<T>(x + raw.other[v]) : x;
    }
};

// dy where y is positive. Stores: that is written, and the next pass reads it.
template <class T, bool Stores>
struct MaskedByY {
    static constexpr bool kAlike = true;
    static constexpr int kAtOnce = 3;
    Parts<T> parts;
    const typename T::Stored *y;
    typename T::Stored *to;

    template <int V>
    struct Of {};
    template <int V>
    struct Raw {
        typename Parts<T>::template Raw<V> parts;
        Elements<T, V> y;
    };
    bool lies_well() const { return parts.lies_well() && aligned(y, 16) && aligned(to, 16); }
    __host__ __device__ std::conditional_t<Stores, Given<T>, MaskedByY> second() const {
        if constexpr (Stores)
            return {to};
        else
            return *this;
    }
    template <int V>
    __device__ __forceinline__ void start(std::int64_t, int, Of<V> &) const {}
    template <int V, bool Packed, bool Last>
    __device__ __forceinline__ Raw<V> load(std::int64_t at) const {
        return {parts.template load < V, Packed, Last || Stores > (at), cuda::load < T, V, Packed, Last || Stores > (y + at)};
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void value(const Raw<V> &raw, const float (&)[V], const float (&)[V], const Of<V> &, std::int64_t at,
                                          float (&g)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) g[v] = raw.y[v] > 0 ? parts.value(raw.parts, v) : 0;
        if constexpr (Stores) cuda::store<T, V, Packed>(to + at, g);
    }
};

// dy where the norm was positive, which x and the stored statistics tell: for formats whose norm takes no others.
template <class T>
struct MaskedByX {
    static constexpr bool kAlike = true;
    static constexpr int kAtOnce = 3;
    Parts<T> parts;
    const float *rstd;
    Vector weight, bias;

    template <int V>
    struct Of {
        float scale[V], shift[V];
    };
    template <int V>
    using Raw = typename Parts<T>::template Raw<V>;
    bool lies_well() const { return parts.lies_well(); }
    __host__ __device__ MaskedByX second() const { return *this; }
    template <int V>
    __device__ __forceinline__ void start(std::int64_t channel, int step, Of<V> &of) const {
#pragma unroll
        for (int v = 0; v < V; ++v) {
            of.scale[v] = v == 0 || step ? rstd[channel + v] * weight.read(channel + v, 1) : of.scale[0];
            of.shift[v] = v == 0 || step ? bias.read(channel + v, 0) : of.shift[0];
        }
    }
    template <int V, bool Packed, bool Last>
    __device__ __forceinline__ Raw<V> load(std::int64_t at) const {
        return parts.template load<V, Packed, Last>(at);
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void value(const Raw<V> &raw, const float (&x)[V], const float (&mean)[V], const Of<V> &of,
                                          std::int64_t, float (&g)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v)
            g[v] = rounded<T>(normed(x[v], mean[v], of.scale[v], of.shift[v])) > 0 ? parts.value(raw, v) : 0;
    }
};

// Operands: x, dy. mean: [item, group].
template <class T, class Source>
struct Products {
    static constexpr int kOperands = 2, kAtOnce = Source::kAtOnce;
    const typename T::Stored *x;
    Source source;
    const float *mean;
    std::int64_t groups, per_group;

    template <int V>
    struct Of {
        float mean[V];
        typename Source::template Of<V> source;
    };
    template <int V>
    struct Raw {
        Elements<T, V> x;
        typename Source::template Raw<V> source;
    };

    template <int V>
    __device__ __forceinline__ void start(const std::int64_t (&)[2], std::int64_t item, std::int64_t channel, int step,
                                          Of<V> &of) const {
#pragma unroll
        for (int v = 0; v < V; ++v) of.mean[v] = mean[item * groups + (channel + v * step) / per_group];
        source.template start<V>(channel, step, of.source);
    }
    template <int V, bool Packed, bool Last = false>
    __device__ __forceinline__ Raw<V> load(const std::int64_t (&offset)[2]) const {
        return {cuda::load<T, V, Packed, Last>(x + offset[Source::kAlike ? 1 : 0]),
                source.template load<V, Packed, Last>(offset[1])};
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void add(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&offset)[2], float (&a)[V],
                                        float (&b)[V]) const {
        float g[V];
        add<V, Packed>(raw, of, offset, a, b, g);
    }
    // g: the norm's gradient.
    template <int V, bool Packed>
    __device__ __forceinline__ void add(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&offset)[2], float (&a)[V],
                                        float (&b)[V], float (&g)[V]) const {
        float e[V];
        widen<T>(raw.x, e);
        source.template value<V, Packed>(raw.source, e, of.mean, of.source, offset[1], g);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            a[v] += g[v];
            b[v] = fmaf(g[v], e[v] - of.mean[v], b[v]);
        }
    }
    template <int V>
    __device__ __forceinline__ double2 result(double a, double b, const Of<V> &, int, std::int64_t) const {
        return {a, b};
    }
};

// dweight and dbias; null where they are absent.
struct Vectors {
    float *dweight, *dbias;
    std::int64_t dweight_stride, dbias_stride;
    __device__ __forceinline__ void write(std::int64_t channel, double weight, double bias) const {
        if (dweight) dweight[channel * dweight_stride] = static_cast<float>(weight);
        if (dbias) dbias[channel * dbias_stride] = static_cast<float>(bias);
    }
};

// [item, channel] each.
struct Factors {
    float *mean, *p, *q, *r;
};

// Operands: dx, dy, x.
template <class T, class Source>
struct Gradient {
    static constexpr int kOperands = 3, kAtOnce = Source::kAtOnce;
    const typename T::Stored *x;
    Source source;
    typename T::Stored *dx;
    Factors f;

    template <int V>
    struct Of {
        float mean[V], p[V], q[V], r[V];
        typename Source::template Of<V> source;
    };
    template <int V>
    struct Raw {
        Elements<T, V> x;
        typename Source::template Raw<V> source;
    };

    template <int V>
    __device__ __forceinline__ Of<V> of(std::int64_t number, bool together) const {
        Of<V> of;
        coefficients(f.mean, number, together, of.mean);
        coefficients(f.p, number, together, of.p);
        coefficients(f.q, number, together, of.q);
        coefficients(f.r, number, together, of.r);
        source.template start<V>(number, together ? 0 : 1, of.source);
        return of;
    }
    template <int V, bool Packed>
    __device__ __forceinline__ Raw<V> load(const std::int64_t (&offset)[3]) const {
        return {cuda::load<T, V, Packed, true>(x + offset[Source::kAlike ? 1 : 2]),
                source.template load<V, Packed, true>(offset[1])};
    }
    template <int V, bool Packed, bool Last = false>
    __device__ __forceinline__ void store(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&offset)[3]) const {
        float e[V], g[V];
        widen<T>(raw.x, e);
        source.template value<V, Packed>(raw.source, e, of.mean, of.source, offset[1], g);
#pragma unroll
        for (int v = 0; v < V; ++v) g[v] = fmaf(g[v], of.p[v], fmaf(e[v] - of.mean[v], of.q[v], of.r[v]));
        cuda::store<T, V, Packed, Last>(dx + offset[0], g);
    }
};

}  // namespace mpt::cuda
