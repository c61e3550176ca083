// "index_add" of device/attrs/index.h, for instance the gradient of an embedding. See runs.cuh.
#include "device/attrs/index.h"
#include "index_read.cuh"
#include "rows.cuh"
#include "runs.cuh"

namespace mpt::cuda {
namespace {

struct Plan {
    Rows<2> lines;  // along dim, of y and src; their starts are the elements of a sum
    std::int64_t extent, packs;
    Divider by_extent, by_packs;
    bool small_outputs, along;  // along: neighbouring destinations lie side by side
};

template <class T, int V>
struct Source {
    const typename T::Stored *src;
    std::int64_t step;
    __device__ __forceinline__ Pack<typename T::Stored, V> operator()(std::uint32_t entry) const {
        return *reinterpret_cast<const Pack<typename T::Stored, V> *>(src + entry * step);
    }
};

template <class Key>
__global__ void make_keys(IndexReader reader, const void *index, std::int64_t stride, std::uint32_t count, std::int64_t extent,
                          std::int64_t skip, Key *keys, std::uint32_t *numbers) {
    for (std::uint64_t e = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < count;
         e += std::uint64_t{gridDim.x} * blockDim.x) {
        const std::int64_t d = reader.at(index, static_cast<std::int64_t>(e) * stride);
        keys[e] = static_cast<Key>(d < 0 || d >= extent || d == skip ? extent : d);
        numbers[e] = static_cast<std::uint32_t>(e);
    }
}

template <class T, int V>
__global__ void __launch_bounds__(kThreads)
    add_parts(const __grid_constant__ Plan plan, RunsView runs, std::int64_t places, const typename T::Stored *__restrict__ src) {
    const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    const std::int64_t place = i / plan.packs, pack = i % plan.packs;
    std::uint32_t first, last;
    if (place >= places || !part_of_long_run(runs, static_cast<std::uint32_t>(place), first, last)) return;
    std::int64_t at[2];
    plan.lines.locate(pack * V, at);
    Pack<float, V> sum{};
    add_entries<T>(runs, Source<T, V>{src + at[1], plan.lines.stride[1]}, first, last, sum.at);
    *reinterpret_cast<Pack<float, V> *>(runs.partial + place * runs.width + pack * V) = sum;
}

template <class T, class Out, int V>
__global__ void __launch_bounds__(kThreads)
    add_runs(const __grid_constant__ Plan plan, RunsView runs, const typename T::Stored *__restrict__ src,
             typename Out::Stored *__restrict__ y) {
    const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    if (i >= plan.extent * plan.packs) return;
    std::int64_t quotient, remainder, at[2];
    const Divider &divider = plan.along ? plan.by_extent : plan.by_packs;
    if (plan.small_outputs) {
        std::uint32_t n = static_cast<std::uint32_t>(i);
        remainder = divider.divide(n);
        quotient = n;
    } else {
        std::uint64_t n = static_cast<std::uint64_t>(i);
        remainder = static_cast<std::int64_t>(divider.divide(n));
        quotient = static_cast<std::int64_t>(n);
    }
    const std::int64_t d = plan.along ? remainder : quotient, pack = plan.along ? quotient : remainder;
    plan.lines.locate(pack * V, at);
    float sum[V] = {};
    add_run<T>(runs, Source<T, V>{src + at[1], plan.lines.stride[1]}, d, pack * V, sum);
    Pack<typename Out::Stored, V> result;
#pragma unroll
    for (int v = 0; v < V; ++v) result.at[v] = narrow<Out>(sum[v]);
    *reinterpret_cast<Pack<typename Out::Stored, V> *>(y + at[0] + d * plan.lines.stride[0]) = result;
}

template <class T, class Out, int V>
void add(const Plan &plan, const RunsView &runs, std::int64_t places, const void *from, void *to, cudaStream_t stream) {
    const auto *src = static_cast<const typename T::Stored *>(from);
    const auto blocks = [](std::int64_t threads) { return static_cast<unsigned>((threads + kThreads - 1) / kThreads); };
    if (places > 0) {
        add_parts<T, V><<<blocks(places * plan.packs), kThreads, 0, stream>>>(plan, runs, places, src);
        check_launch("index_add");
    }
    add_runs<T, Out, V>
        <<<blocks(plan.extent * plan.packs), kThreads, 0, stream>>>(plan, runs, src, static_cast<typename Out::Stored *>(to));
    check_launch("index_add");
}

template <class T, class Out, class Key>
std::unique_ptr<Kernel> make(const Device &device, const mpt_mod_call &call) {
    constexpr int V = 16 / sizeof(typename T::Stored);
    const mpt_mod_operand &index = call.in[0];
    mpt_mod_operand src = call.in[1];
    const mpt_mod_operand &y = call.out[0];
    const auto &attrs = attrs_of<mpt_attrs_index>(call);
    const std::int64_t entries = index.shape[0], skip = attrs.skip, index_stride = index.strides[0];
    src.shape[attrs.dim] = y.shape[attrs.dim];  // what is not in all operands is the extent along dim
    Plan plan{Rows<2>("index_add", attrs.dim, {&y, &src}), y.shape[attrs.dim], 0, {}, {}, false, false};
    const Rows<2> &lines = plan.lines;
    bool well = lines.neighbours % V == 0;
    for (int k = 0; k < 2; ++k) {
        well &= lines.stride[k] % V == 0 && lines.starts.strides[k][lines.starts.ndim - 1] == 1;
        for (int d = 0; d + 1 < lines.starts.ndim; ++d) well &= lines.starts.strides[k][d] % V == 0;
    }
    plan.along = !well && std::abs(lines.stride[0]) < std::abs(lines.starts.strides[0][lines.starts.ndim - 1]);
    const IndexReader reader("index_add", index.dtype);
    const Runs<Key> runs("index_add", entries, plan.extent, lines.count);
    return kernel_of(
        "cuda:index_add",
        [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            const auto pairs = runs.input(workspace);
            if (entries > 0) {
                make_keys<<<blocks_for(device, entries), kThreads, 0, stream>>>(
                    reader, in[0], index_stride, static_cast<std::uint32_t>(entries), plan.extent, skip, pairs.keys, pairs.numbers);
                check_launch("index_add");
            }
            const RunsView view = runs.sort(device, workspace, stream);
            Plan placed = plan;
            const bool packed = well && aligned(in[1], 16) && aligned(out[0], 16);
            placed.packs = packed ? plan.lines.count / V : plan.lines.count;
            placed.by_extent = Divider(static_cast<std::uint32_t>(plan.extent));
            placed.by_packs = Divider(static_cast<std::uint32_t>(placed.packs));
            placed.small_outputs = small(plan.extent * placed.packs);
            (packed ? add<T, Out, V> : add<T, Out, 1>)(placed, view, runs.partials(), in[1], out[0], stream);
        },
        runs.workspace_bytes());
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &index = call.in[0], &src = call.in[1], &y = call.out[0];
    const std::int32_t dim = attrs_of<mpt_attrs_index>(call).dim;
    if (dim < 0 || dim >= y.ndim || src.ndim != y.ndim || index.ndim != 1 || src.shape[dim] != index.shape[0])
        throw Failure{MPT_ERROR_INTERNAL, "index_add: the operands do not fit"};
    std::unique_ptr<Kernel> kernel;
    visit_float("index_add", src.dtype, [&](auto t) {
        using T = decltype(t);
        if (y.dtype != MPT_F32 && y.dtype != T::dtype) unsupported_dtype("index_add", y.dtype);
        visit_key(y.shape[dim], [&](auto key) {
            using Key = decltype(key);
            kernel = y.dtype == MPT_F32 ? make<T, F32, Key>(device, call) : make<T, T, Key>(device, call);
        });
    });
    return kernel;
}
const RegisteredKernel registered("index_add", prepare);

}  // namespace
}  // namespace mpt::cuda
