// What channel_norm and channel_norm_grad share: operands [N, C, ...] of any strides as items x channels x rows, where an item is
// the batch or one image, in chunks of rows.
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

template <int Operands>
struct ChannelSpace {
    static constexpr int kBlock = 256;  // threads that take columns
    static constexpr int kBlocks = 2;   // of them, on a multiprocessor at once: few, with many loads each

    // The first operand decides the order of the rows.
    ChannelSpace(const Device &device, const char *kernel, bool per_image,
                 const std::array<const mpt_mod_operand *, Operands> &list) {
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
        static_assert(Operands >= 1 && Operands <= 3);
        const Loop loop = Operands == 1   ? Loop(kernel, {&slice[0]})
                          : Operands == 2 ? Loop(kernel, {&slice[0], &slice[Operands - 1]})
                                          : Loop(kernel, {&slice[0], &slice[Operands / 2], &slice[Operands - 1]});
        rows = loop.count;
        index = Index<Operands>(loop);
        columns = channels > 1 && (loop.inner() == 1 || std::abs(channel_stride[0]) < std::abs(loop.inner_stride(0)));
        rows_pack_by_ = columns_pack_by_ = 8;
        for (int v = 8; v > 1; v /= 2) {
            bool by_rows = loop.inner() % v == 0 && loop.ndim <= 2 && small(rows), by_columns = channels % v == 0;
            for (int k = 0; k < Operands; ++k) {
                by_rows &= loop.inner_stride(k) == 1 && item_stride[k] % v == 0 && channel_stride[k] % v == 0;
                by_columns &= channel_stride[k] == 1 && item_stride[k] % v == 0;
                for (int d = 0; d + 1 < loop.ndim; ++d) by_rows &= loop.strides[k][d] % v == 0;
                by_columns &= loop.ndim == 1 && (rows == 1 || loop.strides[k][0] % v == 0);
            }
            if (!by_rows) rows_pack_by_ = v / 2;
            if (!by_columns) columns_pack_by_ = v / 2;
        }
        // Chunks for the whole GPU, as many as run at once, but short sums.
        const std::int64_t all = items * channels * rows, processors = device.multiprocessors();
        if (columns) {
            while (wide < 32 && wide * columns_pack_by_ < channels) wide *= 2;
            const std::int64_t deep = kBlock / wide, width = columns_pack_by_ * wide, across = (channels + width - 1) / width;
            const std::int64_t lines = rows * items * across;
            const std::int64_t blocks = std::clamp<std::int64_t>(lines / deep / (8 * processors), 1, kBlocks) * processors;
            chunk = std::clamp((lines + blocks - 1) / blocks, 2 * deep, 64 * deep);
        } else {
            chunk = std::clamp<std::int64_t>(all / (8 * processors), 2048, 32768) / 8 * 8;
        }
        chunks = (rows + chunk - 1) / chunk;
    }
    bool packs(int v) const { return (columns ? columns_pack_by_ : rows_pack_by_) >= v; }
    std::int64_t sums() const { return items * channels * chunks; }

    __device__ __forceinline__ std::int64_t rows_of(std::int64_t k) const {
        return rows - k * chunk < chunk ? rows - k * chunk : chunk;
    }
    __device__ __forceinline__ void locate(std::int64_t item, std::int64_t channel, std::int64_t row,
                                           std::int64_t (&offset)[Operands]) const {
        if (rows < (std::int64_t{1} << 31))
            index.locate(static_cast<std::uint32_t>(row), offset);
        else
            index.locate(static_cast<std::uint64_t>(row), offset);
#pragma unroll
        for (int k = 0; k < Operands; ++k) offset[k] += item * item_stride[k] + channel * channel_stride[k];
    }

    // Of a pack that lies along rows: then there are at most two dimensions of them, and few instructions.
    __device__ __forceinline__ void locate_pack(std::int64_t item, std::int64_t channel, std::int64_t row,
                                                std::int64_t (&offset)[Operands]) const {
        auto i = static_cast<std::uint32_t>(row);
        const std::int64_t at = index.ndim == 2 ? index.extents[1].divide(i) : 0;
#pragma unroll
        for (int k = 0; k < Operands; ++k)
            offset[k] = item * item_stride[k] + channel * channel_stride[k] + at + i * index.strides[k][0];
    }

    std::int64_t items, channels, rows;
    std::int64_t chunk, chunks;  // rows that are measured together, a multiple of 8 where rows lie innermost
    std::int64_t item_stride[Operands], channel_stride[Operands];
    bool columns;           // channels lie innermost
    int wide = 1;           // threads beside each other, with columns
    Index<Operands> index;  // of the rows

private:
    int rows_pack_by_, columns_pack_by_;
};

// A batch norm, whose statistics are those of channels.
inline void need_batch_norm(const mpt_mod_call &call, const mpt_mod_operand &x) {
    const auto &attrs = attrs_of<mpt_attrs_channel_norm>(call);
    if (attrs.per_image || x.ndim < 2 || attrs.groups != x.shape[1])
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": statistics of groups of channels or of single images"};
}
inline void need_layout(const mpt_mod_call &call, const mpt_mod_operand &other, const mpt_mod_operand &x) {
    if (present(other) && (other.dtype != x.dtype || !same_layout(other, x)))
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": operands that differ in dtype or strides"};
}

// Whether a block is to take a whole group: in one launch where that is small, and else where there are blocks enough and the
// group's elements lie beside each other.
inline bool whole_groups(const Device &device, std::int64_t groups, std::int64_t size, std::int64_t per_group,
                         std::size_t run_bytes) {
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
