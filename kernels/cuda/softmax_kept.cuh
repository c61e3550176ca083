// Softmax of long rows whose elements lie beside each other, wherever a row starts: a block takes a row, and each thread keeps the
// packs that it reads in shared memory, as they are, for the second time that it needs them. Of what does not fit, the last packs
// are read again.
#pragma once

#include <cuda_pipeline_primitives.h>

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

// Gradients: of operand a, kept_a packs are kept, and of b kept_b, which is fewer where not both have room. a is what the row's sum
// needs: dy, or y where it is of products. As a thread is done with a pack, it fetches that of the block's next row into its place,
// so that memory is read while it is written. The packs are taken in reverse the second time, since what was read last may still
// lie in the cache.
template <class T>
__global__ void __launch_bounds__(kMostOfGradient)
    softmax_grad_kept(Rows<3> rows, bool log, int kept_a, int kept_b, const typename T::Stored *__restrict__ dy,
                      const typename T::Stored *__restrict__ y, typename T::Stored *__restrict__ dx) {
    extern __shared__ uint4 kept_packs[];
    __shared__ float scratch[32];
    constexpr int V = 16 / sizeof *y, U = 4;  // packs of b that are read before one is looked at
    auto *const a_packs = reinterpret_cast<Elements<T, V> *>(kept_packs), *const b_packs = a_packs + kept_a;
    const int step = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x), length = static_cast<int>(rows.length);
    struct Row {
        const typename T::Stored *a, *b;
        typename T::Stored *to;
        int packs, head;
    };
    const auto row_at = [&](std::int64_t r) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        const RowParts<T, V> parts(y + offset[2], rows.length);
        return Row{(log ? dy + offset[1] : y + offset[2]) + parts.head, (log ? y + offset[2] : dy + offset[1]) + parts.head,
                   dx + offset[0] + parts.head, static_cast<int>(parts.packs), static_cast<int>(parts.head)};
    };
    const auto fetch = [&](const Row &row, int i) {
        if (i < kept_a) __pipeline_memcpy_async(a_packs + i, row.a + i * V, 16);
        if (i < kept_b) __pipeline_memcpy_async(b_packs + i, row.b + i * V, 16);
    };
    std::int64_t r = blockIdx.x;
    Row row = row_at(r);
    for (int i = thread; i < row.packs; i += step) fetch(row, i);
    for (;;) {
        __pipeline_commit();
        const std::int64_t after = r + gridDim.x;
        const int behind = row.packs * V, edge = length - row.head - behind;
        const bool more = after < rows.count;
        Row next = row;
        if (more) next = row_at(after);
        const auto a_at = [&](int i) { return i < kept_a ? a_packs[i] : load<T, V, true>(row.a + i * V); };
        const auto b_at = [&](int i) { return i < kept_b ? b_packs[i] : load<T, V, true>(row.b + i * V); };
        // Elements in no pack, at most one in front and one behind for each thread.
        const auto edges = [&](auto &&f) {
            if (thread < row.head) f(thread - row.head);
            if (thread < edge) f(behind + thread);
        };
        float sum = 0;
        __pipeline_wait_prior(0);
        for (int i = thread; i < row.packs; i += U * step) {
            Elements<T, V> b[U];
            if (!log)
#pragma unroll
                for (int u = 0; u < U; ++u)
                    if (i + u * step < row.packs) b[u] = b_at(i + u * step);
#pragma unroll
            for (int u = 0; u < U; ++u)
                if (i + u * step < row.packs) {
                    const Elements<T, V> a = a_at(i + u * step);
#pragma unroll
                    for (int v = 0; v < V; ++v) sum += log ? a[v] : a[v] * b[u][v];
                }
        }
        edges([&](int c) { sum += log ? widen<T>(row.a[c]) : widen<T>(row.a[c]) * widen<T>(row.b[c]); });
        sum = block_reduce(sum, Add(), 0.0f, scratch);
        const auto result = [&](float a, float b) { return log ? a - exponential<T>(b) * sum : a * (b - sum); };
        const int top = row.packs > next.packs ? row.packs : next.packs;
        for (int i = thread + (top - 1) / step * step; i >= 0; i -= U * step) {
            Elements<T, V> b[U];
#pragma unroll
            for (int u = 0; u < U; ++u) {
                const int at = i - u * step;
                if (at >= 0 && at < row.packs) b[u] = b_at(at);
            }
#pragma unroll
            for (int u = 0; u < U; ++u) {
                const int at = i - u * step;
                if (at >= 0 && at < row.packs) {
                    const Elements<T, V> a = a_at(at);
                    float d[V];
#pragma unroll
                    for (int v = 0; v < V; ++v) d[v] = result(a[v], b[u][v]);
                    store_pack<T>(row.to + at * V, d);
                }
                if (more && at >= 0 && at < next.packs) fetch(next, at);
            }
        }
        edges([&](int c) { row.to[c] = narrow<T>(result(widen<T>(row.a[c]), widen<T>(row.b[c]))); });
        if (!more) return;
        row = next;
        r = after;
    }
}

// Blocks for such rows, and their shared memory. operands: of which packs are kept.
struct KeptRows {
    KeptRows() = default;
    // Whether the operands are laid out for it, at addresses that are equally far behind 16 bytes.
    template <int K>
    KeptRows(const Device &device, const Rows<K> &rows, int v, int operands) {
        fits = rows.length >= kShortestKept && small(rows.length);
        for (int k = 0; k < K; ++k) {
            fits &= rows.stride[k] == 1;
            for (int d = 0; d < rows.starts.ndim; ++d) fits &= (rows.starts.strides[k][d] - rows.starts.strides[0][d]) % v == 0;
        }
        const std::int64_t packs = rows.length / v;
        int most = 0, all = 0;
        check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device.index()), "softmax");
        check(cudaDeviceGetAttribute(&all, cudaDevAttrMaxSharedMemoryPerMultiprocessor, device.index()), "softmax");
        const std::int64_t room = (most - 1024) / 16, wanted = packs * operands, half = (all / 2 - 2048) / 16;  // beside scratch
        const std::int64_t given = std::min(room, wanted);
        kept[0] = static_cast<int>(std::min(packs, given));
        kept[1] = static_cast<int>(given) - kept[0];
        nbytes = static_cast<std::size_t>(given) * 16;
        threads = given > half ? 1024 : 512;
        while (threads > 64 && threads * 2 > packs) threads /= 2;
        blocks = blocks_for(device, rows.count, 1, 32);
    }
    bool fits = false;
    int kept[2];
    std::size_t nbytes;
    unsigned threads, blocks;
};

// Equally far behind 16 bytes.
inline bool aligned_alike(const void *a, const void *b) {
    return (reinterpret_cast<std::uintptr_t>(a) - reinterpret_cast<std::uintptr_t>(b)) % 16 == 0;
}

}  // namespace mpt::cuda
