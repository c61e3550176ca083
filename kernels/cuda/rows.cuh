// Rows along one dimension of operands of any strides, and the teams of threads that take them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>

#include "elements.cuh"
#include "index.cuh"
#include "reduction.cuh"

namespace mpt::cuda {

template <int Operands>
struct Rows {
    Rows() = default;
    // The first operand decides the order of the rows. Operands with one dimension less have one element for each row.
    Rows(const char *kernel, int dim, const std::array<const mpt_mod_operand *, Operands> &list) {
        const mpt_mod_operand &first = *list[0];
        if (dim < 0 || dim >= first.ndim) throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": dim is outside its range"};
        const auto dim_of = [&](const mpt_mod_operand &x, int d) { return x.ndim == first.ndim || d < dim ? d : d - 1; };
        length = first.shape[dim];
        count = 1;
        int order[MPT_MAX_DIMS], used = 0;
        for (int d = 0; d < first.ndim; ++d) {
            for (const mpt_mod_operand *x : list)
                if ((x->ndim != first.ndim && x->ndim != first.ndim - 1) ||
                    ((x->ndim == first.ndim || d != dim) && x->shape[dim_of(*x, d)] != first.shape[d]))
                    throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": operands of different shapes"};
            if (d == dim) continue;
            count *= first.shape[d];
            if (first.shape[d] != 1) order[used++] = d;
        }
        for (int k = 0; k < Operands; ++k) stride[k] = list[k]->ndim == first.ndim ? list[k]->strides[dim] : 0;
        std::stable_sort(order, order + used,
                         [&](int a, int b) { return std::abs(first.strides[a]) > std::abs(first.strides[b]); });
        std::int64_t extents[MPT_MAX_DIMS] = {1};
        starts.ndim = 0;
        for (int i = 0; i < used; ++i) {
            const int d = order[i];
            std::int64_t step[Operands];
            bool merges = starts.ndim > 0;
            for (int k = 0; k < Operands; ++k) {
                step[k] = list[k]->strides[dim_of(*list[k], d)];
                merges = merges && starts.strides[k][starts.ndim - 1] == step[k] * first.shape[d];
            }
            if (!merges) extents[starts.ndim++] = 1;
            extents[starts.ndim - 1] *= first.shape[d];
            for (int k = 0; k < Operands; ++k) starts.strides[k][starts.ndim - 1] = step[k];
        }
        if (starts.ndim == 0) {  // one row
            starts.ndim = 1;
            for (int k = 0; k < Operands; ++k) starts.strides[k][0] = 0;
        }
        for (int d = 0; d < starts.ndim; ++d) starts.extents[d] = Divider(static_cast<std::uint32_t>(extents[d]));
        neighbours = extents[starts.ndim - 1];
    }

    // Whether rows of the first operands (those with the dimension) may be taken V elements at a time, where they are aligned.
    bool packs(int v, int operands = Operands) const {
        bool well = length % v == 0;
        for (int k = 0; k < operands; ++k) {
            well &= stride[k] == 1 || length == 1;
            for (int d = 0; d < starts.ndim; ++d) well &= starts.strides[k][d] % v == 0;
        }
        return well;
    }
    // Whether neighbouring rows lie beside each other, and the elements of one do not.
    bool beside(int k) const {
        return neighbours >= 8 && length > 1 && std::abs(starts.strides[k][starts.ndim - 1]) < std::abs(stride[k]);
    }
    __device__ __forceinline__ void locate(std::int64_t row, std::int64_t (&offset)[Operands]) const {
        if (count < (std::int64_t{1} << 31))
            starts.locate(static_cast<std::uint32_t>(row), offset);
        else
            starts.locate(static_cast<std::uint64_t>(row), offset);
    }

    std::int64_t count = 0, length = 0;
    std::int64_t stride[Operands] = {};  // of a row's elements
    std::int64_t neighbours = 1;         // extent of the innermost dimension of the starts
    Index<Operands> starts;
};

// Elements [V i, V (i + 1)) of a row.
template <class T, int V>
__device__ __forceinline__ void take(const typename T::Stored *row, std::int64_t stride, std::int64_t i, float (&x)[V]) {
    if constexpr (V == 1) {
        x[0] = widen<T>(row[i * stride]);
    } else {
        const auto pack = *reinterpret_cast<const Pack<typename T::Stored, V> *>(row + i * V);
#pragma unroll
        for (int v = 0; v < V; ++v) x[v] = widen<T>(pack.at[v]);
    }
}
template <class T, int V>
__device__ __forceinline__ void put(typename T::Stored *row, std::int64_t stride, std::int64_t i, const float (&x)[V]) {
    if constexpr (V == 1) {
        row[i * stride] = narrow<T>(x[0]);
    } else {
        Pack<typename T::Stored, V> pack;
#pragma unroll
        for (int v = 0; v < V; ++v) pack.at[v] = narrow<T>(x[v]);
        *reinterpret_cast<Pack<typename T::Stored, V> *>(row + i * V) = pack;
    }
}

