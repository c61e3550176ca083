// What the recurrent cells share: matrices of any strides, seen as gates beside each other, and a thread for each few elements of a
// state.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "element.cuh"
#include "index.cuh"

namespace mpt::cuda {

inline constexpr int kCellThreads = 128, kCellPack = 4;

// A matrix; base is nullptr for an absent one.
struct CellOperand {
    void *base = nullptr;
    std::int64_t row_stride = 0, stride = 0;

    // V elements of a row; zeros of an absent one. V > 1: stride is 1.
    template <class Format, int V>
    __device__ __forceinline__ void load(std::int64_t row, std::int64_t column, float (&x)[V]) const {
        if (!base) {
#pragma unroll
            for (int v = 0; v < V; ++v) x[v] = 0;
            return;
        }
        const auto pack = *reinterpret_cast<const Pack<typename Format::Stored, V> *>(at<Format>(row, column));
#pragma unroll
        for (int v = 0; v < V; ++v) x[v] = widen<Format>(pack.at[v]);
    }

    template <class Format, int V>
    __device__ __forceinline__ void store(std::int64_t row, std::int64_t column, const float (&x)[V]) const {
        if (!base) return;
        Pack<typename Format::Stored, V> pack;
#pragma unroll
        for (int v = 0; v < V; ++v) pack.at[v] = narrow<Format>(x[v]);
        *reinterpret_cast<Pack<typename Format::Stored, V> *>(at<Format>(row, column)) = pack;
    }

private:
    template <class Format>
    __device__ __forceinline__ typename Format::Stored *at(std::int64_t row, std::int64_t column) const {
        return static_cast<typename Format::Stored *>(base) + (row * row_stride + column * stride);
    }
};

// The elements of a state, V at once.
struct CellIndex {
    Divider packs;        // of a row
    std::uint64_t count;  // of packs
    std::int64_t width;   // elements of a row

    template <int V>
    __device__ __forceinline__ void locate(std::uint64_t i, std::int64_t &row, std::int64_t &column) const {
        if (count < (std::uint64_t{1} << 31)) {
            auto quotient = static_cast<std::uint32_t>(i);
            column = static_cast<std::int64_t>(packs.divide(quotient)) * V;
            row = quotient;
        } else {
            column = static_cast<std::int64_t>(packs.divide(i)) * V;
            row = static_cast<std::int64_t>(i);
        }
    }
};

// f(row, column) for all packs of V elements.
template <int V, class F>
__device__ __forceinline__ void for_cells(const CellIndex &index, F &&f) {
    for (std::uint64_t i = std::uint64_t{blockIdx.x} * kCellThreads + threadIdx.x; i < index.count;
         i += std::uint64_t{gridDim.x} * kCellThreads) {
        std::int64_t row, column;
        index.locate<V>(i, row, column);
        f(row, column);
    }
}

// Without overflow and exact in both tails.
__device__ __forceinline__ float sigmoid(float x) {
    const float e = expf(-fabsf(x));
    return (x < 0 ? e : 1.0f) / (1.0f + e);
}

// The forms of a call's operands. state: any of them that has the state's shape.
class Cells {
public:
    Cells(const Device &device, const mpt_mod_call &call, const mpt_mod_operand &state)
        : device_(&device),
          rows_(state.shape[0]),
          width_(state.shape[1]),
          in_(call.in, call.in + call.n_in),
          out_(call.out, call.out + call.n_out) {
        // Few elements are spread over more threads.
        packed_ = width_ % kCellPack == 0 && rows_ * width_ >= std::int64_t{device.multiprocessors()} * 16 * kCellThreads;
        for (const auto *list : {&in_, &out_})
            for (const mpt_mod_operand &x : *list)
                if (present(x)) packed_ &= x.strides[1] == 1 && (rows_ == 1 || x.strides[0] % kCellPack == 0);
    }

    CellOperand in(const void *const *in, int i) const {
        return operand(in_[static_cast<std::size_t>(i)], const_cast<void *>(in[i]));
    }
    CellOperand out(void *const *out, int i) const { return operand(out_[static_cast<std::size_t>(i)], out[i]); }

    // launch(packs of a row as a constant, index, blocks)
    template <class Launch>
    void run(const void *const *in, void *const *out, Launch launch) const {
        bool packed = packed_;
        for (std::size_t i = 0; i < in_.size(); ++i) packed &= lies_well(in_[i], in[i]);
        for (std::size_t i = 0; i < out_.size(); ++i) packed &= lies_well(out_[i], out[i]);
        const std::int64_t packs = packed ? width_ / kCellPack : width_, count = rows_ * packs;
        const CellIndex index{Divider(static_cast<std::uint32_t>(packs)), static_cast<std::uint64_t>(count), width_};
        const unsigned blocks = blocks_for(*device_, count, kCellThreads, 64);
        if (packed)
            launch(std::integral_constant<int, kCellPack>{}, index, blocks);
        else
            launch(std::integral_constant<int, 1>{}, index, blocks);
    }

private:
    static CellOperand operand(const mpt_mod_operand &x, void *base) {
        if (!present(x)) return {};
        return {base, x.strides[0], x.strides[1]};
    }
    static bool lies_well(const mpt_mod_operand &x, const void *base) {
        return !present(x) || aligned(base, bytes_of(x.dtype) * kCellPack);
    }

    const Device *device_;
    std::int64_t rows_, width_;
    std::vector<mpt_mod_operand> in_, out_;
    bool packed_;
};

// f(T{}, S{}) for the gates' format and the state's.
template <class F>
void visit_cell(const mpt_mod_call &call, std::int32_t gates, std::int32_t state, F &&f) {
    visit_float(call.kernel, gates, [&](auto t) {
        if (state == gates)
            f(t, t);
        else if (state == MPT_F32)
            f(t, F32{});
        else
            unsupported_dtype(call.kernel, state);
    });
}

}  // namespace mpt::cuda
