// Batch norm and its gradient where a channel's elements lie beside each other: the grid takes some channels in a turn, each block
// its part of them, into a ring of slots in shared memory. While the blocks wait for each other's sums, the following channels'
// elements are on their way, so that memory is read once, and never stands still.
#pragma once

#include <cuda_pipeline_primitives.h>

#include "channel_norm_grid.cuh"

namespace mpt::cuda {

// Groups of blocks, which take different channels in a turn. A slot holds a pack of each input for each thread.
template <int Operands>
struct GridRows {
    static constexpr int kThreads = 512, kMostSlots = 28;
    static constexpr int kWarps = kThreads / 32;

    GridRows(const Device &device, const ChannelSpace<Operands> &of, int inputs, int v)
        : space(of), packs(of.rows / v), rows(of.rows) {
        if (of.columns || !of.packs(v) || of.items != 1 || of.channels * packs * 16 < kGridBytes || !small(of.rows)) return;
        const std::int64_t slot = std::int64_t{inputs} * kThreads * 16;
        int most = 0;
        check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), "channel_norm");
        const std::int64_t room = std::min<std::int64_t>((most - kScratch - 1024) / slot, kMostSlots);
        // What passes, in slots, between a turn's last element and its first result: a barrier and the sums around it.
        const std::int64_t latency = inputs == 1 ? 6 : 4;
        std::int64_t best = 0;
        for (std::int64_t g = 1; g <= device.multiprocessors(); ++g) {
            const std::int64_t blocks_of = device.multiprocessors() / g;
            const std::int64_t part_of = ((packs + blocks_of - 1) / blocks_of + 7) / 8 * 8;  // lines of the cache
            const std::int64_t deep_of = (part_of + kThreads - 1) / kThreads;
            for (std::int64_t m = 1; m <= kWarps && m * deep_of < room; ++m) {
                const std::int64_t n = m * deep_of, turns_of = (of.channels + g * m - 1) / (g * m);
                const std::int64_t cost = turns_of * std::max(n + std::max<std::int64_t>(latency - (room - n), 0), latency + n / 4);
                if (best != 0 && cost >= best) continue;
                best = cost;
                groups = static_cast<int>(g);
                part = static_cast<int>(part_of);
                deep = static_cast<int>(deep_of);
                together = static_cast<int>(m);
                turns = static_cast<int>(turns_of);
            }
        }
        if (best == 0) return;
        blocks = static_cast<int>((packs + part - 1) / part);
        slots = static_cast<int>(std::min<std::int64_t>(room, std::int64_t{turns} * together * deep));
        nbytes = static_cast<std::size_t>(slots * slot + kScratch);
        pack = v;
        fits = true;
    }
    unsigned grid() const { return static_cast<unsigned>(groups * blocks); }
    std::size_t workspace_bytes() const { return static_cast<std::size_t>(space.channels * blocks) * sizeof(double2); }
    __device__ __forceinline__ int packs_of(int block) const {
        const std::int64_t left = packs - std::int64_t{block} * part;
        return static_cast<int>(left < part ? left : part);
    }
    __device__ __forceinline__ std::int64_t rows_of(int block) const { return std::int64_t{packs_of(block)} * pack; }

    // Sums of the warps, and factors of the channels.
    static constexpr std::int64_t kScratch = kWarps * (kWarps * sizeof(float2) + 4 * sizeof(float));

    ChannelSpace<Operands> space;
    std::int64_t packs, rows;  // of a channel
    bool fits = false;
    int groups = 1, blocks = 1;   // blocks: of a group
    int part = 0, deep = 0;       // packs of a channel in a block, and in a thread at most
    int together = 1, turns = 0;  // channels of a group in a turn
    int slots = 0, pack = 1;
    std::size_t nbytes = 0;  // of shared memory
};

