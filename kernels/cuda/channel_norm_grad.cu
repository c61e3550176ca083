// "channel_norm_grad" of device/attrs/norm.h. With d = x - mean, one pass gives the sums of dy and of dy d per channel; dx is then
// dy p + d q + r with factors per channel. Batch norm with small channels, or many of them, takes one launch: a block for each.
#include "channel_norm.cuh"

namespace mpt::cuda {
namespace {

// Operands: x, dy. mean: [item, group].
template <class T>
struct Products {
    static constexpr int kOperands = 2;
    const typename T::Stored *__restrict__ x, *__restrict__ dy;
    const float *__restrict__ mean;
    std::int64_t groups, per_group;

    template <int V>
    __device__ __forceinline__ void start(const std::int64_t (&)[2], std::int64_t item, std::int64_t channel, int step, float (&center)[V]) const {
#pragma unroll
        for (int v = 0; v < V; ++v) center[v] = mean[item * groups + (channel + v * step) / per_group];
    }
    template <int V>
    __device__ __forceinline__ void add(const std::int64_t (&offset)[2], const float (&center)[V], float (&a)[V], float (&b)[V]) const {
        float e[V], g[V];
        take<T>(x + offset[0], 1, 0, e);
        take<T>(dy + offset[1], 1, 0, g);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            a[v] += g[v];
            b[v] += g[v] * (e[v] - center[v]);
        }
    }
    __device__ __forceinline__ double2 result(double a, double b, float, std::int64_t) const { return {a, b}; }
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

struct Channel {
    std::int64_t stride[3];  // from one channel to the next: dx, dy, x
    Index<3> index;          // of a channel's elements
    std::uint32_t count;
    double share;  // of an element in the means; 0 where the statistics were given
};

// Batch norm, a block for each channel. dx: null where it is absent.
template <class T, int V>
__global__ void __launch_bounds__(1024)
    channel_norm_grad_whole(Channel c, const typename T::Stored *__restrict__ x, const typename T::Stored *__restrict__ dy,
                            const float *__restrict__ mean, const float *__restrict__ rstd, Vector weight, typename T::Stored *__restrict__ dx,
                            Vectors vectors) {
    __shared__ double scratch[32];
    const std::int64_t channel = blockIdx.x;
    const typename T::Stored *row = x + channel * c.stride[2], *dy_row = dy + channel * c.stride[1];
    const float center = mean[channel];
    const double scale = rstd[channel];
    float a[V] = {}, b[V] = {};
#pragma unroll 4
    for (std::uint32_t i = threadIdx.x; i < c.count / V; i += blockDim.x) {
        std::int64_t offset[3];
        c.index.locate(i * V, offset);
        float e[V], g[V];
        take<T>(row + offset[2], 1, 0, e);
        take<T>(dy_row + offset[1], 1, 0, g);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            a[v] += g[v];
            b[v] += g[v] * (e[v] - center);
        }
    }
#pragma unroll
    for (int v = 1; v < V; ++v) {
        a[0] += a[v];
        b[0] += b[v];
    }
    const double first = block_reduce(static_cast<double>(a[0]), Add(), 0.0, scratch);
    const double second = block_reduce(static_cast<double>(b[0]), Add(), 0.0, scratch) * scale;
    if (threadIdx.x == 0) vectors.write(channel, second, first);
    if (!dx) return;
    const double factor = scale * static_cast<double>(weight.read(channel, 1));
    const auto p = static_cast<float>(factor), q = static_cast<float>(-factor * scale * second * c.share),
               r = static_cast<float>(-factor * first * c.share);
    typename T::Stored *to = dx + channel * c.stride[0];
#pragma unroll 2
    for (std::uint32_t i = threadIdx.x; i < c.count / V; i += blockDim.x) {
        std::int64_t offset[3];
        c.index.locate(i * V, offset);
        float e[V], g[V];
        take<T>(row + offset[2], 1, 0, e);
        take<T>(dy_row + offset[1], 1, 0, g);
#pragma unroll
        for (int v = 0; v < V; ++v) g[v] = g[v] * p + ((e[v] - center) * q + r);
        put<T>(to + offset[0], 1, 0, g);
    }
}

// [item, channel] each.
struct Factors {
    float *mean, *p, *q, *r;
};

// The first blocks make an item's and group's factors, the others, one for each channel, dweight and dbias. sums: null where dx is all
// there is and the statistics were given.
__global__ void channel_norm_grad_factors(ChannelSpace<2> s, std::int64_t groups, std::int64_t blocks, bool given, const double2 *__restrict__ sums,
                                          const float *__restrict__ mean, const float *__restrict__ rstd, Vector weight, Factors to,
                                          Vectors vectors) {
    __shared__ double scratch[32];
    const std::int64_t per_group = s.channels / groups;
    double first = 0, second = 0;
    if (blockIdx.x < blocks) {
        const std::int64_t number = blockIdx.x, channel = number % groups * per_group, at = number / groups * s.channels + channel;
        const double scale = rstd[number];
        if (!given) {
            for (std::int64_t e = threadIdx.x; e < per_group * s.chunks; e += blockDim.x) {
                const double2 sum = sums[at * s.chunks + e];
                const double w = weight.read(channel + e / s.chunks, 1);
                first += w * sum.x;
                second += w * sum.y;
            }
            const double share = 1 / static_cast<double>(per_group * s.rows);
            first = block_reduce(first, Add(), 0.0, scratch) * share;
            second = block_reduce(second, Add(), 0.0, scratch) * share;
        }
        for (std::int64_t c = threadIdx.x; c < per_group; c += blockDim.x) {
            to.mean[at + c] = mean[number];
            to.p[at + c] = static_cast<float>(scale * static_cast<double>(weight.read(channel + c, 1)));
            to.q[at + c] = static_cast<float>(-scale * scale * scale * second);
            to.r[at + c] = static_cast<float>(-scale * first);
        }
    } else {
        const std::int64_t channel = blockIdx.x - blocks;
        for (std::int64_t e = threadIdx.x; e < s.items * s.chunks; e += blockDim.x) {
            const std::int64_t item = e / s.chunks;
            const double2 sum = sums[(item * s.channels + channel) * s.chunks + e % s.chunks];
            first += sum.x;
            second += sum.y * static_cast<double>(rstd[item * groups + channel / per_group]);
        }
        first = block_reduce(first, Add(), 0.0, scratch);
        second = block_reduce(second, Add(), 0.0, scratch);
        if (threadIdx.x == 0) vectors.write(channel, second, first);
    }
}

// Operands of the index: dx, dy, x, number of the factors.
template <class T, int V>
__global__ void channel_norm_grad_apply(Index<4> index, std::int64_t count, bool together, const typename T::Stored *__restrict__ x,
                                        const typename T::Stored *__restrict__ dy, typename T::Stored *__restrict__ dx, Factors f) {
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count / V; i += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t offset[4];
        if (count < (std::int64_t{1} << 31))
            index.locate(static_cast<std::uint32_t>(i * V), offset);
        else
            index.locate(static_cast<std::uint64_t>(i * V), offset);
        float e[V], g[V], mean[V], p[V], q[V], r[V];
        take<T>(x + offset[2], 1, 0, e);
        take<T>(dy + offset[1], 1, 0, g);
        coefficients(f.mean, offset[3], together, mean);
        coefficients(f.p, offset[3], together, p);
        coefficients(f.q, offset[3], together, q);
        coefficients(f.r, offset[3], together, r);
#pragma unroll
        for (int v = 0; v < V; ++v) g[v] = g[v] * p[v] + ((e[v] - mean[v]) * q[v] + r[v]);
        put<T>(dx + offset[0], 1, 0, g);
    }
}