// A row whose elements lie beside each other but which may start anywhere: some elements, fewer than V, in front of the first pack
// that is aligned, and some behind the last. V 1: rows of any strides.
template <class T, int V>
struct RowParts {
    __device__ __forceinline__ RowParts(const typename T::Stored *row, std::int64_t length) : length(length) {
        if constexpr (V > 1) {
            const auto past = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(row) % 16 / sizeof *row);
            head = past == 0 ? 0 : V - past;
            if (head > length) head = static_cast<unsigned>(length);
        }
        packs = (length - head) / V;
        tail = head + packs * V;
    }
    __device__ __forceinline__ bool ragged() const { return head > 0 || tail < length; }
    // f(c, element) for each of the row's elements, by a team.
    template <class F>
    __device__ __forceinline__ void each(const typename T::Stored *row, std::int64_t stride, F &&f) const {
        edges([&](std::int64_t c) { f(c, widen<T>(row[c])); });
#pragma unroll 2
        for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
            float pack[V];
            take<T>(row + head, stride, i, pack);
#pragma unroll
            for (int v = 0; v < V; ++v) f(head + i * V + v, pack[v]);
        }
    }
    // to[c] = from[c], once f(c, some elements from c on) has changed them. to starts as far behind 16 bytes as the row does. Some
    // packs are loaded before the first is looked at.
    template <class F>
    __device__ __forceinline__ void map(const typename T::Stored *from, std::int64_t stride, typename T::Stored *to,
                                        std::int64_t to_stride, F &&f) const {
        constexpr int kPacks = V == 1 ? 4 : 2;
        const std::int64_t step = blockDim.x;
        const auto pack = [&](std::int64_t i, const Elements<T, V> &raw) {
            float x[V];
            widen<T>(raw, x);
            f(head + i * V, x);
            if constexpr (V == 1)
                put<T>(to, to_stride, i, x);
            else
                store_pack<T>(to + head + i * V, x);
        };
        const auto at = [&](std::int64_t i) { return load<T, V, true>(from + (V == 1 ? i * stride : head + i * V)); };
        std::int64_t i = threadIdx.x;
        for (; i + (kPacks - 1) * step < packs; i += kPacks * step) {
            Elements<T, V> raw[kPacks];
#pragma unroll
            for (int k = 0; k < kPacks; ++k) raw[k] = at(i + k * step);
#pragma unroll
            for (int k = 0; k < kPacks; ++k) pack(i + k * step, raw[k]);
        }
        for (; i < packs; i += step) pack(i, at(i));
        edges([&](std::int64_t c) {
            float x[1] = {widen<T>(from[c])};
            f(c, x);
            to[c] = narrow<T>(x[0]);
        });
    }
    // f(c) for each element that is in no pack.
    template <class F>
    __device__ __forceinline__ void edges(F &&f) const {
        if (V > 1 && threadIdx.x < head) f(threadIdx.x);
        if (V > 1 && tail + threadIdx.x < length) f(tail + threadIdx.x);
    }

    std::int64_t length, packs, tail;
    unsigned head = 0;
};

// A team takes a row: a warp or a part of one, of which a block of (x, y) threads has y, or a block of (x, 1).
__device__ __forceinline__ std::int64_t team() {
    return std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
}
__device__ __forceinline__ std::int64_t teams() {
    return std::int64_t{gridDim.x} * blockDim.y;
}
// Every thread of the team gets the result. scratch: 32 elements of shared memory.
template <class T, class Op>
__device__ __forceinline__ T team_reduce(T x, Op op, T identity, T *scratch) {
    if (blockDim.x == 32) return warp_reduce(x, op);
    if (blockDim.x > 32) return block_reduce(x, op, identity, scratch);
    // Other teams of the warp may be elsewhere.
    const unsigned lane = (threadIdx.y * blockDim.x + threadIdx.x) % 32;
    const unsigned team = ((1u << blockDim.x) - 1) << (lane / blockDim.x * blockDim.x);
    for (unsigned distance = blockDim.x / 2; distance > 0; distance /= 2) x = op(x, __shfl_xor_sync(team, x, distance));
    return x;
}

struct Team {
    unsigned x = 32, y = 1;
    int held = 0;  // elements that a thread keeps; 0: rows are read again
    dim3 block() const { return {x, y}; }
    unsigned grid(const Device &device, std::int64_t rows) const { return blocks_for(device, rows, static_cast<int>(y), 32); }
};

// Warps, where there are rows enough for them.
inline Team warps(const Device &device, std::int64_t rows, int held = 0) {
    return {32, rows >= 4 * std::int64_t{device.multiprocessors()} ? 4u : 1u, held};
}

// For rows that are kept: a thread has few or many elements, multiples of v. most: threads.
inline Team team_that_holds(const Device &device, std::int64_t rows, std::int64_t length, int v, int few, int many, unsigned most) {
    const std::int64_t packs = length / v;
    const auto fits = [&](unsigned threads, int held) { return packs <= std::int64_t{threads} * (held / v); };
    if (fits(32, few)) return warps(device, rows, few);
    if (fits(32, many) && rows >= 16 * std::int64_t{device.multiprocessors()}) return warps(device, rows, many);
    for (unsigned threads = 64; threads <= 256; threads *= 2)
        if (fits(threads, few)) return {threads, 1, few};
    for (unsigned threads = 128; threads <= most; threads *= 2)
        if (fits(threads, many)) return {threads, 1, many};
    return {std::min(most, 512u), 1, 0};
}

// For rows that are read as a stream.
inline Team team_that_streams(const Device &device, std::int64_t rows, std::int64_t length) {
    if (length <= 256 || (length <= 2048 && rows >= 16 * std::int64_t{device.multiprocessors()})) return warps(device, rows);
    if (length <= 8192) return {256, 1, 0};
    return {rows < 2 * std::int64_t{device.multiprocessors()} ? 1024u : 512u, 1, 0};
}

}  // namespace mpt::cuda
