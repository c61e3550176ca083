// "channel_norm" of device/attrs/norm.h and "channel_norm_relu" of device/attrs/fused.h. Statistics of single images: where groups
// fit in shared memory, x is read once. Where a block can take a whole group, it reads x twice and is done. A large batch norm is one
// launch of a grid that keeps what it can. Else one pass over x gives each chunk's mean and sum of squared distances from it, around
// the chunk's first element, so that a large mean costs no digits; those are combined in f64 [Chan et al. 1979], and a second pass
// writes y.
#include "channel_norm_grid_forward.cuh"
#include "channel_norm_kept.cuh"

namespace mpt::cuda {
namespace {

// Factors of a channel: mean, scale, shift.
template <class T>
struct KeptOutput {
    static constexpr int kInputs = 1;
    using Stored = typename T::Stored;
    const Stored *in[1];
    Stored *out;
    Results results;

    __device__ __forceinline__ float center(const Spans<1> &s, std::int64_t item, std::int64_t channel) const {
        return widen<T>(in[0][item * s.item_stride[0] + channel * s.channel_stride[0]]);
    }
    template <int V>
    __device__ __forceinline__ void add(const Elements<T, V> (&raw)[1], const float (&center)[V], float (&a)[V],
                                        float (&b)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float d = raw[0][v] - center[v];
            a[v] += d;
            b[v] = fmaf(d, d, b[v]);
        }
    }
    __device__ __forceinline__ double weight(std::int64_t) const {
        return 1;
    }
    __device__ __forceinline__ void see(const Spans<1> &, std::int64_t, std::int64_t, double2) const {}
    __device__ __forceinline__ void finish(const Spans<1> &s, std::int64_t item, std::int64_t channel, double2 sum, float center,
                                           int lane, int step, bool first, float *factors, int pitch) const {
        const double apart = sum.x * s.share, variance = fma(-sum.x, apart, sum.y) * s.share;
        const float mean = results.write(item * (s.channels / s.per_group) + channel / s.per_group, channel, s.per_group,
                                         center + apart, variance < 0 ? 0 : variance, factors + pitch, factors + 2 * pitch,
                                         static_cast<unsigned>(lane), static_cast<unsigned>(step), first);
        for (int c = lane; c < s.per_group; c += step) factors[c] = mean;
    }
    template <int V>
    __device__ __forceinline__ void result(const Elements<T, V> (&raw)[1], const float (&of)[3][V], float (&e)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) e[v] = normed(raw[0][v], of[0][v], of[1][v], of[2][v]);
    }
};

struct Groups {
    std::int64_t items, groups, per_group, rows;
    std::int64_t item_stride[2], group_stride[2];  // of y and x
    Index<3> index;                                // of a group's elements: y, x, channel
    bool together;                                 // a pack is of one channel
    double share;                                  // of an element in the mean
};

template <class T, bool Relu, int V, bool Packed>
__global__ void __launch_bounds__(1024) channel_norm_whole(Groups g, Results results, Output<T, Relu> o) {
    extern __shared__ float4 coefficients_of_group[];
    __shared__ double scratch[32];
    float *scale = reinterpret_cast<float *>(coefficients_of_group), *shift = scale + (g.per_group + 3) / 4 * 4;
    const auto packs = static_cast<std::uint32_t>(g.per_group * g.rows / V);
    for (std::int64_t number = blockIdx.x; number < g.items * g.groups; number += gridDim.x) {
        const std::int64_t item = number / g.groups, group = number % g.groups;
        const std::int64_t from = item * g.item_stride[1] + group * g.group_stride[1],
                           to = item * g.item_stride[0] + group * g.group_stride[0];
        const float center = packs > 0 ? widen<T>(o.x[from]) : 0;
        float a[V] = {}, b[V] = {};
#pragma unroll 4
        for (std::uint32_t i = threadIdx.x; i < packs; i += blockDim.x) {
            std::int64_t offset[3];
            g.index.locate(i * V, offset);
            const Elements<T, V> raw = load<T, V, Packed>(o.x + from + offset[1]);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                const float d = raw[v] - center;
                a[v] += d;
                b[v] = fmaf(d, d, b[v]);
            }
        }
#pragma unroll
        for (int v = 1; v < V; ++v) {
            a[0] += a[v];
            b[0] += b[v];
        }
        const double first = block_reduce(static_cast<double>(a[0]), Add(), 0.0, scratch);
        const double second = block_reduce(static_cast<double>(b[0]), Add(), 0.0, scratch);
        const double apart = first * g.share, variance = fma(-first, apart, second) * g.share;
        const float mean = results.write(number, group * g.per_group, g.per_group, fma(first, g.share, static_cast<double>(center)),
                                         variance < 0 ? 0 : variance, scale, shift, threadIdx.x, blockDim.x);
        __syncthreads();
#pragma unroll 2
        for (std::uint32_t i = threadIdx.x; i < packs; i += blockDim.x) {
            std::int64_t place[3];
            g.index.locate(i * V, place);
            const std::int64_t offset[2] = {to + place[0], from + place[1]};
            typename Output<T, Relu>::template Of<V> of;
#pragma unroll
            for (int v = 0; v < V; ++v) of.mean[v] = mean;
            coefficients(scale, place[2], g.together, of.scale);
            coefficients(shift, place[2], g.together, of.shift);
            o.template store<V, Packed>(o.template load<V, Packed>(offset), of, offset);
        }
        __syncthreads();
    }
}

