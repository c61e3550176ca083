// "channel_norm" of device/attrs/norm.h. Where a block can take a whole group, it reads x twice and is done. Else one pass over x gives
// each chunk's mean and sum of squared distances from it, around the chunk's first element, so that a large mean costs no digits; those
// are combined in f64 [Chan et al. 1979], and a second pass writes y.
#include "channel_norm.cuh"

namespace mpt::cuda {
namespace {

template <class T>
struct Moments {
    static constexpr int kOperands = 1;
    const typename T::Stored *__restrict__ x;

    template <int V>
    __device__ __forceinline__ void start(const std::int64_t (&offset)[1], std::int64_t, std::int64_t, int step, float (&center)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) center[v] = widen<T>(x[offset[0] + v * step]);
    }
    template <int V>
    __device__ __forceinline__ void add(const std::int64_t (&offset)[1], const float (&center)[V], float (&a)[V], float (&b)[V]) const {
        float e[V];
        take<T>(x + offset[0], 1, 0, e);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float d = e[v] - center[v];
            a[v] += d;
            b[v] += d * d;
        }
    }
    // Mean and sum of squares.
    __device__ __forceinline__ double2 result(double a, double b, float center, std::int64_t rows) const {
        const double apart = a / static_cast<double>(rows), rest = b - a * apart;
        return {center + apart, rest < 0 ? 0 : rest};
    }
};

// What a group's statistics become. Null: absent outputs.
struct Results {
    float *mean, *rstd;
    float *running_mean, *running_variance;
    std::int64_t running_mean_stride, running_variance_stride;
    Vector weight, bias;
    double eps, momentum;
    double unbiased;  // count / (count - 1)

    // By all threads of a block; number: of the item and group; channel: the group's first. scale and shift: of each of its channels.
    __device__ __forceinline__ float write(std::int64_t number, std::int64_t channel, std::int64_t per_group, double center,
                                           double variance, float *scale, float *shift) const {
        const double exact = rsqrt(variance + eps);
        const auto rounded = static_cast<float>(center);
        if (threadIdx.x == 0) {
            mean[number] = rounded;
            rstd[number] = static_cast<float>(exact);
            if (running_mean) {
                float &m = running_mean[channel * running_mean_stride], &v = running_variance[channel * running_variance_stride];
                m = static_cast<float>((1 - momentum) * m + momentum * center);
                v = static_cast<float>((1 - momentum) * v + momentum * (variance * unbiased));
            }
        }
        const double lost = rounded - center;  // in rounding
        for (std::int64_t c = threadIdx.x; c < per_group; c += blockDim.x) {
            const double factor = exact * static_cast<double>(weight.read(channel + c, 1));
            const float added = bias.read(channel + c, 0);
            scale[c] = static_cast<float>(factor);
            shift[c] = lost == lost ? static_cast<float>(added + lost * factor) : added;
        }
        return rounded;
    }
};

struct Groups {
    std::int64_t items, groups, per_group, rows;
    std::int64_t item_stride[2], group_stride[2];  // of y and x
    Index<3> index;                                // of a group's elements: y, x, channel
    bool together;                                 // a pack is of one channel
    double share;                                  // of an element in the mean
};

template <class T, int V>
__global__ void __launch_bounds__(1024)
    channel_norm_whole(Groups g, Results results, const typename T::Stored *__restrict__ x, typename T::Stored *__restrict__ y) {
    extern __shared__ float4 coefficients_of_group[];
    __shared__ double scratch[32];
    float *scale = reinterpret_cast<float *>(coefficients_of_group), *shift = scale + (g.per_group + 3) / 4 * 4;
    const auto packs = static_cast<std::uint32_t>(g.per_group * g.rows / V);
    for (std::int64_t number = blockIdx.x; number < g.items * g.groups; number += gridDim.x) {
        const std::int64_t item = number / g.groups, group = number % g.groups;
        const typename T::Stored *from = x + item * g.item_stride[1] + group * g.group_stride[1];
        typename T::Stored *to = y + item * g.item_stride[0] + group * g.group_stride[0];
        const float center = packs > 0 ? widen<T>(*from) : 0;
        float a[V] = {}, b[V] = {};
#pragma unroll 4
        for (std::uint32_t i = threadIdx.x; i < packs; i += blockDim.x) {
            std::int64_t offset[3];
            g.index.locate(i * V, offset);
            float e[V];
            take<T>(from + offset[1], 1, 0, e);
#pragma unroll
            for (int v = 0; v < V; ++v) {
                const float d = e[v] - center;
                a[v] += d;
                b[v] += d * d;
            }
        }
#pragma unroll
        for (int v = 1; v < V; ++v) {
            a[0] += a[v];
            b[0] += b[v];
        }
        const double first = block_reduce(static_cast<double>(a[0]), Add(), 0.0, scratch);
        const double second = block_reduce(static_cast<double>(b[0]), Add(), 0.0, scratch);
        const double apart = first * g.share, variance = (second - first * apart) * g.share;
        const float mean = results.write(number, group * g.per_group, g.per_group, center + apart, variance < 0 ? 0 : variance, scale, shift);
        __syncthreads();
#pragma unroll 2
        for (std::uint32_t i = threadIdx.x; i < packs; i += blockDim.x) {
            std::int64_t offset[3];
            g.index.locate(i * V, offset);
            float e[V], p[V], q[V];
            take<T>(from + offset[1], 1, 0, e);
            coefficients(scale, offset[2], g.together, p);
            coefficients(shift, offset[2], g.together, q);
#pragma unroll
            for (int v = 0; v < V; ++v) e[v] = (e[v] - mean) * p[v] + q[v];
            put<T>(to + offset[0], 1, 0, e);
        }
        __syncthreads();
    }
}

