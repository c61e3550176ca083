// "channel_norm_grad" of device/attrs/norm.h and "channel_norm_relu_grad" of device/attrs/fused.h. With d = x - mean, one pass
// gives the sums of dy and of dy d per channel; dx is then dy p + d q + r with factors per channel. Where groups of single images
// fit in shared memory, both steps are one kernel. Batch norm with small channels, or many of them, takes one launch: a block for
// each; a large one takes one, too, of a grid that keeps what it can. Behind a ReLU dy is masked as it is read: each time again, or
// once, where the masked gradient is wanted itself.
#include "channel_norm_grid_grad.cuh"
#include "channel_norm_kept_grad.cuh"

namespace mpt::cuda {
namespace {

struct Channel {
    std::int64_t stride[3];  // from one channel to the next: dx, dy, x
    Index<3> index;          // of a channel's elements
    std::uint32_t count;
    double share;  // of an element in the means; 0 where the statistics were given
};

// Batch norm, a block for each channel. dx: null where it is absent.
template <class T, class Source, int V, bool Packed>
__global__ void __launch_bounds__(1024)
    channel_norm_grad_whole(Channel c, Products<T, Source> products, const float *__restrict__ rstd, Vector weight,
                            typename T::Stored *dx, Vectors vectors) {
    __shared__ double scratch[32];
    const std::int64_t channel = blockIdx.x;
    typename Products<T, Source>::template Of<V> of;
    products.template start<V>({}, 0, channel, 0, of);
    const double scale = rstd[channel];
    float a[V] = {}, b[V] = {};
    const std::int64_t to = channel * c.stride[0], from_dy = channel * c.stride[1], from_x = channel * c.stride[2];
#pragma unroll 2
    for (std::uint32_t i = threadIdx.x; i < c.count / V; i += blockDim.x) {
        std::int64_t place[3];
        c.index.locate(i * V, place);
        const std::int64_t offset[2] = {from_x + place[2], from_dy + place[1]};
        products.template add<V, Packed>(products.template load<V, Packed>(offset), of, offset, a, b);
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
    const auto source = products.source.second();  // a thread reads what it wrote itself
    const Gradient<T, std::remove_const_t<decltype(source)>> gradient{products.x, source, dx, {}};
    typename decltype(gradient)::template Of<V> factors;
    source.template start<V>(channel, 0, factors.source);
#pragma unroll
    for (int v = 0; v < V; ++v) factors.mean[v] = of.mean[v], factors.p[v] = p, factors.q[v] = q, factors.r[v] = r;
#pragma unroll 2
    for (std::uint32_t i = threadIdx.x; i < c.count / V; i += blockDim.x) {
        std::int64_t place[3];
        c.index.locate(i * V, place);
        const std::int64_t offset[3] = {to + place[0], from_dy + place[1], from_x + place[2]};
        gradient.template store<V, Packed>(gradient.template load<V, Packed>(offset), factors, offset);
    }
}

// The first blocks make an item's and group's factors, the others, one for each channel, dweight and dbias. sums: null where dx is
// all there is and the statistics were given.
__global__ void channel_norm_grad_factors(ChannelSpace<2> s, std::int64_t groups, std::int64_t blocks, bool given,
                                          const double2 *__restrict__ sums, const float *__restrict__ mean,
                                          const float *__restrict__ rstd, Vector weight, Factors to, Vectors vectors) {
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

// The operands of a call; null or of no dtype where they are absent.
struct Operands {
    const mpt_mod_operand &dy, &x, &weight, &dx, &dweight, &dbias;
};
struct Addresses {
    const void *x, *weight;
    const float *mean, *rstd;
    void *dx;
    float *dweight, *dbias;
};

// addresses, source: what these are at a launch.
template <class T, class Addressed, class Sourced>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call, const Operands &o, Addressed addresses, Sourced source) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    using Stored = typename T::Stored;
    using Source = decltype(source(nullptr, nullptr));
    const auto &attrs = attrs_of<mpt_attrs_channel_norm>(call);
    const mpt_mod_operand &dy = o.dy, &x = o.x;
    const bool per_image = attrs.per_image != 0, given = attrs.given != 0, has_dx = present(o.dx);
    const bool has_vectors = present(o.dweight) || present(o.dbias), needs_sums = has_vectors || !given;
    const mpt_mod_operand &dx = has_dx ? o.dx : x;
    const ChannelSpace<2> s(device, call.kernel, per_image, {&x, &dy});
    const std::int64_t groups = attrs.groups, per_group = groups > 0 ? s.channels / groups : 0;
    const Vector weight(call.kernel, o.weight, s.channels);
    const std::int64_t strides[2] = {present(o.dweight) ? o.dweight.strides[0] : 0, present(o.dbias) ? o.dbias.strides[0] : 0};

    // What a launch needs first of all.
    struct Call {
        Addresses at;
        Products<T, Source> products;
        Stored *dx;
        Vectors vectors;
        bool lies_well, dx_lies_well;
    };
    const auto started = [=](const void *const *in, void *const *out) {
        const Addresses at = addresses(in, out);
        const Products<T, Source> products{static_cast<const Stored *>(at.x), source(in, out), at.mean, groups, per_group};
        return Call{at,
                    products,
                    static_cast<Stored *>(at.dx),
                    Vectors{at.dweight, at.dbias, strides[0], strides[1]},
                    aligned(at.x, 16) && products.source.lies_well(),
                    aligned(at.dx, 16)};
    };

    if constexpr (std::is_same_v<Source, Given<T>>) {
        const Spans<2> kept(device, ChannelSpace<3>(device, call.kernel, per_image, {&x, &dy, &dx}), groups, V);
        if (per_image && !given && has_dx && kept.fits) {
            ChannelSpace<2> one = s;  // whose channels have one chunk
            one.chunk = s.rows;
            one.chunks = 1;
            allow_kept<T, KeptGradient<T>>(kept);
            const auto bytes = static_cast<std::size_t>(one.sums()) * sizeof(double2);
            const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
                const Call l = started(in, out);
                auto *sums = static_cast<double2 *>(workspace);
                const KeptGradient<T> gradient{
                    {l.products.x, l.products.source.dy}, l.dx, l.at.mean, l.at.rstd, weight.at(l.at.weight), sums};
                run_kept<T>(kept, gradient, l.lies_well && l.dx_lies_well, stream);
                if (!has_vectors) return;
                const auto threads = static_cast<unsigned>(std::clamp<std::int64_t>((one.items + 31) / 32 * 32, 32, 256));
                channel_norm_grad_factors<<<static_cast<unsigned>(one.channels), threads, 0, stream>>>(
                    one, groups, 0, false, sums, l.at.mean, l.at.rstd, {}, {}, l.vectors);
                check_launch("channel_norm_grad");
            };
            return kernel_of("cuda:channel_norm_kept", launch, bytes);
        }
    }

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
            const Call l = started(in, out);
            const auto blocks = static_cast<unsigned>(groups);
            if (blocks == 0) return;
            const auto run = [&](auto v, auto packed) {
                channel_norm_grad_whole<T, Source, v.value, packed.value><<<blocks, threads_for(c.count / v.value), 0, stream>>>(
                    c, l.products, l.at.rstd, weight.at(l.at.weight), l.dx, l.vectors);
            };
            using Pack = std::integral_constant<int, V>;
            if (fits && l.lies_well && l.dx_lies_well)
                run(Pack{}, std::true_type{});
            else if (fits)
                run(Pack{}, std::false_type{});
            else
                run(std::integral_constant<int, 1>{}, std::true_type{});
            check_launch("channel_norm_grad");
        });
    }

    if (!per_image && !given && per_group == 1 && has_dx) {
        using Op = GridGradient<T, Source>;
        const ChannelSpace<3> all(device, call.kernel, per_image, {&dx, &dy, &x});
        GridColumns<3> grid(device, all, Op::kKept, V);
        allow_grid_gradient<T, Source>(device, grid);
        if (grid.fits) {
            const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
                const Call l = started(in, out);
                run_grid_gradient<T, Source>(grid, {l.products, l.dx, l.at.rstd, weight.at(l.at.weight), l.vectors},
                                             l.lies_well && l.dx_lies_well, workspace, stream);
            };
            return kernel_of("cuda:channel_norm_grid_columns", launch, grid.workspace_bytes(Op::kFactors));
        }
    }

    const Map<3> map(device, call.kernel, per_image, {&dx, &dy, &x}, V);
    const std::int64_t values = s.items * s.channels;
    const std::size_t sums_bytes = needs_sums ? static_cast<std::size_t>(s.sums()) * sizeof(double2) : 0;
    const std::size_t bytes = sums_bytes + static_cast<std::size_t>(4 * values) * sizeof(float);
    const auto launch = [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        const Call l = started(in, out);
        auto *sums = needs_sums ? static_cast<double2 *>(workspace) : nullptr;
        auto *memory = reinterpret_cast<float *>(static_cast<char *>(workspace) + sums_bytes);
        const Factors f{memory, memory + values, memory + 2 * values, memory + 3 * values};
        if (needs_sums && s.packs(V))
            run_measure<V>(device, stream, s, l.products, l.lies_well, sums);
        else if (needs_sums)
            run_measure<1>(device, stream, s, l.products, true, sums);
        const std::int64_t of_groups = has_dx ? s.items * groups : 0, blocks = of_groups + (has_vectors ? s.channels : 0);
        if (blocks == 0) return;
        const std::int64_t entries = std::max(per_group, has_vectors ? s.items : 0) * s.chunks;
        const auto threads = static_cast<unsigned>(std::clamp<std::int64_t>((entries + 31) / 32 * 32, 32, 256));
        channel_norm_grad_factors<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(
            s, groups, of_groups, given, sums, l.at.mean, l.at.rstd, weight.at(l.at.weight), f, l.vectors);
        check_launch("channel_norm_grad");
        if (!has_dx) return;
        const auto second = l.products.source.second();
        const Gradient<T, std::remove_const_t<decltype(second)>> gradient{l.products.x, second, l.dx, f};
        map.template run<V>(device, stream, gradient, l.lies_well && l.dx_lies_well);
    };
    return kernel_of(s.columns ? "cuda:channel_norm_columns" : "cuda:channel_norm_rows", launch, bytes);
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const Operands o{call.in[0], call.in[1], call.in[2], call.out[0], call.out[1], call.out[2]};
    const auto addresses = [](const void *const *in, void *const *out) {
        return Addresses{in[1],
                         in[2],
                         static_cast<const float *>(in[3]),
                         static_cast<const float *>(in[4]),
                         out[0],
                         static_cast<float *>(out[1]),
                         static_cast<float *>(out[2])};
    };
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, o.x.dtype, [&](auto t) {
        using T = decltype(t);
        kernel = make<T>(device, call, o, addresses, [](const void *const *in, void *const *) {
            return Given<T>{static_cast<const typename T::Stored *>(in[0])};
        });
    });
    return kernel;
}
const RegisteredKernel registered("channel_norm_grad", prepare);

