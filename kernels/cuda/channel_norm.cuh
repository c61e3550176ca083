// What channel_norm and channel_norm_grad share: operands [N, C, ...] of any strides as items x channels x rows, where an item is the
// batch or one image, and two sums for each item, channel and chunk of rows.
#pragma once

#include "any_float.cuh"
#include "device/attrs/norm.h"
#include "rows.cuh"

namespace mpt::cuda {

// Some neighbouring channels of one item; channels 0: one channel, as no dimension.
inline mpt_mod_operand slice_of(const mpt_mod_operand &x, bool per_image, std::int64_t channels) {
    mpt_mod_operand slice = x;
    slice.ndim = 0;
    for (int d = 0; d < x.ndim; ++d) {
        if ((d == 0 && per_image) || (d == 1 && channels == 0)) continue;
        slice.shape[slice.ndim] = d == 1 ? channels : x.shape[d];
        slice.strides[slice.ndim++] = x.strides[d];
    }
    return slice;
}
// The number of each element's channel, in the form of a slice or a whole operand: of the item and channel with whole.
inline mpt_mod_operand numbers_of(const mpt_mod_operand &x, bool per_image, std::int64_t channels, bool whole) {
    mpt_mod_operand numbers = x;
    for (int d = 0; d < x.ndim; ++d) numbers.strides[d] = d == 1 ? 1 : d == 0 && whole && per_image ? x.shape[1] : 0;
    return whole ? numbers : slice_of(numbers, per_image, channels);
}

// Whether a loop may be taken V elements at a time: its last operand is numbers_of.
inline bool in_packs(const Loop &loop, int v) {
    const int numbers = loop.operands - 1;
    bool well = loop.inner() % v == 0 && (loop.inner_stride(numbers) == 0 || loop.inner_stride(numbers) == 1);
    for (int k = 0; k < numbers; ++k) {
        well &= loop.inner_stride(k) == 1;
        for (int d = 0; d + 1 < loop.ndim; ++d) well &= loop.strides[k][d] % v == 0;
    }
    return well;
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

template <int Operands>
struct ChannelSpace {
    static constexpr int kBlock = 256;  // threads that measure columns

    // The first operand decides the order of the rows.
    ChannelSpace(const Device &device, const char *kernel, bool per_image, const std::array<const mpt_mod_operand *, Operands> &list) {
        const mpt_mod_operand &x = *list[0];
        items = per_image ? x.shape[0] : 1;
        channels = x.shape[1];
        mpt_mod_operand slice[Operands];
        for (int k = 0; k < Operands; ++k) {
            if (list[k]->ndim != x.ndim || x.ndim < 2 || !std::equal(x.shape, x.shape + x.ndim, list[k]->shape))
                throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": operands of different shapes"};
            item_stride[k] = per_image ? list[k]->strides[0] : 0;
            channel_stride[k] = list[k]->strides[1];
            slice[k] = slice_of(*list[k], per_image, 0);
        }
        const Loop loop = Operands == 1 ? Loop(kernel, {&slice[0]}) : Loop(kernel, {&slice[0], &slice[Operands - 1]});
        rows = loop.count;
        index = Index<Operands>(loop);
        columns = channels > 1 && (loop.inner() == 1 || std::abs(channel_stride[0]) < std::abs(loop.inner_stride(0)));
        rows_pack_by_ = columns_pack_by_ = 8;
        for (int v = 8; v > 1; v /= 2) {
            bool by_rows = loop.inner() % v == 0, by_columns = channels % v == 0;
            for (int k = 0; k < Operands; ++k) {
                by_rows &= loop.inner_stride(k) == 1 && item_stride[k] % v == 0 && channel_stride[k] % v == 0;
                by_columns &= channel_stride[k] == 1 && item_stride[k] % v == 0;
                for (int d = 0; d < loop.ndim; ++d) {
                    by_rows &= d + 1 == loop.ndim || loop.strides[k][d] % v == 0;
                    by_columns &= loop.shape[d] == 1 || loop.strides[k][d] % v == 0;
                }
            }
            if (!by_rows) rows_pack_by_ = v / 2;
            if (!by_columns) columns_pack_by_ = v / 2;
        }
        // Enough chunks for the whole GPU, but short sums.
        const std::int64_t all = items * channels * rows, processors = device.multiprocessors();
        if (columns) {
            while (wide < 32 && wide * columns_pack_by_ < channels) wide *= 2;
            const std::int64_t deep = kBlock / wide, width = columns_pack_by_ * wide, across = (channels + width - 1) / width;
            chunk = std::clamp(rows * items * across / (8 * processors), 2 * deep, 64 * deep);
        } else {
            chunk = std::clamp<std::int64_t>(all / (16 * processors), 2048, 16384) / 8 * 8;
        }
        chunks = (rows + chunk - 1) / chunk;
    }
    bool packs(int v) const { return (columns ? columns_pack_by_ : rows_pack_by_) >= v; }
    std::int64_t sums() const { return items * channels * chunks; }

    __device__ __forceinline__ std::int64_t rows_of(std::int64_t k) const {
        return rows - k * chunk < chunk ? rows - k * chunk : chunk;
    }
    __device__ __forceinline__ void locate(std::int64_t item, std::int64_t channel, std::int64_t row, std::int64_t (&offset)[Operands]) const {
        if (rows < (std::int64_t{1} << 31))
            index.locate(static_cast<std::uint32_t>(row), offset);
        else
            index.locate(static_cast<std::uint64_t>(row), offset);
#pragma unroll
        for (int k = 0; k < Operands; ++k) offset[k] += item * item_stride[k] + channel * channel_stride[k];
    }

    std::int64_t items, channels, rows;
    std::int64_t chunk, chunks;  // rows that are measured together, a multiple of 8 where rows lie innermost
    std::int64_t item_stride[Operands], channel_stride[Operands];
    bool columns;  // channels lie innermost
    int wide = 1;  // threads beside each other, with columns
    Index<Operands> index;  // of the rows

private:
    int rows_pack_by_, columns_pack_by_;
};

// Measure: what is added up.
//   start(offset, item, channel, step, center): what is subtracted; step: from an element's channel to the next's, 0 or 1
//   add(offset, center, a, b): the elements from offset on, to two sums each
//   result(a, b, center, rows): what is kept, of one channel
// sums: [item][channel][chunk].
template <class Measure, int V>
__global__ void measure_rows(ChannelSpace<Measure::kOperands> s, Measure measure, double2 *sums) {
    __shared__ float scratch[32];
    for (std::int64_t t = team(); t < s.items * s.channels * s.chunks; t += teams()) {
        const std::int64_t k = t % s.chunks, channel = t / s.chunks % s.channels, item = t / s.chunks / s.channels;
        const std::int64_t begin = k * s.chunk, end = begin + s.rows_of(k);
        std::int64_t offset[Measure::kOperands];
        s.locate(item, channel, begin, offset);
        float center[V], a[V] = {}, b[V] = {};
        measure.template start<V>(offset, item, channel, 0, center);
#pragma unroll 4
        for (std::int64_t r = begin + threadIdx.x * V; r < end; r += blockDim.x * V) {
            s.locate(item, channel, r, offset);
            measure.template add<V>(offset, center, a, b);
        }
#pragma unroll
        for (int v = 1; v < V; ++v) {
            a[0] += a[v];
            b[0] += b[v];
        }
        const float first = team_reduce(a[0], Add(), 0.0f, scratch), second = team_reduce(b[0], Add(), 0.0f, scratch);
        if (threadIdx.x == 0) sums[t] = measure.result(first, second, center[0], s.rows_of(k));
    }
}

// Blocks of s.wide threads beside each other, each with V channels.
template <class Measure, int V>
__global__ void measure_columns(ChannelSpace<Measure::kOperands> s, Measure measure, std::int64_t across, double2 *sums) {
    constexpr int kBlock = ChannelSpace<Measure::kOperands>::kBlock;
    __shared__ float parts[2 * V][kBlock];
    const int x = static_cast<int>(threadIdx.x) % s.wide, y = static_cast<int>(threadIdx.x) / s.wide, deep = kBlock / s.wide;
    const std::int64_t k = blockIdx.x / across % s.chunks, item = blockIdx.x / across / s.chunks;
    const std::int64_t channel = (blockIdx.x % across * s.wide + x) * V, begin = k * s.chunk, end = begin + s.rows_of(k);
    float center[V] = {}, a[V] = {}, b[V] = {};
    if (channel < s.channels) {
        std::int64_t offset[Measure::kOperands];
        s.locate(item, channel, begin, offset);
        measure.template start<V>(offset, item, channel, 1, center);
#pragma unroll 4
        for (std::int64_t r = begin + y; r < end; r += deep) {
            s.locate(item, channel, r, offset);
            measure.template add<V>(offset, center, a, b);
        }
    }
#pragma unroll
    for (int v = 0; v < V; ++v) {
        parts[2 * v][threadIdx.x] = a[v];
        parts[2 * v + 1][threadIdx.x] = b[v];
    }
    for (int half = deep / 2; half > 0; half /= 2) {
        __syncthreads();
        if (y < half)
#pragma unroll
            for (int v = 0; v < 2 * V; ++v) parts[v][threadIdx.x] += parts[v][threadIdx.x + half * s.wide];
    }
    if (y != 0 || channel >= s.channels) return;
#pragma unroll
    for (int v = 0; v < V; ++v)
        sums[(item * s.channels + channel + v) * s.chunks + k] =
            measure.result(parts[2 * v][threadIdx.x], parts[2 * v + 1][threadIdx.x], center[v], s.rows_of(k));
}

template <int V, class Measure>
void run_measure(const Device &device, cudaStream_t stream, const ChannelSpace<Measure::kOperands> &s, const Measure &measure, double2 *sums) {
    if (s.sums() == 0) return;
    if (s.columns) {
        const std::int64_t across = (s.channels + std::int64_t{V} * s.wide - 1) / (std::int64_t{V} * s.wide);
        measure_columns<Measure, V><<<static_cast<unsigned>(s.items * s.chunks * across), s.kBlock, 0, stream>>>(s, measure, across, sums);
    } else {
        const Team t = s.rows <= 1024 ? warps(device, s.sums()) : Team{256, 1, 0};
        measure_rows<Measure, V><<<t.grid(device, s.sums()), t.block(), 0, stream>>>(s, measure, sums);
    }
    check_launch("channel_norm");
}

// Whether a block is to take a whole group: in one launch where that is small, and else where there are blocks enough and the
// group's elements lie beside each other.
inline bool whole_groups(const Device &device, std::int64_t groups, std::int64_t size, std::int64_t per_group, std::size_t run_bytes) {
    if (per_group > 4096 || !small(size)) return false;
    if (groups * size <= 131072 && size <= 32768) return true;
    return run_bytes >= 32 && (size <= 8192 || groups >= 2 * std::int64_t{device.multiprocessors()});
}
inline unsigned threads_for(std::int64_t packs) {
    unsigned threads = 64;
    while (threads < 1024 && threads * 4 < packs) threads *= 2;
    return threads;
}

}  // namespace mpt::cuda
