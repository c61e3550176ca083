// The passes of channel_norm and channel_norm_grad: two sums for each item, channel and chunk of rows; then one over all elements.
// The same templates serve the norms that are fused with a ReLU, whose bits are to be those of the norm: hence fmaf where a
// compiler might or might not contract.
#pragma once

#include "channel_norm.cuh"
#include "elements.cuh"

namespace mpt::cuda {

template <class T>
__device__ __forceinline__ float rounded(float x) {
    return widen<T>(narrow<T>(x));
}

__device__ __forceinline__ float normed(float x, float mean, float scale, float shift) {
    return fmaf(x - mean, scale, shift);
}

// Coefficients of a pack's elements: all of one channel, or each of its own.
template <int V>
__device__ __forceinline__ void coefficients(const float *of_channels, std::int64_t at, bool together, float (&to)[V]) {
    if (V == 1 || together) {
        const float one = of_channels[at];
#pragma unroll
        for (int v = 0; v < V; ++v) to[v] = one;
    } else {
        const auto pack = *reinterpret_cast<const Pack<float, V> *>(of_channels + at);
#pragma unroll
        for (int v = 0; v < V; ++v) to[v] = pack.at[v];
    }
}

// A block of columns: some rows of neighbouring channels. Where there are packs, the rows lie at equal distances.
template <int Operands, int V>
struct ColumnBlock {
    __device__ __forceinline__ ColumnBlock(const ChannelSpace<Operands> &s, std::int64_t across, std::int64_t block) {
        x = static_cast<int>(threadIdx.x) % s.wide, y = static_cast<int>(threadIdx.x) / s.wide;
        deep = ChannelSpace<Operands>::kBlock / s.wide;
        chunk = block / across % s.chunks, item = block / across / s.chunks;
        channel = (block % across * s.wide + x) * V, begin = chunk * s.chunk, end = begin + s.rows_of(chunk);
    }
    __device__ __forceinline__ void locate(const ChannelSpace<Operands> &s, std::int64_t row,
                                           std::int64_t (&offset)[Operands]) const {
        if constexpr (V == 1) {
            s.locate(item, channel, row, offset);
        } else {
#pragma unroll
            for (int k = 0; k < Operands; ++k) offset[k] = item * s.item_stride[k] + channel + row * s.index.strides[k][0];
        }
    }
    int x, y, deep;  // the thread's place, and how many have its channel
    std::int64_t chunk, item, channel, begin, end;
};

// Measure: what is added up.
//   kAtOnce: how many packs a thread reads before it looks at one
//   start(offset, item, channel, step, of): of: what it keeps of the channels; step: from an element's channel to the next's, 0 or
//   1 load(offset): the elements from offset on add(raw, of, offset, a, b): to two sums each result(a, b, of, v, rows): what is
//   kept, of one channel
// sums: [item][channel][chunk].
template <class Measure, int V, bool Packed>
__global__ void __launch_bounds__(256) measure_rows(ChannelSpace<Measure::kOperands> s, Measure measure, double2 *sums) {
    constexpr int U = Measure::kAtOnce;
    __shared__ float scratch[32];
    for (std::int64_t t = team(); t < s.items * s.channels * s.chunks; t += teams()) {
        const std::int64_t k = t % s.chunks, channel = t / s.chunks % s.channels, item = t / s.chunks / s.channels;
        const std::int64_t begin = k * s.chunk, end = begin + s.rows_of(k), step = std::int64_t{blockDim.x} * V;
        const auto locate = [&](std::int64_t r, std::int64_t(&offset)[Measure::kOperands]) {
            if constexpr (V > 1)
                s.locate_pack(item, channel, r, offset);
            else
                s.locate(item, channel, r, offset);
        };
        std::int64_t offset[U][Measure::kOperands];
        locate(begin, offset[0]);
        typename Measure::template Of<V> of;
        measure.template start<V>(offset[0], item, channel, 0, of);
        float a[V] = {}, b[V] = {};
        for (std::int64_t r = begin + threadIdx.x * V; r < end; r += U * step) {
            typename Measure::template Raw<V> raw[U];
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (r + u * step < end) {
                    locate(r + u * step, offset[u]);
                    raw[u] = measure.template load<V, Packed>(offset[u]);
                }
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (r + u * step < end) measure.template add<V, Packed>(raw[u], of, offset[u], a, b);
        }
#pragma unroll
        for (int v = 1; v < V; ++v) {
            a[0] += a[v];
            b[0] += b[v];
        }
        const float first = team_reduce(a[0], Add(), 0.0f, scratch), second = team_reduce(b[0], Add(), 0.0f, scratch);
        if (threadIdx.x == 0) sums[t] = measure.template result<V>(first, second, of, 0, s.rows_of(k));
    }
}

// Blocks of s.wide threads beside each other, each with V channels.
template <class Measure, int V>
__global__ void __launch_bounds__(256, 2)
    measure_columns(ChannelSpace<Measure::kOperands> s, Measure measure, std::int64_t across, double2 *sums) {
    constexpr int kBlock = ChannelSpace<Measure::kOperands>::kBlock, U = Measure::kAtOnce;
    __shared__ float parts[2 * V][kBlock];
    const ColumnBlock<Measure::kOperands, V> c(s, across, blockIdx.x);
    typename Measure::template Of<V> of;
    float a[V] = {}, b[V] = {};
    if (c.channel < s.channels) {
        std::int64_t offset[U][Measure::kOperands];
        c.locate(s, c.begin, offset[0]);
        measure.template start<V>(offset[0], c.item, c.channel, 1, of);
        for (std::int64_t r = c.begin + c.y; r < c.end; r += U * c.deep) {
            typename Measure::template Raw<V> raw[U];
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (r + u * c.deep < c.end) {
                    c.locate(s, r + u * c.deep, offset[u]);
                    raw[u] = measure.template load<V, true>(offset[u]);
                }
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (r + u * c.deep < c.end) measure.template add<V, true>(raw[u], of, offset[u], a, b);
        }
    }
#pragma unroll
    for (int v = 0; v < V; ++v) {
        parts[2 * v][threadIdx.x] = a[v];
        parts[2 * v + 1][threadIdx.x] = b[v];
    }
    for (int half = c.deep / 2; half > 0; half /= 2) {
        __syncthreads();
        if (c.y < half)
#pragma unroll
            for (int v = 0; v < 2 * V; ++v) parts[v][threadIdx.x] += parts[v][threadIdx.x + half * s.wide];
    }
    if (c.y != 0 || c.channel >= s.channels) return;
#pragma unroll
    for (int v = 0; v < V; ++v)
        sums[(c.item * s.channels + c.channel + v) * s.chunks + c.chunk] =
            measure.template result<V>(parts[2 * v][threadIdx.x], parts[2 * v + 1][threadIdx.x], of, v, s.rows_of(c.chunk));
}

template <int V, int Operands>
std::int64_t across_of(const ChannelSpace<Operands> &s) {
    return (s.channels + std::int64_t{V} * s.wide - 1) / (std::int64_t{V} * s.wide);
}

// V: s.packs(V). lies_well: whether packs are aligned.
template <int V, class Measure>
void run_measure(const Device &device, cudaStream_t stream, const ChannelSpace<Measure::kOperands> &s, const Measure &measure,
                 bool lies_well, double2 *sums) {
    if (s.sums() == 0) return;
    const Team t = s.rows <= 1024 ? warps(device, s.sums()) : Team{256, 1, 0};
    const auto columns = [&](auto v) {
        const std::int64_t across = across_of<v.value>(s);
        measure_columns<Measure, v.value>
            <<<static_cast<unsigned>(s.items * s.chunks * across), s.kBlock, 0, stream>>>(s, measure, across, sums);
    };
    if (s.columns && lies_well)
        columns(std::integral_constant<int, V>{});
    else if (s.columns)  // the order of additions is the same
        columns(std::integral_constant<int, 1>{});
    else if (lies_well || V == 1)
        measure_rows<Measure, V, true><<<t.grid(device, s.sums()), t.block(), 0, stream>>>(s, measure, sums);
    else if constexpr (V > 1)
        measure_rows<Measure, V, false><<<t.grid(device, s.sums()), t.block(), 0, stream>>>(s, measure, sums);
    check_launch("channel_norm");
}

// Body: what becomes of the elements, once there are coefficients.
//   of(number, together): coefficients of V elements; number: of the item and channel; together: all of that, or each of its own
//   load(offset), store(raw, of, offset)
// What was measured last comes first: it may still lie in the cache.
template <class Body, int V>
__global__ void __launch_bounds__(256, 2) map_columns(ChannelSpace<Body::kOperands> s, Body body, std::int64_t across) {
    constexpr int U = Body::kAtOnce;
    const ColumnBlock<Body::kOperands, V> c(s, across, gridDim.x - 1 - blockIdx.x);
    if (c.channel >= s.channels) return;
    const typename Body::template Of<V> of = body.template of<V>(c.item * s.channels + c.channel, false);
    for (std::int64_t r = c.end - 1 - c.y; r >= c.begin; r -= U * c.deep) {
        typename Body::template Raw<V> raw[U];
        std::int64_t offset[U][Body::kOperands];
#pragma unroll
        for (int u = 0; u < U; ++u)
            if (r - u * c.deep >= c.begin) {
                c.locate(s, r - u * c.deep, offset[u]);
                raw[u] = body.template load<V, true>(offset[u]);
            }
#pragma unroll
        for (int u = 0; u < U; ++u)
            if (r - u * c.deep >= c.begin) body.template store<V, true>(raw[u], of, offset[u]);
    }
}

// The rows of an image's channels, whose elements lie beside each other, in pieces of some packs: a warp takes one.
// per_item: coefficients of an image, or 0 where all images have the same.
template <class Body, int V>
__global__ void __launch_bounds__(128) map_rows(ChannelSpace<Body::kOperands> s, Body body, std::int64_t per_item, int piece) {
    constexpr int U = Body::kAtOnce, N = Body::kOperands;
    const std::int64_t pieces = (s.rows / V + piece - 1) / piece, tasks = s.items * s.channels * pieces;
    for (std::int64_t t = tasks - 1 - team(); t >= 0; t -= teams()) {
        const std::int64_t row = t / pieces, channel = row % s.channels, item = row / s.channels;
        const std::int64_t begin = t % pieces * piece, left = s.rows / V - begin;
        const int packs = static_cast<int>(left < piece ? left : piece);
        std::int64_t base[N];
#pragma unroll
        for (int k = 0; k < N; ++k) base[k] = item * s.item_stride[k] + channel * s.channel_stride[k] + begin * V;
        const typename Body::template Of<V> of = body.template of<V>(item * per_item + channel, true);
        for (int i = static_cast<int>(threadIdx.x); i < packs; i += U * 32) {
            typename Body::template Raw<V> raw[U];
            std::int64_t offset[U][N];
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (i + u * 32 < packs) {
#pragma unroll
                    for (int k = 0; k < N; ++k) offset[u][k] = base[k] + (i + u * 32) * V;
                    raw[u] = body.template load<V, true>(offset[u]);
                }
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (i + u * 32 < packs) body.template store<V, true>(raw[u], of, offset[u]);
        }
    }
}

// The index has one operand more: the number of the coefficients.
template <class Body, int V>
__global__ void __launch_bounds__(256)
    map_elements(Index<Body::kOperands + 1> index, std::int64_t count, bool together, Body body) {
    constexpr int N = Body::kOperands;
    const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = count / V - 1 - (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x); i >= 0; i -= threads) {
        std::int64_t place[N + 1], offset[N];
        if (count < (std::int64_t{1} << 31))
            index.locate(static_cast<std::uint32_t>(i * V), place);
        else
            index.locate(static_cast<std::uint64_t>(i * V), place);
#pragma unroll
        for (int k = 0; k < N; ++k) offset[k] = place[k];
        const auto raw = body.template load<V, true>(offset);
        body.template store<V, true>(raw, body.template of<V>(place[N], together), offset);
    }
}