std::unique_ptr<Kernel> prepare_relu(Device &device, const mpt_mod_call &call) {
    const Operands o{call.in[0], call.in[2], call.in[3], call.out[0], call.out[1], call.out[2]};
    const mpt_mod_operand &masked = call.out[3];
    need_batch_norm(call, o.x);
    if (attrs_of<mpt_attrs_channel_norm>(call).given)
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": given statistics"};
    for (const mpt_mod_operand *other : {&o.dy, &call.in[1], &call.in[7], &o.dx, &masked}) need_layout(call, *other, o.x);
    const auto addresses = [](const void *const *in, void *const *out) {
        return Addresses{in[2],
                         in[3],
                         static_cast<const float *>(in[5]),
                         static_cast<const float *>(in[6]),
                         out[0],
                         static_cast<float *>(out[1]),
                         static_cast<float *>(out[2])};
    };
    std::unique_ptr<Kernel> kernel;
    visit_float(call.kernel, o.x.dtype, [&](auto t) {
        using T = decltype(t);
        using Stored = typename T::Stored;
        const auto parts = [](const void *const *in) {
            return Parts<T>{static_cast<const Stored *>(in[0]), static_cast<const Stored *>(in[1])};
        };
        if (present(masked)) {
            kernel = make<T>(device, call, o, addresses, [=](const void *const *in, void *const *out) {
                return MaskedByY<T, true>{parts(in), static_cast<const Stored *>(in[7]), static_cast<Stored *>(out[3])};
            });
        } else if constexpr (std::is_same_v<T, F32>) {  // whose norm keeps more of the statistics than it stores
            kernel = make<T>(device, call, o, addresses, [=](const void *const *in, void *const *) {
                return MaskedByY<T, false>{parts(in), static_cast<const Stored *>(in[7]), nullptr};
            });
        } else {
            const Vector weight(call.kernel, o.weight, o.x.shape[1]), bias(call.kernel, call.in[4], o.x.shape[1]);
            kernel = make<T>(device, call, o, addresses, [=](const void *const *in, void *const *) {
                return MaskedByX<T>{parts(in), static_cast<const float *>(in[6]), weight.at(in[3]), bias.at(in[4])};
            });
        }
    });
    return kernel;
}
const RegisteredKernel registered_relu("channel_norm_relu_grad", prepare_relu);

}  // namespace
}  // namespace mpt::cuda