// Of x in pieces: [item, channel] each.
struct Coefficients {
    float *mean, *scale, *shift;
};

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
    const float mean = results.write(blockIdx.x, channel, per_group, center, variance, to.scale + first, to.shift + first);
    for (std::int64_t c = threadIdx.x; c < per_group; c += blockDim.x) to.mean[first + c] = mean;
}

// Operands of the index: y, x, number of the coefficients.
template <class T, int V>
__global__ void channel_norm_apply(Index<3> index, std::int64_t count, bool together, const typename T::Stored *__restrict__ x,
                                   typename T::Stored *__restrict__ y, Coefficients c) {
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count / V; i += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t offset[3];
        if (count < (std::int64_t{1} << 31))
            index.locate(static_cast<std::uint32_t>(i * V), offset);
        else
            index.locate(static_cast<std::uint64_t>(i * V), offset);
        float e[V], mean[V], scale[V], shift[V];
        take<T>(x + offset[1], 1, 0, e);
        coefficients(c.mean, offset[2], together, mean);
        coefficients(c.scale, offset[2], together, scale);
        coefficients(c.shift, offset[2], together, shift);
#pragma unroll
        for (int v = 0; v < V; ++v) e[v] = (e[v] - mean[v]) * scale[v] + shift[v];
        put<T>(y + offset[0], 1, 0, e);
    }
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    using Stored = typename T::Stored;
    const auto &attrs = attrs_of<mpt_attrs_channel_norm>(call);
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const bool per_image = attrs.per_image != 0, given = present(call.in[3]);
    const ChannelSpace<1> s(device, call.kernel, per_image, {&x});
    const std::int64_t groups = attrs.groups, per_group = groups > 0 ? s.channels / groups : 0;
    const Vector weight(call.kernel, call.in[1], s.channels), bias(call.kernel, call.in[2], s.channels);
    const Vector given_mean(call.kernel, call.in[3], s.channels), given_variance(call.kernel, call.in[4], s.channels);
    const std::int64_t running_strides[2] = {present(call.out[3]) ? call.out[3].strides[0] : 0, present(call.out[4]) ? call.out[4].strides[0] : 0};
    const std::int64_t size = per_group * s.rows;
    const auto results = [=, eps = attrs.eps, momentum = attrs.momentum](const void *const *in, void *const *out) {
        return Results{static_cast<float *>(out[1]), static_cast<float *>(out[2]), static_cast<float *>(out[3]), static_cast<float *>(out[4]),
                       running_strides[0],           running_strides[1],           weight.at(in[1]),             bias.at(in[2]),
                       eps,                          momentum,           static_cast<double>(size) / static_cast<double>(size - 1)};
    };

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
            const auto *from = static_cast<const Stored *>(in[0]);
            auto *to = static_cast<Stored *>(out[0]);
            const auto blocks = static_cast<unsigned>(g.items * g.groups);
            if (blocks == 0) return;
            if (fits && aligned(from, 16) && aligned(to, 16))
                channel_norm_whole<T, V><<<blocks, threads_for(size / V), shared, stream>>>(g, results(in, out), from, to);
            else
                channel_norm_whole<T, 1><<<blocks, threads_for(size), shared, stream>>>(g, results(in, out), from, to);
            check_launch("channel_norm");
        });
    }

    const mpt_mod_operand numbers = numbers_of(x, per_image, 0, true);
    const Loop loop(call.kernel, {&y, &x, &numbers});
    const Index<3> index(loop);
    const bool fits = in_packs(loop, V), together = loop.inner_stride(2) == 0;
    const std::int64_t count = loop.count, values = s.items * s.channels;
    const std::size_t sums_bytes = given ? 0 : static_cast<std::size_t>(s.sums()) * sizeof(double2);
    const std::size_t bytes = sums_bytes + static_cast<std::size_t>(3 * values) * sizeof(float);
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const auto *from = static_cast<const Stored *>(in[0]);
        auto *to = static_cast<Stored *>(out[0]);
        auto *sums = given ? nullptr : static_cast<double2 *>(workspace);
        auto *memory = reinterpret_cast<float *>(static_cast<char *>(workspace) + sums_bytes);
        const Coefficients c{memory, memory + values, memory + 2 * values};
        if (!given && s.packs(V) && aligned(from, 16))
            run_measure<V>(device, stream, s, Moments<T>{from}, sums);
        else if (!given)
            run_measure<1>(device, stream, s, Moments<T>{from}, sums);
        if (s.items * groups == 0) return;
        const unsigned threads = static_cast<unsigned>(std::clamp<std::int64_t>((per_group * s.chunks + 31) / 32 * 32, 32, 512));
        channel_norm_statistics<<<static_cast<unsigned>(s.items * groups), threads, 0, stream>>>(
            s, groups, sums, given_mean.at(in[3]), given_variance.at(in[4]), results(in, out), c);
        check_launch("channel_norm");
        if (count == 0) return;
        if (fits && aligned(from, 16) && aligned(to, 16))
            channel_norm_apply<T, V><<<blocks_for(device, count / V, kThreads, 32), kThreads, 0, stream>>>(index, count, together, from, to, c);
        else
            channel_norm_apply<T, 1><<<blocks_for(device, count, kThreads, 32), kThreads, 0, stream>>>(index, count, together, from, to, c);
        check_launch("channel_norm");
    };
    return kernel_of(s.columns ? "cuda:channel_norm_columns" : "cuda:channel_norm_rows", launch, bytes);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[0].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("channel_norm", prepare);

}  // namespace
}  // namespace mpt::cuda
