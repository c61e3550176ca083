// "scatter_add" of device/attrs/index.h. Where lines along dim have few entries, the first entry of a place looks for the others;
// else all entries are sorted by place, and each place's sum is written once. See runs.cuh.
#include <algorithm>

#include "device/attrs/index.h"
#include "index_read.cuh"
#include "mover.cuh"
#include "runs.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

constexpr std::int64_t kFew = 128;  // entries of a line whose every pair is looked at

// Offsets of an entry in the index and in src, those of its place but for dim, and where along dim the entry is.
struct Entries {
    Index<4> loop;
    std::int64_t count, along, index_step, src_step, place_step;
    std::uint64_t extent;
    bool small;

    __device__ __forceinline__ void locate(std::int64_t e, std::int64_t (&at)[4]) const {
        if (small)
            loop.locate(static_cast<std::uint32_t>(e), at);
        else
            loop.locate(static_cast<std::uint64_t>(e), at);
    }
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    add_pairwise(const __grid_constant__ Entries entries, IndexReader reader, const void *index,
                 const typename T::Stored *__restrict__ src, typename T::Stored *y) {
    const std::int64_t e = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    if (e >= entries.count) return;
    std::int64_t at[4];
    entries.locate(e, at);
    const std::int64_t place = reader.at(index, at[0]), line = at[0] - at[3] * entries.index_step;
    if (static_cast<std::uint64_t>(place) >= entries.extent) return;
    bool first = true;
    for (std::int64_t i = 0; i < at[3]; ++i) first &= reader.at(index, line + i * entries.index_step) != place;
    if (!first) return;
    typename T::Stored &to = y[at[2] + place * entries.place_step];
    float sum = widen<T>(to) + widen<T>(src[at[1]]);
    for (std::int64_t i = at[3] + 1; i < entries.along; ++i)
        if (reader.at(index, line + i * entries.index_step) == place) sum += widen<T>(src[at[1] + (i - at[3]) * entries.src_step]);
    to = narrow<T>(sum);
}

// Here the places are counted in logical order; places: how many.
template <class Key>
__global__ void make_keys(const __grid_constant__ Entries entries, IndexReader reader, const void *index, std::int64_t places,
                          Key *keys, std::uint32_t *numbers) {
    for (std::int64_t e = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; e < entries.count;
         e += std::int64_t{gridDim.x} * blockDim.x) {
        std::int64_t at[4];
        entries.locate(e, at);
        const std::int64_t place = reader.at(index, at[0]);
        keys[e] =
            static_cast<Key>(static_cast<std::uint64_t>(place) < entries.extent ? at[2] + place * entries.place_step : places);
        numbers[e] = static_cast<std::uint32_t>(e);
    }
}

template <class T>
struct Source {
    const Entries &entries;
    const typename T::Stored *src;
    __device__ __forceinline__ Pack<typename T::Stored, 1> operator()(std::uint32_t entry) const {
        std::int64_t at[4];
        entries.locate(entry, at);
        return {src[at[1]]};
    }
};

template <class T>
__global__ void __launch_bounds__(kThreads) add_parts(const __grid_constant__ Entries entries, RunsView runs, std::int64_t parts,
                                                      const typename T::Stored *__restrict__ src) {
    const std::int64_t part = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    std::uint32_t first, last;
    if (part >= parts || !part_of_long_run(runs, static_cast<std::uint32_t>(part), first, last)) return;
    float sum[1] = {};
    add_entries<T>(runs, Source<T>{entries, src}, first, last, sum);
    runs.partial[part] = sum[0];
}

// outputs: logical order, y, x. in_place: what gets nothing is not touched.
template <class T, class I>
__global__ void __launch_bounds__(kThreads)
    add_runs(const __grid_constant__ Entries entries, const __grid_constant__ Index<3> outputs, RunsView runs, bool in_place,
             const typename T::Stored *__restrict__ src, const typename T::Stored *x, typename T::Stored *y) {
    const I i = blockIdx.x * I{blockDim.x} + threadIdx.x;
    if (i >= runs.destinations) return;
    const bool empty = runs.starts[i] == runs.starts[static_cast<std::int64_t>(i) + 1];
    if (empty && in_place) return;
    std::int64_t at[3];
    outputs.locate(i, at);
    if (empty) {
        y[at[1]] = x[at[2]];
        return;
    }
    float sum[1] = {widen<T>(x[at[2]])};
    add_run<T>(runs, Source<T>{entries, src}, static_cast<std::int64_t>(i), 0, sum);
    y[at[1]] = narrow<T>(sum[0]);
}

unsigned blocks_of(std::int64_t threads) {
    return static_cast<unsigned>((threads + kThreads - 1) / kThreads);
}

// like: y with the strides in which places are given.
Entries entries_of(const mpt_mod_call &call, const mpt_mod_operand &like) {
    const mpt_mod_operand &index = call.in[1], &src = call.in[2];
    const int dim = attrs_of<mpt_attrs_index>(call).dim;
    mpt_mod_operand place = like, along = index;
    std::copy_n(index.shape, index.ndim, place.shape);
    place.strides[dim] = 0;
    std::fill_n(along.strides, along.ndim, 0);
    along.strides[dim] = 1;
    const Loop loop("scatter_add", {&index, &src, &place, &along});
    return {Index<4>(loop),
            loop.count,
            index.shape[dim],
            index.strides[dim],
            src.strides[dim],
            like.strides[dim],
            static_cast<std::uint64_t>(like.shape[dim]),
            small(loop.count)};
}

template <class T>
std::unique_ptr<Kernel> few(const Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0];
    const IndexReader reader("scatter_add", call.in[1].dtype);
    const Entries entries = entries_of(call, y);
    const Mover mover(device, "scatter_add", y, x);
    const bool same = same_layout(x, y);
    return kernel_of("cuda:scatter_add_pairwise", [=](const void *const *in, void *const *out, void *, cudaStream_t stream) {
        using Stored = typename T::Stored;
        if (!same || in[0] != out[0]) mover.run(in[0], out[0], stream);
        if (entries.count == 0) return;
        add_pairwise<T><<<blocks_of(entries.count), kThreads, 0, stream>>>(
            entries, reader, in[1], static_cast<const Stored *>(in[2]), static_cast<Stored *>(out[0]));
        check_launch("scatter_add");
    });
}

