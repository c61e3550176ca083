// channel_norm and its gradient with statistics of single images, where the elements of some groups fit in the shared memory of a
// block or of a cluster: memory is read once. A thread keeps packs as they are, adds up what it kept, and reads it again once there
// are factors for each channel.
#pragma once

#include <cuda_pipeline_primitives.h>

#include <numeric>

#include "channel_norm_passes.cuh"
#include "cluster.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda {

// Spans of neighbouring channels, whole groups of an image, and the blocks that share one: each has a part of all rows.
// The operands are the inputs, then the output.
template <int Inputs>
struct Spans {
    static constexpr int kThreads = 256, kFactors = Inputs == 1 ? 3 : 4;

    Spans(const Device &device, const ChannelSpace<Inputs + 1> &s, std::int64_t groups, int v) : columns(s.columns) {
        if (!s.packs(v) || s.index.ndim != 1 || groups == 0 || s.items * s.rows == 0 || !small(s.rows)) return;
        const std::int64_t of_group = s.channels / groups, unit = columns ? std::lcm<std::int64_t>(of_group, v) : of_group;
        if (of_group > kWidest || (columns && unit > 32 * v)) return;
        length = static_cast<int>(columns ? s.rows : s.rows / v);
        int most = 0, all = 0;
        check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), "channel_norm");
        check(cudaDeviceGetAttribute(&all, cudaDevAttrMaxSharedMemoryPerMultiprocessor, device.index()), "channel_norm");
        const std::int64_t enough = 2 * std::int64_t{device.multiprocessors()};
        // Packs that a block keeps, of w channels in k blocks.
        const auto packs = [&](std::int64_t w, std::int64_t k) { return (columns ? w / v : w) * ((length + k - 1) / k) * Inputs; };
        std::int64_t launched = 0;
        // Several blocks on a multiprocessor, where that can be, so that some read while others write.
        for (const std::int64_t room : {std::int64_t{all} / 3, std::int64_t{all} / 2, std::int64_t{most}}) {
            std::int64_t widest = unit;
            const auto suits = [&](std::int64_t w) {
                const std::int64_t line = w / v * 16;  // bytes that lie beside each other, in columns
                return s.channels % w == 0 && w <= kWidest && (!columns || line <= 512) &&
                       (packs(w, 1) * 16 <= 32768 || (columns && line <= 128));
            };
            while (suits(2 * widest)) widest *= 2;
            for (std::int64_t w = widest; w >= unit && launched < enough; w /= 2) {
                if (columns && launched > 0 && w < 2 * v) break;  // sectors of memory
                const auto bytes = [&](std::int64_t k) {
                    return packs(w, k) * 16 + 1024 + w * (16 + 4 * kFactors + 8 * (kThreads / 32));
                };
                const std::int64_t spans = s.items * (s.channels / w);
                std::int64_t k = 1;
                while (k < most_in_cluster(device) && bytes(k) > room) k *= 2;
                if (bytes(k) > room) continue;
                while (k < most_in_cluster(device) && spans * k < enough && packs(w, k) * 16 >= 16384) k *= 2;
                launched = spans * k;
                width = static_cast<int>(w);
                blocks = static_cast<int>(k);
            }
            if (launched > 0) break;
        }
        // Few blocks with much to do: better all multiprocessors twice.
        if (launched == 0 || !small(launched) || (launched < enough / 2 && packs(width, blocks) * 16 > 49152)) return;
        fits = true;
        items = s.items;
        channels = s.channels;
        across = s.channels / width;
        per_group = static_cast<int>(of_group);
        part = (length + blocks - 1) / blocks;
        slots = static_cast<int>(packs(width, blocks)) / Inputs;
        share = 1 / static_cast<double>(of_group * s.rows);
        if (columns) {
            wide = 1;
            while (wide * v < width) wide *= 2;
            parts = kThreads / 32;
        } else {
            wide = kThreads;
            while (wide > 8 && (part + wide - 1) / wide * wide > part + part / 8) wide /= 2;
            parts = std::max(wide / 32, 1);
        }
        team = 1;
        while (team < 32 && team < per_group) team *= 2;
        for (int k = 0; k <= Inputs; ++k) {
            item_stride[k] = s.item_stride[k];
            channel_stride[k] = s.channel_stride[k];
            step[k] = columns ? s.index.strides[k][0] : v;
        }
        nbytes = static_cast<std::size_t>(slots) * Inputs * 16 + static_cast<std::size_t>(width) * sizeof(double2) +
                 static_cast<std::size_t>(parts) * width * sizeof(float2) + kFactors * sizeof(float) * width;
    }
    unsigned grid() const { return static_cast<unsigned>(items * across * blocks); }

    static constexpr std::int64_t kWidest = 512;  // channels
    bool fits = false, columns;
    int width, blocks;                     // channels of a span, and blocks that share it
    int length, part;                      // rows, or the packs of a channel's rows: all, and those of a block
    int slots;                             // packs of an input that a block keeps
    int wide;                              // threads beside each other: along channels in columns, else along rows
    int parts;                             // sums of a channel
    int team;                              // threads that have a group
    int per_group;                         // channels
    std::int64_t items, channels, across;  // across: spans of an item
    std::int64_t item_stride[Inputs + 1], channel_stride[Inputs + 1], step[Inputs + 1];
    std::size_t nbytes;  // of shared memory
    double share;        // of an element in a group's mean
};

