// Batch norm and its gradient in one launch, whose blocks all run at once. Each has a share of the rows: what fits in its shared
// memory is read once, the rest a second time, what was read last first, since it may still lie in the cache. Between the two
// passes the blocks wait for each other twice: for all sums, and for the factors that some of them make of those.
#pragma once

#include "channel_norm_passes.cuh"
#include "grid.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda {

// Below so many bytes of x three short launches take no longer.
inline constexpr std::int64_t kGridBytes = std::int64_t{2} << 20;

// Channels that lie beside each other: a thread has a pack of them, in some rows. kept: packs of a row that are kept.
template <int Operands>
struct GridColumns {
    static constexpr int kThreads = 512;
    static constexpr std::int64_t kMostRows = 4096;  // of a thread, whose sums are f32

    GridColumns(const Device &device, const ChannelSpace<Operands> &s, int kept, int v) : rows(s.rows), channels(s.channels) {
        if (!s.columns || !s.packs(v) || s.index.ndim != 1 || s.items != 1 || channels > std::int64_t{kThreads} * v) return;
        if (rows * channels / v * 16 < kGridBytes) return;
        wide = static_cast<int>(channels) / v;
        deep = kThreads / wide;
        if (wide * deep < kThreads * 3 / 4) return;
        share = (rows + device.multiprocessors() - 1) / device.multiprocessors();
        if (share > kMostRows * deep) return;
        blocks = static_cast<int>((rows + share - 1) / share);
        parts = 32 % wide == 0 ? kThreads / 32 : deep;
        const std::int64_t parts_bytes = parts * channels * static_cast<std::int64_t>(sizeof(float2));
        const std::int64_t slot = std::int64_t{kept} * kThreads * 16;
        int most = 0;
        check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), "channel_norm");
        slots = static_cast<int>(std::min((share + deep - 1) / deep, (most - 1024 - parts_bytes) / slot));
        if (slots <= 0) return;
        nbytes = static_cast<std::size_t>(slots * slot + parts_bytes);
        for (int k = 0; k < Operands; ++k) step[k] = s.index.strides[k][0];
        fits = true;
    }
    __device__ __forceinline__ std::int64_t rows_of(std::int64_t block) const {
        return rows - block * share < share ? rows - block * share : share;
    }
    std::size_t workspace_bytes(int factors) const {
        return static_cast<std::size_t>(channels) *
               (static_cast<std::size_t>(blocks) * sizeof(double2) + static_cast<std::size_t>(factors) * sizeof(float));
    }

    bool fits = false;
    std::int64_t rows, channels;
    std::int64_t share = 1;  // rows of a block
    int blocks = 0;
    int wide = 1, deep = 1;       // threads beside each other, and how many have the same channels
    int parts = 0;                // sums of a channel in a block
    int slots = 0;                // rows that a thread keeps
    std::int64_t step[Operands];  // from a row to the next
    std::size_t nbytes = 0;       // of shared memory
};

// f(block, sums) for every 32nd block from the warp's lane on; all are fetched before one is looked at.
template <class F>
__device__ __forceinline__ void each_block(const double2 *sums, int blocks, int lane, F &&f) {
    constexpr int U = 5;
    for (int from = lane; from < blocks; from += U * 32) {
        double2 fetched[U];
#pragma unroll
        for (int u = 0; u < U; ++u)
            if (from + u * 32 < blocks) fetched[u] = __ldcg(sums + from + u * 32);
#pragma unroll
        for (int u = 0; u < U; ++u)
            if (from + u * 32 < blocks) f(from + u * 32, fetched[u]);
    }
}