template <class T, class Key>
std::unique_ptr<Kernel> many(const Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &y = call.out[0], in_order = row_major(y);
    const IndexReader reader("scatter_add", call.in[1].dtype);
    const Entries entries = entries_of(call, in_order);
    const Index<3> outputs(Loop("scatter_add", {&in_order, &y, &x}));
    const std::int64_t places = numel(y);
    const bool same = same_layout(x, y);
    const Runs<Key> runs("scatter_add", entries.count, places, 1);
    return kernel_of(
        "cuda:scatter_add_sorted",
        [=, &device](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
            using Stored = typename T::Stored;
            const auto *src = static_cast<const Stored *>(in[2]);
            const auto pairs = runs.input(workspace);
            make_keys<<<blocks_for(device, entries.count), kThreads, 0, stream>>>(entries, reader, in[1], places, pairs.keys,
                                                                                  pairs.numbers);
            check_launch("scatter_add");
            const RunsView view = runs.sort(device, workspace, stream);
            if (runs.partials() > 0) {
                add_parts<T><<<blocks_of(runs.partials()), kThreads, 0, stream>>>(entries, view, runs.partials(), src);
                check_launch("scatter_add");
            }
            visit_count(places, [&](auto i) {
                add_runs<T, decltype(i)>
                    <<<blocks_of(places), kThreads, 0, stream>>>(entries, outputs, view, same && in[0] == out[0], src,
                                                                 static_cast<const Stored *>(in[0]), static_cast<Stored *>(out[0]));
            });
            check_launch("scatter_add");
        },
        runs.workspace_bytes());
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &index = call.in[1], &src = call.in[2], &y = call.out[0];
    const std::int32_t dim = attrs_of<mpt_attrs_index>(call).dim;
    if (dim < 0 || dim >= x.ndim || index.ndim != y.ndim || src.dtype != y.dtype || x.dtype != y.dtype)
        throw Failure{MPT_ERROR_INTERNAL, "scatter_add: the operands do not fit"};
    std::unique_ptr<Kernel> kernel;
    visit_float("scatter_add", y.dtype, [&](auto t) {
        using T = decltype(t);
        if (index.shape[dim] <= kFew || numel(index) == 0)
            kernel = few<T>(device, call);
        else
            visit_key(numel(y), [&](auto key) { kernel = many<T, decltype(key)>(device, call); });
    });
    return kernel;
}
const RegisteredKernel registered("scatter_add", prepare);

}  // namespace
}  // namespace mpt::cuda
