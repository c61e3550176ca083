// The gradient as a grid's kernel.
#pragma once

#include "channel_norm_grad.cuh"
#include "channel_norm_grid.cuh"

namespace mpt::cuda {

// dx from what has been kept: x and the norm's gradient.
template <class T>
struct KeptGradients : Gradient<T, Given<T>> {
    using Base = Gradient<T, Given<T>>;
    template <int V, bool Packed>
    __device__ __forceinline__ typename Base::template Raw<V> take(const Elements<T, V> (&kept)[2],
                                                                   const std::int64_t (&)[3]) const {
        return {kept[0], kept[1]};
    }
};

template <class T, class Source>
struct GridGradient {
    static constexpr int kOperands = 3, kKept = 2, kAtOnce = Source::kAtOnce, kFactors = 4;  // dx, dy, x
    using Second = std::remove_cvref_t<decltype(std::declval<Source>().second())>;
    Products<T, Source> products;
    typename T::Stored *dx;
    const float *rstd;
    Vector weight;
    Vectors vectors;

    template <int V>
    using Of = typename Products<T, Source>::template Of<V>;
    template <int V>
    using Raw = typename Products<T, Source>::template Raw<V>;

    template <int V>
    __device__ __forceinline__ void start(const std::int64_t (&)[3], std::int64_t channel, int step, Of<V> &of) const {
        products.template start<V>({}, 0, channel, step, of);
    }
    template <int V, bool Packed, bool Last>
    __device__ __forceinline__ Raw<V> load(const std::int64_t (&offset)[3]) const {
        const std::int64_t at[2] = {offset[2], offset[1]};
        return products.template load<V, Packed, Last>(at);
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void add(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&offset)[3], float (&a)[V],
                                        float (&b)[V], Elements<T, V> (&kept)[2]) const {
        const std::int64_t at[2] = {offset[2], offset[1]};
        float g[V];
        products.template add<V, Packed>(raw, of, at, a, b, g);
        kept[0] = raw.x;
        kept[1] = elements_of<T>(g);  // exact
    }
    __device__ __forceinline__ double2 result(double a, double b, const Of<1> &, std::int64_t) const { return {a, b}; }
    __device__ __forceinline__ void finish(const GridColumns<3> &space, std::int64_t channel, const double2 *sums, int lane,
                                           float *factors, std::int64_t pitch) const {
        double first = 0, second = 0;
        each_block(sums, space.blocks, lane, [&](int, double2 of_block) {
            first += of_block.x;
            second += of_block.y;
        });
        first = warp_reduce(first, Add());
        second = warp_reduce(second, Add());
        if (lane != 0) return;
        const double scale = rstd[channel], share = 1 / static_cast<double>(space.rows), w = weight.read(channel, 1);
        factors[0] = products.mean[channel];
        factors[pitch] = static_cast<float>(scale * w);
        factors[2 * pitch] = static_cast<float>(-scale * scale * scale * (w * second * share));
        factors[3 * pitch] = static_cast<float>(-scale * (w * first * share));
        vectors.write(channel, second * scale, first);
    }
    __device__ __forceinline__ Gradient<T, Second> again(float *factors, std::int64_t pitch) const {
        return {products.x, products.source.second(), dx, {factors, factors + pitch, factors + 2 * pitch, factors + 3 * pitch}};
    }
    __device__ __forceinline__ KeptGradients<T> of_kept(float *factors, std::int64_t pitch) const {
        return {{products.x, {nullptr}, dx, {factors, factors + pitch, factors + 2 * pitch, factors + 3 * pitch}}};
    }
};

// In a file of their own.
template <class T, class Source>
void allow_grid_gradient(const Device &device, GridColumns<3> &g);
template <class T, class Source>
void run_grid_gradient(const GridColumns<3> &g, const GridGradient<T, Source> &op, bool packed, void *workspace,
                       cudaStream_t stream);

}  // namespace mpt::cuda