// A pass over all elements, in columns, in rows or in the order of memory. v: how many elements lie beside each other in every
// operand.
template <int Operands>
struct Map {
    Map(const Device &device, const char *kernel, bool per_image, const std::array<const mpt_mod_operand *, Operands> &list, int v)
        : columns(device, kernel, per_image, list), rows(device, kernel, true, list) {
        const mpt_mod_operand numbers = numbers_of(*list[0], per_image, 0, true);
        const Loop loop = Operands == 2 ? Loop(kernel, {list[0], list[1], &numbers})
                                        : Loop(kernel, {list[0], list[1], list[Operands - 1], &numbers});
        static_assert(Operands == 2 || Operands == 3);
        index = Index<Operands + 1>(loop);
        count = loop.count;
        together = loop.inner_stride(Operands) == 0;
        packs = in_packs(loop, v);
        by_columns = columns.columns && columns.packs(v);
        by_rows = !rows.columns && rows.packs(v) && rows.index.ndim == 1 && rows.rows >= 32 * v;
        per_item = per_image ? rows.channels : 0;
    }
    // lies_well: whether packs are aligned.
    template <int V, class Body>
    void run(const Device &device, cudaStream_t stream, const Body &body, bool lies_well) const {
        if (count == 0) return;
        if (by_columns && lies_well) {
            const std::int64_t across = across_of<V>(columns);
            map_columns<Body, V><<<static_cast<unsigned>(columns.items * columns.chunks * across), columns.kBlock, 0, stream>>>(
                columns, body, across);
        } else if (by_rows && lies_well) {
            const int piece = 32 * 4 * Body::kAtOnce;
            const std::int64_t tasks = rows.items * rows.channels * ((rows.rows / V + piece - 1) / piece);
            map_rows<Body, V><<<blocks_for(device, tasks, 4, 64), dim3(32, 4), 0, stream>>>(rows, body, per_item, piece);
        } else if (packs && lies_well) {
            map_elements<Body, V>
                <<<blocks_for(device, count / V, kThreads, 32), kThreads, 0, stream>>>(index, count, together, body);
        } else {
            map_elements<Body, 1><<<blocks_for(device, count, kThreads, 32), kThreads, 0, stream>>>(index, count, together, body);
        }
        check_launch("channel_norm");
    }

    ChannelSpace<Operands> columns, rows;  // rows: of single images
    Index<Operands + 1> index;
    std::int64_t count, per_item;
    bool together, packs, by_columns, by_rows;
};

}  // namespace mpt::cuda