template <class T>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    using Stored = typename T::Stored;
    const auto &attrs = attrs_of<mpt_attrs_channel_norm>(call);
    const mpt_mod_operand &dy = call.in[0], &x = call.in[1];
    const bool per_image = attrs.per_image != 0, given = attrs.given != 0, has_dx = present(call.out[0]);
    const bool has_vectors = present(call.out[1]) || present(call.out[2]), needs_sums = has_vectors || !given;
    const mpt_mod_operand &dx = has_dx ? call.out[0] : x;
    const ChannelSpace<2> s(device, call.kernel, per_image, {&x, &dy});
    const std::int64_t groups = attrs.groups, per_group = groups > 0 ? s.channels / groups : 0;
    const Vector weight(call.kernel, call.in[2], s.channels);
    const std::int64_t strides[2] = {present(call.out[1]) ? call.out[1].strides[0] : 0, present(call.out[2]) ? call.out[2].strides[0] : 0};
    const auto vectors = [=](void *const *out) {
        return Vectors{static_cast<float *>(out[1]), static_cast<float *>(out[2]), strides[0], strides[1]};
    };

    const auto run_bytes = static_cast<std::size_t>(s.columns ? per_group : s.rows) * sizeof(Stored);
    if (s.items == 1 && per_group == 1 && !per_image && needs_sums && whole_groups(device, groups, s.rows, 1, run_bytes)) {
        const mpt_mod_operand slices[3] = {slice_of(dx, false, 0), slice_of(dy, false, 0), slice_of(x, false, 0)};
        mpt_mod_operand numbers = slices[0];  // of one channel: 0
        std::fill_n(numbers.strides, numbers.ndim, 0);
        const Loop loop(call.kernel, {&slices[0], &slices[1], &slices[2], &numbers});
        const Channel c{{dx.strides[1], dy.strides[1], x.strides[1]},
                        Index<3>(loop),
                        static_cast<std::uint32_t>(s.rows),
                        given || s.rows == 0 ? 0 : 1 / static_cast<double>(s.rows)};
        bool fits = in_packs(loop, V);
        for (std::int64_t stride : c.stride) fits &= stride % V == 0;
        return kernel_of("cuda:channel_norm_groups", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            const auto *of_x = static_cast<const Stored *>(in[1]), *of_dy = static_cast<const Stored *>(in[0]);
            auto *of_dx = has_dx ? static_cast<Stored *>(out[0]) : nullptr;
            const auto *mean = static_cast<const float *>(in[3]), *rstd = static_cast<const float *>(in[4]);
            const auto blocks = static_cast<unsigned>(groups);
            if (blocks == 0) return;
            if (fits && aligned(of_x, 16) && aligned(of_dy, 16) && aligned(of_dx, 16))
                channel_norm_grad_whole<T, V><<<blocks, threads_for(c.count / V), 0, stream>>>(c, of_x, of_dy, mean, rstd, weight.at(in[2]), of_dx, vectors(out));
            else
                channel_norm_grad_whole<T, 1><<<blocks, threads_for(c.count), 0, stream>>>(c, of_x, of_dy, mean, rstd, weight.at(in[2]), of_dx, vectors(out));
            check_launch("channel_norm_grad");
        });
    }

    const mpt_mod_operand numbers = numbers_of(x, per_image, 0, true);
    const Loop loop(call.kernel, {&dx, &dy, &x, &numbers});
    const Index<4> index(loop);
    const bool fits = in_packs(loop, V), together = loop.inner_stride(3) == 0;
    const std::int64_t count = loop.count, values = s.items * s.channels;
    const std::size_t sums_bytes = needs_sums ? static_cast<std::size_t>(s.sums()) * sizeof(double2) : 0;
    const std::size_t bytes = sums_bytes + static_cast<std::size_t>(4 * values) * sizeof(float);
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const auto *of_x = static_cast<const Stored *>(in[1]), *of_dy = static_cast<const Stored *>(in[0]);
        auto *of_dx = has_dx ? static_cast<Stored *>(out[0]) : nullptr;
        const auto *mean = static_cast<const float *>(in[3]), *rstd = static_cast<const float *>(in[4]);
        auto *sums = needs_sums ? static_cast<double2 *>(workspace) : nullptr;
        auto *memory = reinterpret_cast<float *>(static_cast<char *>(workspace) + sums_bytes);
        const Factors f{memory, memory + values, memory + 2 * values, memory + 3 * values};
        const Products<T> products{of_x, of_dy, mean, groups, per_group};
        if (needs_sums && s.packs(V) && aligned(of_x, 16) && aligned(of_dy, 16))
            run_measure<V>(device, stream, s, products, sums);
        else if (needs_sums)
            run_measure<1>(device, stream, s, products, sums);
        const std::int64_t of_groups = has_dx ? s.items * groups : 0, blocks = of_groups + (has_vectors ? s.channels : 0);
        if (blocks == 0) return;
        const std::int64_t entries = std::max(per_group, has_vectors ? s.items : 0) * s.chunks;
        const auto threads = static_cast<unsigned>(std::clamp<std::int64_t>((entries + 31) / 32 * 32, 32, 256));
        channel_norm_grad_factors<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(s, groups, of_groups, given, sums, mean, rstd,
                                                                                         weight.at(in[2]), f, vectors(out));
        check_launch("channel_norm_grad");
        if (!has_dx || count == 0) return;
        if (fits && aligned(of_x, 16) && aligned(of_dy, 16) && aligned(of_dx, 16))
            channel_norm_grad_apply<T, V><<<blocks_for(device, count / V, kThreads, 32), kThreads, 0, stream>>>(index, count, together, of_x, of_dy, of_dx, f);
        else
            channel_norm_grad_apply<T, 1><<<blocks_for(device, count, kThreads, 32), kThreads, 0, stream>>>(index, count, together, of_x, of_dy, of_dx, f);
        check_launch("channel_norm_grad");
    };
    return kernel_of(s.columns ? "cuda:channel_norm_columns" : "cuda:channel_norm_rows", launch, bytes);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, call.in[1].dtype, [&](auto t) { kernel = make<decltype(t)>(device, call); });
    return kernel;
}
const RegisteredKernel registered("channel_norm_grad", prepare);

}  // namespace
}  // namespace mpt::cuda