// A block for each item and group. sums: null where the statistics are given.
__global__ void channel_norm_statistics(ChannelSpace<1> s, std::int64_t groups, const double2 *__restrict__ sums, Vector given_mean,
                                        Vector given_variance, Results results, Coefficients to) {
    __shared__ double scratch[32];
    const std::int64_t per_group = s.channels / groups, item = blockIdx.x / groups, channel = blockIdx.x % groups * per_group;
    const std::int64_t first = item * s.channels + channel, entries = per_group * s.chunks;
    const double share = entries > 0 ? 1 / static_cast<double>(per_group * s.rows) : 0;
    double center = 0, variance = 0;
    if (sums) {
        const double2 *of_group = sums + first * s.chunks;
        for (std::int64_t e = threadIdx.x; e < entries; e += blockDim.x)
            center += static_cast<double>(s.rows_of(e % s.chunks)) * of_group[e].x;
        center = block_reduce(center, Add(), 0.0, scratch) * share;
        for (std::int64_t e = threadIdx.x; e < entries; e += blockDim.x) {
            const double apart = of_group[e].x - center;
            variance += of_group[e].y + static_cast<double>(s.rows_of(e % s.chunks)) * apart * apart;
        }
        variance = block_reduce(variance, Add(), 0.0, scratch) * share;
    } else {
        center = given_mean.read(channel, 0);
        variance = given_variance.read(channel, 0);
    }
    const float mean = results.write(blockIdx.x, channel, per_group, center, variance, to.scale + first, to.shift + first,
                                     threadIdx.x, blockDim.x);
    for (std::int64_t c = threadIdx.x; c < per_group; c += blockDim.x) to.mean[first + c] = mean;
}

