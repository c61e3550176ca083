// Softmax of long rows whose elements lie beside each other, wherever a row starts: a block takes a row, and each thread keeps the
// packs that it reads in shared memory, as they are, for the second time that it needs them. Of what does not fit, the last packs
// are read again.
#pragma once

#include "shared_memory.cuh"
#include "softmax_rows.cuh"

namespace mpt::cuda {

inline constexpr std::int64_t kShortestKept = 1024;

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

// Gradients: of y, kept_y packs are kept, and of dy kept_dy, which is fewer where not both have room. The packs are taken in
// reverse the second time, since what was read last may still lie in the cache.
template <class T>
__global__ void __launch_bounds__(1024)
    softmax_grad_kept(Rows<3> rows, bool log, std::int64_t kept_y, std::int64_t kept_dy, const typename T::Stored *__restrict__ dy,
                      const typename T::Stored *__restrict__ y, typename T::Stored *__restrict__ dx) {
    extern __shared__ uint4 kept_packs[];
    __shared__ float scratch[32];
    constexpr int V = 16 / sizeof *y, U = 2;  // packs that are read before one is looked at
    auto *const y_packs = reinterpret_cast<Elements<T, V> *>(kept_packs), *const dy_packs = y_packs + kept_y;
    const std::int64_t step = blockDim.x;
    for (std::int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
        std::int64_t offset[3];
        rows.locate(r, offset);
        const typename T::Stored *const from_dy = dy + offset[1], *const from_y = y + offset[2];
        typename T::Stored *const to = dx + offset[0];
        const RowParts<T, V> parts(from_y, rows.length);
        float sum = 0;
        const auto add = [&](std::int64_t i, const Elements<T, V> &g, const Elements<T, V> &e) {
            if (i < kept_y) y_packs[i] = e;
            if (i < kept_dy) dy_packs[i] = g;
#pragma unroll
            for (int v = 0; v < V; ++v) sum += log ? g[v] : g[v] * e[v];
        };
        const auto y_at = [&](std::int64_t i) { return load<T, V, true, true>(from_y + parts.head + i * V); };
        const auto dy_at = [&](std::int64_t i) { return load<T, V, true>(from_dy + parts.head + i * V); };
        std::int64_t i = threadIdx.x;
        for (; i + (U - 1) * step < parts.packs; i += U * step) {
            Elements<T, V> g[U], e[U];
#pragma unroll
            for (int u = 0; u < U; ++u) g[u] = dy_at(i + u * step), e[u] = y_at(i + u * step);
#pragma unroll
            for (int u = 0; u < U; ++u) add(i + u * step, g[u], e[u]);
        }
        for (; i < parts.packs; i += step) add(i, dy_at(i), y_at(i));
        parts.edges([&](std::int64_t c) { sum += log ? widen<T>(from_dy[c]) : widen<T>(from_dy[c]) * widen<T>(from_y[c]); });
        sum = team_reduce(sum, Add(), 0.0f, scratch);
        const auto result = [&](float g, float e) { return log ? g - exponential<T>(e) * sum : e * (g - sum); };
        for (i -= step; i >= 0; i -= U * step) {
            Elements<T, V> g[U], e[U];
#pragma unroll
            for (int u = 0; u < U; ++u) {
                const std::int64_t at = i - u * step;
                if (at < 0) continue;
                e[u] = at < kept_y ? y_packs[at] : y_at(at);
                g[u] = at < kept_dy ? dy_packs[at] : dy_at(at);
            }
#pragma unroll
            for (int u = 0; u < U; ++u) {
                const std::int64_t at = i - u * step;
                if (at < 0) continue;
                float d[V];
#pragma unroll
                for (int v = 0; v < V; ++v) d[v] = result(g[u][v], e[u][v]);
                store_pack<T>(to + parts.head + at * V, d);
            }
        }
        parts.edges([&](std::int64_t c) { to[c] = narrow<T>(result(widen<T>(from_dy[c]), widen<T>(from_y[c]))); });
    }
}

// Blocks for such rows, and their shared memory. operands: of which packs are kept.
struct KeptRows {
    KeptRows() = default;
    // Whether the operands are laid out for it, at addresses that are equally far behind 16 bytes.
    template <int K>
    KeptRows(const Device &device, const Rows<K> &rows, int v, int operands) {
        fits = rows.length >= kShortestKept;
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
        kept[0] = std::min(packs, given);
        kept[1] = given - kept[0];
        nbytes = static_cast<std::size_t>(given) * 16;
        threads = given > half ? 1024 : 512;
        while (threads > 64 && threads * 2 > packs) threads /= 2;
        blocks = blocks_for(device, rows.count, 1, 32);
    }
    bool fits = false;
    std::int64_t kept[2];
    std::size_t nbytes;
    unsigned threads, blocks;
};

// Equally far behind 16 bytes.
inline bool aligned_alike(const void *a, const void *b) {
    return (reinterpret_cast<std::uintptr_t>(a) - reinterpret_cast<std::uintptr_t>(b)) % 16 == 0;
}

}  // namespace mpt::cuda