// Op:
//   kOperands, kKept: packs of a row that are kept; kAtOnce: how many rows a thread reads before it looks at one
//   start(offset, channel, step, of): what the first pass keeps of channels, as for Measure
//   load(offset), add(raw, of, offset, a, b, kept): V elements to two sums each, and what is kept
//   result(a, b, of, rows): of a block's share and one channel
//   kFactors: of a channel
//   finish(space, channel, sums, lane, factors, pitch): a channel's, from its sums of all blocks, by a warp, and what the norm
//     gives besides
//   again(factors, pitch): the second pass over what has not been kept: a Body of channel_norm_passes.cuh
//   of_kept(factors, pitch): over what has been: a Body, too, with take(kept, offset) instead of load
// sums: [channel][block]; factors: [kFactors][channel].
template <class T, class Op, bool Packed>
__global__ void __launch_bounds__(512, 1)
    channel_norm_grid_columns(GridColumns<Op::kOperands> g, Op op, double2 *sums, float *factors) {
    constexpr int V = 16 / sizeof(typename T::Stored), N = Op::kOperands, K = Op::kKept, U = Op::kAtOnce;
    constexpr int kThreads = GridColumns<N>::kThreads;
    extern __shared__ uint4 grid_packs[];
    auto *const parts = reinterpret_cast<float2 *>(grid_packs + g.slots * K * kThreads);
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
    const int x = thread % g.wide, y = thread / g.wide, channel = x * V;
    const int rows = static_cast<int>(g.rows_of(blockIdx.x));
    const int count = y < g.deep && y < rows ? (rows - y + g.deep - 1) / g.deep : 0, kept = count < g.slots ? count : g.slots;
    std::int64_t base[N], step[N];
#pragma unroll
    for (int k = 0; k < N; ++k) {
        step[k] = g.deep * g.step[k];
        base[k] = (blockIdx.x * g.share + y) * g.step[k] + channel;
    }
    const auto locate = [&](int i, std::int64_t(&offset)[N]) {
#pragma unroll
        for (int k = 0; k < N; ++k) offset[k] = base[k] + i * step[k];
    };
    const auto slot = [&](int i, int k) -> uint4 & { return grid_packs[(i * K + k) * kThreads + thread]; };

    float a[V] = {}, b[V] = {};
    if (count > 0) {
        std::int64_t offset[N];
        locate(0, offset);
#pragma unroll
        for (int k = 0; k < N; ++k) offset[k] -= y * g.step[k];  // all threads of a channel start from the same row
        typename Op::template Of<V> of;
        op.template start<V>(offset, channel, 1, of);
        const auto measure = [&](int from, int to, auto keeps) {
            for (int i = from; i < to; i += U) {
                typename Op::template Raw<V> raw[U];
#pragma unroll
                for (int u = 0; u < U; ++u)
                    if (i + u < to) {
                        std::int64_t at[N];
                        locate(i + u, at);
                        raw[u] = op.template load<V, Packed, keeps.value>(at);
                    }
#pragma unroll
                for (int u = 0; u < U; ++u)
                    if (i + u < to) {
                        std::int64_t at[N];
                        locate(i + u, at);
                        Elements<T, V> packs[K];
                        op.template add<V, Packed>(raw[u], of, at, a, b, packs);
                        if constexpr (keeps.value) {
#pragma unroll
                            for (int k = 0; k < K; ++k) {
                                const auto &words = packs[k].words;
                                slot(i + u, k) = make_uint4(words[0], words[1], words[2], words[3]);
                            }
                        }
                    }
            }
        };
        measure(0, kept, std::true_type{});
        measure(kept, count, std::false_type{});
    }
    if (32 % g.wide == 0) {
        for (int distance = 16; distance >= g.wide; distance /= 2)
#pragma unroll
            for (int v = 0; v < V; ++v) {
                a[v] += __shfl_xor_sync(~0u, a[v], distance);
                b[v] += __shfl_xor_sync(~0u, b[v], distance);
            }
        if (lane < g.wide)
#pragma unroll
            for (int v = 0; v < V; ++v) parts[warp * g.channels + channel + v] = make_float2(a[v], b[v]);
    } else if (y < g.deep) {
#pragma unroll
        for (int v = 0; v < V; ++v) parts[y * g.channels + channel + v] = make_float2(a[v], b[v]);
    }
    __syncthreads();
    for (int c = thread; c < g.channels; c += kThreads) {
        double2 sum = {0, 0};
#pragma unroll 4
        for (int p = 0; p < g.parts; ++p) {
            sum.x += parts[p * g.channels + c].x;
            sum.y += parts[p * g.channels + c].y;
        }
        std::int64_t offset[N];
#pragma unroll
        for (int k = 0; k < N; ++k) offset[k] = blockIdx.x * g.share * g.step[k] + c;
        typename Op::template Of<1> of;
        op.template start<1>(offset, c, 1, of);
        sums[std::int64_t{c} * g.blocks + blockIdx.x] = op.result(sum.x, sum.y, of, rows);
    }
    grid_barrier();
    for (std::int64_t c = warp * g.blocks + blockIdx.x; c < g.channels; c += kThreads / 32 * g.blocks)
        op.finish(g, c, sums + c * g.blocks, lane, factors + c, g.channels);
    grid_barrier();

    if (count == 0) return;
    if (kept < count) {
        const auto body = op.again(factors, g.channels);
        constexpr int W = std::remove_cvref_t<decltype(body)>::kAtOnce;
        using Body = std::remove_cvref_t<decltype(body)>;
        const typename Body::template Of<V> of = body.template of<V>(channel, false);
        for (int i = count - 1; i >= kept; i -= W) {
            typename Body::template Raw<V> raw[W];
            std::int64_t at[W][N];
#pragma unroll
            for (int u = 0; u < W; ++u)
                if (i - u >= kept) {
                    locate(i - u, at[u]);
                    raw[u] = body.template load<V, Packed>(at[u]);
                }
#pragma unroll
            for (int u = 0; u < W; ++u)
                if (i - u >= kept) body.template store<V, Packed, true>(raw[u], of, at[u]);
        }
    }
    const auto body = op.of_kept(factors, g.channels);
    using Body = std::remove_cvref_t<decltype(body)>;
    const typename Body::template Of<V> of = body.template of<V>(channel, false);
    for (int i = 0; i < kept; i += 4) {
        typename Body::template Raw<V> raw[4];
        std::int64_t at[4][N];
#pragma unroll
        for (int u = 0; u < 4; ++u)
            if (i + u < kept) {
                locate(i + u, at[u]);
                Elements<T, V> packs[K];
#pragma unroll
                for (int k = 0; k < K; ++k) {
                    const uint4 words = slot(i + u, k);
                    packs[k] = {words.x, words.y, words.z, words.w};
                }
                raw[u] = body.template take<V, Packed>(packs, at[u]);
            }
#pragma unroll
        for (int u = 0; u < 4; ++u)
            if (i + u < kept) body.template store<V, Packed>(raw[u], of, at[u]);
    }
}

template <class T, class Op>
void allow_grid(const Device &device, GridColumns<Op::kOperands> &g) {
    if (!g.fits) return;
    const auto allow = [&](auto *function) {
        allow_shared(function, g.nbytes, "channel_norm");
        g.fits &= runs_at_once(device, function, static_cast<unsigned>(g.blocks), g.kThreads, g.nbytes, "channel_norm");
    };
    allow(channel_norm_grid_columns<T, Op, true>);
    allow(channel_norm_grid_columns<T, Op, false>);
}
// packed: whether packs are aligned. The order of additions is the same.
template <class T, class Op>
void run_grid(const GridColumns<Op::kOperands> &g, const Op &op, bool packed, void *workspace, cudaStream_t stream) {
    auto *sums = static_cast<double2 *>(workspace);
    auto *factors = reinterpret_cast<float *>(sums + g.channels * g.blocks);
    launch_grid(packed ? channel_norm_grid_columns<T, Op, true> : channel_norm_grid_columns<T, Op, false>,
                static_cast<unsigned>(g.blocks), g.kThreads, g.nbytes, stream, "channel_norm", g, op, sums, factors);
}

}  // namespace mpt::cuda