template <class T, bool Relu>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    using Stored = typename T::Stored;
    const auto &attrs = attrs_of<mpt_attrs_channel_norm>(call);
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const bool per_image = attrs.per_image != 0, given = present(call.in[3]);
    const ChannelSpace<1> s(device, call.kernel, per_image, {&x});
    const std::int64_t groups = attrs.groups, per_group = groups > 0 ? s.channels / groups : 0;
    const Vector given_mean(call.kernel, call.in[3], s.channels), given_variance(call.kernel, call.in[4], s.channels);
    const std::int64_t size = per_group * s.rows;
    const ResultsForm form(call, s.channels, size, std::is_same_v<T, F32>);
    const auto results = [form](const void *const *in, void *const *out) { return form.at(in, out); };
    const auto output = [](const void *const *in, void *const *out, const Coefficients &c) {
        return Output<T, Relu>{static_cast<const Stored *>(in[0]), Relu ? static_cast<const Stored *>(in[5]) : nullptr,
                               static_cast<Stored *>(out[0]), c};
    };
    const auto lie_well = [](const Output<T, Relu> &o) { return aligned(o.x, 16) && aligned(o.y, 16) && aligned(o.added, 16); };

    if constexpr (!Relu) {
        const Spans<1> kept(device, ChannelSpace<2>(device, call.kernel, per_image, {&x, &y}), groups, V);
        if (per_image && !given && kept.fits) {
            allow_kept<T, KeptOutput<T>>(kept);
            return kernel_of("cuda:channel_norm_kept", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
                const auto *from = static_cast<const Stored *>(in[0]);
                auto *to = static_cast<Stored *>(out[0]);
                run_kept<T>(kept, KeptOutput<T>{{from}, to, results(in, out)}, aligned(from, 16) && aligned(to, 16), stream);
            });
        }
    }

    const auto run_bytes = static_cast<std::size_t>(s.columns ? per_group : s.rows) * sizeof(Stored);
    if (!given && whole_groups(device, s.items * groups, size, per_group, run_bytes)) {
        const mpt_mod_operand slices[3] = {slice_of(y, per_image, per_group), slice_of(x, per_image, per_group),
                                           numbers_of(x, per_image, per_group, false)};
        const Loop loop(call.kernel, {&slices[0], &slices[1], &slices[2]});
        Groups g{s.items,
                 groups,
                 per_group,
                 s.rows,
                 {per_image ? y.strides[0] : 0, per_image ? x.strides[0] : 0},
                 {y.strides[1] * per_group, x.strides[1] * per_group},
                 Index<3>(loop),
                 loop.inner_stride(2) == 0,
                 size > 0 ? 1 / static_cast<double>(size) : 0};
        bool fits = in_packs(loop, V);
        for (int k = 0; k < 2; ++k) fits &= g.item_stride[k] % V == 0 && g.group_stride[k] % V == 0;
        const auto shared = static_cast<std::size_t>(2 * ((per_group + 3) / 4 * 4)) * sizeof(float);
        return kernel_of("cuda:channel_norm_groups", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            const auto blocks = static_cast<unsigned>(g.items * g.groups);
            if (blocks == 0) return;
            const Output<T, Relu> o = output(in, out, {});
            if (fits && lie_well(o))
                channel_norm_whole<T, Relu, V, true><<<blocks, threads_for(size / V), shared, stream>>>(g, results(in, out), o);
            else if (fits)
                channel_norm_whole<T, Relu, V, false><<<blocks, threads_for(size / V), shared, stream>>>(g, results(in, out), o);
            else
                channel_norm_whole<T, Relu, 1, true><<<blocks, threads_for(size), shared, stream>>>(g, results(in, out), o);
            check_launch("channel_norm");
        });
    }

    if (!per_image && !given && per_group == 1) {
        using Op = GridNorm<T, Relu>;
        const ChannelSpace<2> both(device, call.kernel, per_image, {&y, &x});
        GridColumns<2> grid(device, both, Op::kKept, V);
        allow_grid_norm<T, Relu>(device, grid);
        if (grid.fits) {
            const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
                const Output<T, Relu> o = output(in, out, {});
                run_grid_norm<T, Relu>(grid, {{o.x}, o, results(in, out)}, lie_well(o), workspace, stream);
            };
            return kernel_of("cuda:channel_norm_grid_columns", launch, grid.workspace_bytes(Op::kFactors));
        }
    }

    const Map<2> map(device, call.kernel, per_image, {&y, &x}, V);
    const std::int64_t values = s.items * s.channels;
    const std::size_t sums_bytes = given ? 0 : static_cast<std::size_t>(s.sums()) * sizeof(double2);
    const std::size_t bytes = sums_bytes + static_cast<std::size_t>(3 * values) * sizeof(float);
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        auto *sums = given ? nullptr : static_cast<double2 *>(workspace);
        auto *memory = reinterpret_cast<float *>(static_cast<char *>(workspace) + sums_bytes);
        const Coefficients c{memory, memory + values, memory + 2 * values};
        const Output<T, Relu> o = output(in, out, c);
        if (!given && s.packs(V))
            run_measure<V>(device, stream, s, Moments<T>{o.x}, aligned(o.x, 16), sums);
        else if (!given)
            run_measure<1>(device, stream, s, Moments<T>{o.x}, true, sums);
        if (s.items * groups == 0) return;
        const unsigned threads = static_cast<unsigned>(std::clamp<std::int64_t>((per_group * s.chunks + 31) / 32 * 32, 32, 512));
        channel_norm_statistics<<<static_cast<unsigned>(s.items * groups), threads, 0, stream>>>(
            s, groups, sums, given_mean.at(in[3]), given_variance.at(in[4]), results(in, out), c);
        check_launch("channel_norm");
        map.template run<V>(device, stream, o, lie_well(o));
    };
    return kernel_of(s.columns ? "cuda:channel_norm_columns" : "cuda:channel_norm_rows", launch, bytes);
}

template <bool Relu>
std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0];
    if (Relu) {
        need_batch_norm(call, x);
        need_layout(call, call.out[0], x);
        need_layout(call, call.in[5], x);
    }
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, x.dtype, [&](auto t) { kernel = make<decltype(t), Relu>(device, call); });
    return kernel;
}
const RegisteredKernel registered("channel_norm", prepare<false>), registered_with_relu("channel_norm_relu", prepare<true>);

}  // namespace
}  // namespace mpt::cuda