// Until all but so many of the thread's last copies have come. The number is to be in the instruction.
template <int Pending = GridRows<2>::kMostSlots>
__device__ __forceinline__ void wait_until_pending(int pending) {
    if constexpr (Pending == 0)
        asm volatile("cp.async.wait_group 0;" ::: "memory");
    else if (pending >= Pending)
        asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
    else
        wait_until_pending<Pending - 1>(pending);
}

// Op, besides what GridColumns asks for:
//   in(k): the address of what is kept
//   place(k): which operand that is
//   sum(kept, of, a, b)
// sums: [channel][block].
template <class T, class Op, bool Packed>
__global__ void __launch_bounds__(512, 1) channel_norm_grid_rows(GridRows<Op::kOperands> g, Op op, double2 *sums) {
    constexpr int V = 16 / sizeof(typename T::Stored), N = Op::kOperands, K = Op::kKept, U = 4;
    constexpr int kThreads = GridRows<N>::kThreads, kWarps = GridRows<N>::kWarps;
    extern __shared__ uint4 grid_packs[];
    auto *const of_warps = reinterpret_cast<float2 *>(grid_packs + g.slots * K * kThreads);
    auto *const factors = reinterpret_cast<float *>(of_warps + kWarps * kWarps);
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
    const int group = static_cast<int>(blockIdx.x) / g.blocks, block = static_cast<int>(blockIdx.x) % g.blocks;
    const int count = g.packs_of(block);  // packs of a channel
    const auto channel_of = [&](int turn, int j) { return (std::int64_t{turn} * g.groups + group) * g.together + j; };
    const auto locate = [&](std::int64_t channel, int i, std::int64_t(&offset)[N]) {
        g.space.locate_pack(0, channel, (std::int64_t{block} * g.part + i) * V, offset);
    };

    // The next copy: of what channel, and which of its packs.
    int next_turn = 0, next_j = 0, next_r = 0, next_slot = 0;
    const auto copy_next = [&] {
        const std::int64_t channel = channel_of(next_turn, next_j);
        const int i = next_r * kThreads + thread;
        if (next_turn < g.turns && channel < g.space.channels && i < count) {
            std::int64_t offset[N];
            locate(channel, i, offset);
#pragma unroll
            for (int k = 0; k < K; ++k) {
                const typename T::Stored *const from = op.in(k) + offset[Op::place(k)];
                uint4 *const to = grid_packs + (next_slot * K + k) * kThreads + thread;
                if constexpr (Packed) {
                    __pipeline_memcpy_async(to, from, 16);
                } else {
                    const Elements<T, V> e = cuda::load<T, V, false>(from);
                    *to = make_uint4(e.words[0], e.words[1], e.words[2], e.words[3]);
                }
            }
        }
        __pipeline_commit();  // for every thread and slot, so that they can be counted
        if (++next_slot == g.slots) next_slot = 0;
        if (++next_r == g.deep) {
            next_r = 0;
            if (++next_j == g.together) next_j = 0, ++next_turn;
        }
    };
    const auto kept_in = [&](int slot, Elements<T, V>(&kept)[K]) {
#pragma unroll
        for (int k = 0; k < K; ++k) {
            const uint4 words = grid_packs[(slot * K + k) * kThreads + thread];
            kept[k] = Elements<T, V>{{words.x, words.y, words.z, words.w}};
        }
    };

    for (int i = 0; i < g.slots; ++i) copy_next();
    int first = 0;  // the turn's first slot
    for (int turn = 0; turn < g.turns; ++turn) {
        wait_until_pending(g.slots - g.together * g.deep);
        for (int j = 0, slot = first; j < g.together; ++j) {
            const std::int64_t channel = channel_of(turn, j);
            if (channel >= g.space.channels) break;
            std::int64_t offset[N];
            locate(channel, 0, offset);
            typename Op::template Of<V> of;
            op.template start<V>(offset, channel, 0, of);
            float a[V] = {}, b[V] = {};
#pragma unroll 4
            for (int r = 0; r < g.deep; ++r) {
                if (r * kThreads + thread < count) {
                    Elements<T, V> kept[K];
                    kept_in(slot, kept);
                    op.template sum<V>(kept, of, a, b);
                }
                if (++slot == g.slots) slot = 0;
            }
#pragma unroll
            for (int v = 1; v < V; ++v) {
                a[0] += a[v];
                b[0] += b[v];
            }
            a[0] = warp_reduce(a[0], Add());
            b[0] = warp_reduce(b[0], Add());
            if (lane == 0) of_warps[j * kWarps + warp] = make_float2(a[0], b[0]);
        }
        __syncthreads();
        const std::int64_t own = channel_of(turn, warp);  // the channel whose sums this warp adds up
        const bool has_own = warp < g.together && own < g.space.channels;
        if (has_own) {
            double2 sum = {0, 0};
            if (lane < kWarps) {
                sum.x = of_warps[warp * kWarps + lane].x;
                sum.y = of_warps[warp * kWarps + lane].y;
            }
            sum.x = warp_reduce(sum.x, Add());
            sum.y = warp_reduce(sum.y, Add());
            std::int64_t offset[N];
            locate(own, 0, offset);
            typename Op::template Of<1> of;
            op.template start<1>(offset, own, 0, of);
            if (lane == 0) sums[own * g.blocks + block] = op.result(sum.x, sum.y, of, g.rows_of(block));
        }
        grid_barrier();
        if (has_own) op.finish(g, own, sums + own * g.blocks, lane, factors + warp, kWarps, block == 0);
        __syncthreads();

        int slot = first;
        const auto body = op.of_kept(factors, kWarps);
        using Body = std::remove_const_t<decltype(body)>;
        for (int j = 0; j < g.together; ++j) {
            const std::int64_t channel = channel_of(turn, j);
            if (channel >= g.space.channels) break;
            const typename Body::template Of<V> of = body.template of<V>(j, true);
            for (int r = 0; r < g.deep; r += U) {
                typename Body::template Raw<V> raw[U];
                std::int64_t at[U][N];
#pragma unroll
                for (int u = 0; u < U; ++u) {
                    const int i = (r + u) * kThreads + thread;
                    if (r + u < g.deep && i < count) {
                        Elements<T, V> kept[K];
                        kept_in(slot, kept);
                        locate(channel, i, at[u]);
                        raw[u] = body.template take<V, Packed>(kept, at[u]);
                    }
                    if (r + u < g.deep && ++slot == g.slots) slot = 0;
                }
#pragma unroll
                for (int u = 0; u < U; ++u)
                    if (r + u < g.deep && (r + u) * kThreads + thread < count) body.template store<V, Packed>(raw[u], of, at[u]);
#pragma unroll
                for (int u = 0; u < U; ++u)
                    if (r + u < g.deep) copy_next();  // to where the thread itself has read
            }
        }
        first = slot;
    }
}

template <class T, class Op>
void allow_grid(const Device &device, GridRows<Op::kOperands> &g) {
    if (!g.fits) return;
    const auto allow = [&](auto *function) {
        allow_shared(function, g.nbytes, "channel_norm");
        g.fits &= runs_at_once(device, function, g.grid(), g.kThreads, g.nbytes, "channel_norm");
    };
    allow(channel_norm_grid_rows<T, Op, true>);
    allow(channel_norm_grid_rows<T, Op, false>);
}
// packed: whether packs are aligned. The order of additions is the same.
template <class T, class Op>
void run_grid(const GridRows<Op::kOperands> &g, const Op &op, bool packed, void *workspace, cudaStream_t stream) {
    launch_grid(packed ? channel_norm_grid_rows<T, Op, true> : channel_norm_grid_rows<T, Op, false>, g.grid(), g.kThreads, g.nbytes,
                stream, "channel_norm", g, op, static_cast<double2 *>(workspace));
}

}  // namespace mpt::cuda
