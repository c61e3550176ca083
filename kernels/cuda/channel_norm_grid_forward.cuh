// The forward as a grid's kernel.
#pragma once

#include "channel_norm_forward.cuh"
#include "channel_norm_grid.cuh"
#include "channel_norm_results.cuh"

namespace mpt::cuda {

template <class T, bool Relu>
struct GridNorm {
    static constexpr int kOperands = 2, kKept = 1, kAtOnce = 8, kFactors = 3;  // y, x
    Moments<T> moments;
    Output<T, Relu> output;
    Results results;

    template <int V>
    using Of = typename Moments<T>::template Of<V>;
    template <int V>
    using Raw = Elements<T, V>;

    template <int V>
    __device__ __forceinline__ void start(const std::int64_t (&offset)[2], std::int64_t channel, int step, Of<V> &of) const {
        const std::int64_t at[1] = {offset[1]};
        moments.template start<V>(at, 0, channel, step, of);
    }
    template <int V, bool Packed, bool Last>
    __device__ __forceinline__ Raw<V> load(const std::int64_t (&offset)[2]) const {
        return cuda::load<T, V, Packed, Last>(moments.x + offset[1]);
    }
    template <int V, bool Packed>
    __device__ __forceinline__ void add(const Raw<V> &raw, const Of<V> &of, const std::int64_t (&offset)[2], float (&a)[V],
                                        float (&b)[V], Elements<T, V> (&kept)[1]) const {
        const std::int64_t at[1] = {offset[1]};
        moments.template add<V, Packed>(raw, of, at, a, b);
        kept[0] = raw;
    }
    __device__ __forceinline__ double2 result(double a, double b, const Of<1> &of, std::int64_t rows) const {
        return moments.result(a, b, of, 0, rows);
    }
    // Means and sums of squares of shares become those of all, around the first share's mean.
    __device__ __forceinline__ void finish(const GridColumns<2> &space, std::int64_t channel, const double2 *sums, int lane,
                                           float *factors, std::int64_t pitch) const {
        const double share = 1 / static_cast<double>(space.rows), center = __ldcg(sums).x;
        double first = 0, second = 0;
        each_block(sums, space.blocks, lane, [&](int block, double2 of_block) {
            const double count = static_cast<double>(space.rows_of(block)), apart = of_block.x - center;
            first += count * apart;
            second += of_block.y + count * apart * apart;
        });
        first = warp_reduce(first, Add());
        second = warp_reduce(second, Add());
        const double apart = first * share, variance = fma(-first, apart, second) * share;
        const float mean = results.write(channel, channel, 1, center + apart, variance < 0 ? 0 : variance, factors + pitch,
                                         factors + 2 * pitch, static_cast<unsigned>(lane), 32);
        if (lane == 0) factors[0] = mean;
    }
    __device__ __forceinline__ Output<T, Relu> again(float *factors, std::int64_t pitch) const {
        Output<T, Relu> body = output;
        body.c = {factors, factors + pitch, factors + 2 * pitch};
        return body;
    }
    __device__ __forceinline__ Output<T, Relu> of_kept(float *factors, std::int64_t pitch) const { return again(factors, pitch); }
};

// In a file of their own.
template <class T, bool Relu>
void allow_grid_norm(const Device &device, GridColumns<2> &g);
template <class T, bool Relu>
void run_grid_norm(const GridColumns<2> &g, const GridNorm<T, Relu> &op, bool packed, void *workspace, cudaStream_t stream);

}  // namespace mpt::cuda