// Op:
//   in, out: addresses
//   center(item, channel): near the mean of the channel's group, one for all of it
//   add(raw, center, a, b): V elements to two sums each
//   weight(channel): of its sums in those of the group
//   see(item, channel, sum): a channel's sums, once
//   finish(item, channel, sum, center, lane, step, first, factors, pitch): from a group's sums the factors of its channels, of
//     which a thread takes each step-th; the factors' first row held the center
//   result(raw, factors, e)
template <class T, class Op, bool Columns>
__global__ void __launch_bounds__(256, Op::kInputs == 1 ? 4 : 3) channel_norm_kept(Spans<Op::kInputs> s, Op op, bool packed) {
    constexpr int V = 16 / sizeof(typename T::Stored), N = Op::kInputs, F = Spans<N>::kFactors;
    extern __shared__ uint4 kept_packs[];
    auto *const packs = reinterpret_cast<Elements<T, V> *>(kept_packs);
    auto *const sums = reinterpret_cast<double2 *>(kept_packs + N * s.slots);
    auto *const parts = reinterpret_cast<float2 *>(sums + s.width);
    auto *const factors = reinterpret_cast<float *>(parts + s.parts * s.width);
    const int thread = static_cast<int>(threadIdx.x), threads = Spans<N>::kThreads, lane = thread % 32;
    const unsigned rank = blockIdx.x % static_cast<unsigned>(s.blocks);
    const std::int64_t span = blockIdx.x / static_cast<unsigned>(s.blocks), item = span / s.across,
                       channel = span % s.across * s.width;
    const int x = thread % s.wide, y = thread / s.wide, deep = threads / s.wide, begin = static_cast<int>(rank) * s.part;
    const int count = s.length - begin < s.part ? s.length - begin : s.part, beside = s.width / V;
    std::int64_t base[N + 1];
#pragma unroll
    for (int k = 0; k <= N; ++k) base[k] = item * s.item_stride[k] + channel * s.channel_stride[k] + begin * s.step[k];

    // f(c, valid) for what the thread takes together, as often as all threads of its warp do: V neighbouring channels from c V on
    // in columns, else channel c.
    const auto each = [&](auto &&f) {
        if constexpr (Columns)
            f(x, x < beside);
        else
            for (int first = 0; first < s.width; first += deep) f(first + y, first + y < s.width);
    };
    // f(slot, position) for its packs.
    const auto walk = [&](int c, auto &&f) {
#pragma unroll 4
        for (int i = Columns ? y : x; i < count; i += Columns ? deep : s.wide) f(Columns ? i * beside + c : c * s.part + i, i);
    };
    const auto place = [&](int k, int c, int i) {
        return base[k] + (Columns ? std::int64_t{c} * V : c * s.channel_stride[k]) + i * (Columns ? s.step[k] : std::int64_t{V});
    };
    const auto factor = [&](int row, int c, float(&to)[V]) {
        coefficients(factors + row * s.width, Columns ? c * V : c, !Columns, to);
    };

    each([&](int c, bool valid) {
        if (valid)
            walk(c, [&](int slot, int i) {
#pragma unroll
                for (int k = 0; k < N; ++k) {
                    const typename T::Stored *const from = op.in[k] + place(k, c, i);
                    Elements<T, V> *const to = packs + k * s.slots + slot;
                    if (packed)
                        __pipeline_memcpy_async(to, from, 16);
                    else
                        *to = load<T, V, false>(from);
                }
            });
    });
    __pipeline_commit();
    for (int c = thread; c < s.width; c += threads) factors[c] = op.center(s, item, channel + c / s.per_group * s.per_group);
    __pipeline_wait_prior(0);
    __syncthreads();

    each([&](int c, bool valid) {
        float a[V] = {}, b[V] = {};
        if (valid) {
            float center[V];
            factor(0, c, center);
            walk(c, [&](int slot, int) {
                Elements<T, V> raw[N];
#pragma unroll
                for (int k = 0; k < N; ++k) raw[k] = packs[k * s.slots + slot];
                op.add(raw, center, a, b);
            });
        }
        if constexpr (Columns) {
            for (int distance = 16; distance >= s.wide; distance /= 2)
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    a[v] += __shfl_xor_sync(~0u, a[v], distance);
                    b[v] += __shfl_xor_sync(~0u, b[v], distance);
                }
            if (valid && lane < s.wide)
#pragma unroll
                for (int v = 0; v < V; ++v) parts[thread / 32 * s.width + c * V + v] = make_float2(a[v], b[v]);
        } else {
#pragma unroll
            for (int v = 1; v < V; ++v) {
                a[0] += a[v];
                b[0] += b[v];
            }
            for (int distance = (s.wide < 32 ? s.wide : 32) / 2; distance > 0; distance /= 2) {
                a[0] += __shfl_xor_sync(~0u, a[0], distance);
                b[0] += __shfl_xor_sync(~0u, b[0], distance);
            }
            if (valid && x % 32 == 0) parts[x / 32 * s.width + c] = make_float2(a[0], b[0]);
        }
    });
    __syncthreads();
    for (int c = thread; c < s.width; c += threads) {
        double2 sum = {0, 0};
#pragma unroll 4
        for (int p = 0; p < s.parts; ++p) {
            sum.x += parts[p * s.width + c].x;
            sum.y += parts[p * s.width + c].y;
        }
        sums[c] = sum;
    }
    if (s.blocks > 1)
        cluster_arrive(), cluster_wait();
    else
        __syncthreads();

    for (int first = 0; first < s.width / s.per_group; first += threads / s.team) {
        const int at = (first + thread / s.team) * s.per_group;  // the group's first channel
        double2 sum = {0, 0};
        float center = 0;
        if (at < s.width) {
            center = factors[at];
            for (int c = thread % s.team; c < s.per_group; c += s.team) {
                double2 of_channel = {0, 0};
#pragma unroll 4
                for (int r = 0; r < s.blocks; ++r) {
                    const double2 one = *of_block(sums + at + c, r);
                    of_channel.x += one.x;
                    of_channel.y += one.y;
                }
                if (rank == 0) op.see(s, item, channel + at + c, of_channel);
                const double weight = op.weight(channel + at + c);
                sum.x += weight * of_channel.x;
                sum.y += weight * of_channel.y;
            }
        }
        for (int distance = s.team / 2; distance > 0; distance /= 2) {
            sum.x += __shfl_xor_sync(~0u, sum.x, distance);
            sum.y += __shfl_xor_sync(~0u, sum.y, distance);
        }
        __syncwarp();  // a team has read its center, whose place the first of the factors takes
        if (at < s.width) op.finish(s, item, channel + at, sum, center, thread % s.team, s.team, rank == 0, factors + at, s.width);
    }
    if (s.blocks > 1) cluster_arrive();  // the others' sums have been read
    __syncthreads();

    each([&](int c, bool valid) {
        if (!valid) return;
        float of[F][V];
#pragma unroll
        for (int f = 0; f < F; ++f) factor(f, c, of[f]);
        walk(c, [&](int slot, int i) {
            Elements<T, V> raw[N];
#pragma unroll
            for (int k = 0; k < N; ++k) raw[k] = packs[k * s.slots + slot];
            float e[V];
            op.result(raw, of, e);
            typename T::Stored *const to = op.out + place(N, c, i);
            if (packed)
                store_pack<T>(to, e);
            else
                store<T, V, false>(to, e);
        });
    });
    if (s.blocks > 1) cluster_wait();
}

template <class T, class Op>
void allow_kept(const Spans<Op::kInputs> &s) {
    if (s.columns)
        allow_shared(channel_norm_kept<T, Op, true>, s.nbytes, "channel_norm");
    else
        allow_shared(channel_norm_kept<T, Op, false>, s.nbytes, "channel_norm");
}
// packed: whether packs are aligned. The order of additions is the same.
template <class T, class Op>
void run_kept(const Spans<Op::kInputs> &s, const Op &op, bool packed, cudaStream_t stream) {
    launch_clusters(s.columns ? channel_norm_kept<T, Op, true> : channel_norm_kept<T, Op, false>, s.grid(), s.kThreads, s.nbytes,
                    s.blocks, stream, "channel_norm", s, op, packed);
}

}  // namespace mpt::cuda
