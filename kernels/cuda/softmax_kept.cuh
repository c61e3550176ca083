// Softmax of long rows whose elements lie beside each other, wherever a row starts: a block takes a row, and each thread keeps the
// packs that it reads in shared memory, as they are, for the second time that it needs them. Of what does not fit, the last packs
// are read again.
#pragma once

#include <cuda_pipeline_primitives.h>

#include "cluster.cuh"
#include "shared_memory.cuh"
#include "softmax_rows.cuh"

namespace mpt::cuda {

inline constexpr std::int64_t kShortestKept = 1024;
inline constexpr unsigned kMostOfGradient = 512;  // threads

template <class T>
__global__ void __launch_bounds__(1024) softmax_kept(Rows<2> rows, bool log, std::int64_t kept,
                                                     const typename T::Stored *__restrict__ x, typename T::Stored *__restrict__ y) {
    extern __shared__ uint4 kept_packs[];
    __shared__ float scratch[32];
    constexpr int V = 16 / sizeof *x;
    auto *const packs = reinterpret_cast<Elements<T, V> *>(kept_packs);
    for (std::int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
        std::int64_t offset[2];
        rows.locate(r, offset);
        const typename T::Stored *const from = x + offset[1];
        typename T::Stored *const to = y + offset[0];
        const RowParts<T, V> parts(from, rows.length);
        Exponentials<T> exponentials;
        exponentials.template add_row<T, V>(from, 1, rows.length, scratch, [&](std::int64_t i, const Elements<T, V> &pack) {
            if (i < kept) packs[i] = pack;
        });
        const float largest = exponentials.largest, log_sum = logf(exponentials.sum), inverse = 1 / exponentials.sum;
        const auto result = [&](float e) { return log ? (e - largest) - log_sum : exponential<T>(e - largest) * inverse; };
#pragma unroll 2
        for (std::int64_t i = threadIdx.x; i < parts.packs; i += blockDim.x) {
            const Elements<T, V> pack = i < kept ? packs[i] : load<T, V, true>(from + parts.head + i * V);
            float e[V];
#pragma unroll
            for (int v = 0; v < V; ++v) e[v] = result(pack[v]);
            store_pack<T>(to + parts.head + i * V, e);
        }
        parts.edges([&](std::int64_t c) { to[c] = narrow<T>(result(widen<T>(from[c]))); });
    }
}

// Gradients: the blocks of a cluster share a row. Of y, kept_y of a block's packs are kept, and of dy kept_dy, which is fewer where
// not both have room. As a thread is done with a pack, it fetches that of the next row into its place, so that memory is read while
// it is written. The packs are taken in reverse the second time, since what was read last may still lie in the cache.
template <class T>
__global__ void __launch_bounds__(kMostOfGradient)
    softmax_grad_kept(Rows<3> rows, bool log, int blocks, int kept_y, int kept_dy, const typename T::Stored *__restrict__ dy,
                      const typename T::Stored *__restrict__ y, typename T::Stored *__restrict__ dx) {
    extern __shared__ uint4 kept_packs[];
    __shared__ float scratch[34];
    constexpr int V = 16 / sizeof *y, U = 4;  // packs of dy that are read before one is looked at
    auto *const y_packs = reinterpret_cast<Elements<T, V> *>(kept_packs), *const dy_packs = y_packs + kept_y;
    float *const sums = scratch + 32;  // of the block's part of two rows, by turns
    const int step = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
    const int rank = static_cast<int>(blockIdx.x) % blocks;
    const std::int64_t clusters = gridDim.x / static_cast<unsigned>(blocks);
    struct Row {
        const typename T::Stored *dy, *y;  // the block's first pack
        typename T::Stored *to;
        int packs, before, behind;  // elements in no pack, in front of the first and behind the last
    };
    const auto row_at = [&](std::int64_t r) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        const RowParts<T, V> parts(y + offset[2], rows.length);
        const int packs = static_cast<int>(parts.packs), part = (static_cast<int>(rows.length / V) + blocks - 1) / blocks;
        const int first = rank * part < packs ? rank * part : packs, left = packs - first;
        const std::int64_t at = parts.head + std::int64_t{first} * V;
        return Row{dy + offset[1] + at,
                   y + offset[2] + at,
                   dx + offset[0] + at,
                   left < part ? left : part,
                   rank == 0 ? static_cast<int>(parts.head) : 0,
                   rank == blocks - 1 ? static_cast<int>(rows.length - parts.tail) : 0};
    };
    const auto fetch = [&](const Row &row, int i) {
        if (i < kept_y) __pipeline_memcpy_async(y_packs + i, row.y + i * V, 16);
        if (i < kept_dy) __pipeline_memcpy_async(dy_packs + i, row.dy + i * V, 16);
    };
    std::int64_t r = blockIdx.x / static_cast<unsigned>(blocks);
    Row row = row_at(r);
    for (int i = thread; i < row.packs; i += step) fetch(row, i);
    for (int turn = 0;; turn ^= 1) {
        __pipeline_commit();
        const std::int64_t after = r + clusters;
        const bool more = after < rows.count;
        Row next = row;
        if (more) next = row_at(after);
        const auto y_at = [&](int i) { return i < kept_y ? y_packs[i] : load<T, V, true>(row.y + i * V); };
        const auto dy_at = [&](int i) { return i < kept_dy ? dy_packs[i] : load<T, V, true>(row.dy + i * V); };
        const auto edges = [&](auto &&f) {
            if (thread < row.before) f(thread - row.before);
            if (thread < row.behind) f(row.packs * V + thread);
        };
        float sum = 0;
        __pipeline_wait_prior(0);
        for (int i = thread; i < row.packs; i += U * step) {
            Elements<T, V> g[U];
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (i + u * step < row.packs) g[u] = dy_at(i + u * step);
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (i + u * step < row.packs) {
                    Elements<T, V> e;
                    if (!log) e = y_at(i + u * step);
#pragma unroll
                    for (int v = 0; v < V; ++v) sum += log ? g[u][v] : g[u][v] * e[v];
                }
        }
        edges([&](int c) { sum += log ? widen<T>(row.dy[c]) : widen<T>(row.dy[c]) * widen<T>(row.y[c]); });
        sum = block_reduce(sum, Add(), 0.0f, scratch);
        if (blocks > 1) {
            if (thread == 0) sums[turn] = sum;
            cluster_arrive();
            cluster_wait();
            sum = 0;
#pragma unroll 2
            for (int b = 0; b < blocks; ++b) sum += *of_block(sums + turn, static_cast<unsigned>(b));
        }
        const auto result = [&](float g, float e) { return log ? g - exponential<T>(e) * sum : e * (g - sum); };
        const int top = row.packs > next.packs ? row.packs : next.packs;
        for (int i = thread + (top - 1) / step * step; i >= 0; i -= U * step) {
            Elements<T, V> g[U];
#pragma unroll
            for (int u = 0; u < U; ++u) {
                const int at = i - u * step;
                if (at >= 0 && at < row.packs) g[u] = dy_at(at);
            }
#pragma unroll
            for (int u = 0; u < U; ++u) {
                const int at = i - u * step;
                if (at >= 0 && at < row.packs) {
                    const Elements<T, V> e = y_at(at);
                    float d[V];
#pragma unroll
                    for (int v = 0; v < V; ++v) d[v] = result(g[u][v], e[v]);
                    store_pack<T>(row.to + at * V, d);
                }
                if (more && at >= 0 && at < next.packs) fetch(next, at);
            }
        }
        edges([&](int c) { row.to[c] = narrow<T>(result(widen<T>(row.dy[c]), widen<T>(row.y[c]))); });
        if (!more) break;
        row = next;
        r = after;
    }
    if (blocks > 1) {  // the others have read the sums
        cluster_arrive();
        cluster_wait();
    }
}

// Blocks for such rows, and their shared memory. operands: of which packs are kept. most_shared: blocks that may share a row.
struct KeptRows {
    KeptRows() = default;
    // Whether the operands are laid out for it, at addresses that are equally far behind 16 bytes.
    template <int K>
    KeptRows(const Device &device, const Rows<K> &rows, int v, int operands, int most_shared = 1) {
        fits = rows.length >= kShortestKept && small(rows.length);
        for (int k = 0; k < K; ++k) {
            fits &= rows.stride[k] == 1;
            for (int d = 0; d < rows.starts.ndim; ++d) fits &= (rows.starts.strides[k][d] - rows.starts.strides[0][d]) % v == 0;
        }
        int most = 0, all = 0;
        check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), "softmax");
        check(cudaDeviceGetAttribute(&all, cudaDevAttrMaxSharedMemoryPerMultiprocessor, device.index()), "softmax");
        const std::int64_t room = (most - 1024) / 16, half = (all / 2 - 2048) / 16;  // beside scratch
        const auto packs_of = [&](int blocks) { return (rows.length / v + blocks - 1) / blocks; };
        while (in_cluster < most_shared && packs_of(in_cluster) * operands > room) in_cluster *= 2;
        if (packs_of(in_cluster) * operands > room) in_cluster = 1;
        const std::int64_t packs = packs_of(in_cluster), given = std::min(room, packs * operands);
        kept[0] = static_cast<int>(std::min(packs, given));
        kept[1] = static_cast<int>(given) - kept[0];
        nbytes = static_cast<std::size_t>(given) * 16;
        threads = given > half ? 1024 : 512;
        while (threads > 64 && threads * 2 > packs) threads /= 2;
        blocks = blocks_for(device, rows.count, 1, 32);
    }
    bool fits = false;
    int in_cluster = 1, kept[2];
    std::size_t nbytes;
    unsigned threads, blocks;
};

// Equally far behind 16 bytes.
inline bool aligned_alike(const void *a, const void *b) {
    return (reinterpret_cast<std::uintptr_t>(a) - reinterpret_cast<std::uintptr_t>(b)) % 16 == 0;
}

}  // namespace mpt::cuda
