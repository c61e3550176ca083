// "concat" of device/attrs/shape.h: all inputs with one launch, as long as their list fits a kernel's parameters.
#include <algorithm>
#include <utility>
#include <vector>

#include "device/attrs/shape.h"
#include "mover.cuh"
#include "units.cuh"

namespace mpt::cuda {
namespace {

constexpr int kUnitsPerThread = 4;
constexpr std::int64_t kUnitsPerBlock = std::int64_t{kThreads} * kUnitsPerThread;
constexpr int kFew = 8, kMany = 320;  // parts of a launch: parameters take time to arrive

// Rows of one input, in units.
struct Part {
    const void *in;
    void *out;
    Divider width;
    std::uint32_t count;
    std::int32_t unit;  // bytes
    std::int64_t in_row, in_step, out_row, out_step;
};
template <int N>
struct Parts {
    Part part[N];
    std::uint32_t first_block[N];
    int count;
};
static_assert(sizeof(Parts<kMany>) < 30000);

template <class U>
__device__ __forceinline__ void move_units(const Part &part, std::uint32_t first) {
    U x[kUnitsPerThread];
    U *to[kUnitsPerThread];
#pragma unroll
    for (int v = 0; v < kUnitsPerThread; ++v) {
        const std::uint32_t i = first + v * kThreads;
        if (i >= part.count) continue;
        std::uint32_t row = i;
        const std::int64_t column = part.width.divide(row);
        x[v] = static_cast<const U *>(part.in)[row * part.in_row + column * part.in_step];
        to[v] = static_cast<U *>(part.out) + row * part.out_row + column * part.out_step;
    }
#pragma unroll
    for (int v = 0; v < kUnitsPerThread; ++v)
        if (first + v * kThreads < part.count) *to[v] = x[v];
}

template <int N>
__global__ void __launch_bounds__(kThreads) move_parts(const __grid_constant__ Parts<N> parts) {
    int low = 0, high = parts.count - 1;  // the last part that begins at this block or before
    while (low < high) {
        const int middle = (low + high + 1) / 2;
        if (parts.first_block[middle] <= blockIdx.x)
            low = middle;
        else
            high = middle - 1;
    }
    const Part &part = parts.part[low];
    const std::uint32_t first = (blockIdx.x - parts.first_block[low]) * static_cast<std::uint32_t>(kUnitsPerBlock) + threadIdx.x;
    switch (part.unit) {
        case 1:
            return move_units<std::uint8_t>(part, first);
        case 2:
            return move_units<std::uint16_t>(part, first);
        case 4:
            return move_units<std::uint32_t>(part, first);
        case 8:
            return move_units<uint2>(part, first);
        default:
            return move_units<uint4>(part, first);
    }
}

class Concat final : public Kernel {
public:
    Concat(Device &device, const mpt_mod_call &call) {
        const mpt_mod_operand &y = call.out[0];
        const std::int64_t dim = attrs_of<mpt_attrs_concat>(call).dim;
        if (dim < 0 || dim >= y.ndim) throw Failure{MPT_ERROR_INTERNAL, "concat: dim is outside its range"};
        bytes_ = static_cast<int>(bytes_of(y.dtype));
        std::int64_t place = 0;
        for (int i = 0; i < call.n_in; ++i) {
            const mpt_mod_operand &x = call.in[i];
            if (x.dtype != y.dtype) throw Failure{MPT_ERROR_INTERNAL, "concat: operands of different dtypes"};
            mpt_mod_operand to = y;
            to.shape[dim] = x.shape[dim];
            const Loop loop("concat", {&to, &x});
            const std::int64_t offset = place * y.strides[dim] * bytes_;
            place += x.shape[dim];
            if (loop.count == 0) continue;
            if (loop.ndim <= 2 && small(loop.count) && !TilePlan::of(loop))
                rows_.push_back({i, offset, loop});
            else
                others_.push_back({i, offset, Mover(device, "concat", to, x)});
        }
    }

    void launch(const void *const *in, void *const *out, void *, cudaStream_t stream) override {
        auto *y = static_cast<char *>(out[0]);
        if (rows_.size() <= kFew)
            move<kFew>(in, y, stream);
        else
            move<kMany>(in, y, stream);
        for (const Other &other : others_) other.mover.run(in[other.input], y + other.offset, stream);
    }

    const char *name() const override { return "cuda:concat"; }

private:
    struct Rows {
        int input;
        std::int64_t offset;  // of its first element in the output, in bytes
        Loop loop;
    };
    struct Other {
        int input;
        std::int64_t offset;
        Mover mover;
    };

    template <int N>
    void move(const void *const *in, char *y, cudaStream_t stream) const {
        Parts<N> parts;
        for (std::size_t first = 0; first < rows_.size(); first += N) {
            parts.count = static_cast<int>(std::min<std::size_t>(rows_.size() - first, N));
            std::uint32_t blocks = 0;
            for (int i = 0; i < parts.count; ++i) {
                const Rows &rows = rows_[first + static_cast<std::size_t>(i)];
                parts.part[i] = part_of(rows, in[rows.input], y + rows.offset);
                parts.first_block[i] = blocks;
                blocks += static_cast<std::uint32_t>((parts.part[i].count + kUnitsPerBlock - 1) / kUnitsPerBlock);
            }
            move_parts<N><<<blocks, kThreads, 0, stream>>>(parts);
            check_launch("concat");
        }
    }

    Part part_of(const Rows &rows, const void *in, void *out) const {
        const int unit = unit_of<2>(rows.loop, bytes_, {out, in});
        const Loop loop = in_units(rows.loop, unit / bytes_, 2);
        return {in,
                out,
                Divider(static_cast<std::uint32_t>(loop.inner())),
                static_cast<std::uint32_t>(loop.count),
                unit,
                loop.outer_stride(1),
                loop.inner_stride(1),
                loop.outer_stride(0),
                loop.inner_stride(0)};
    }

    int bytes_;
    std::vector<Rows> rows_;
    std::vector<Other> others_;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return std::make_unique<Concat>(device, call);
}
const RegisteredKernel registered("concat", prepare);

}  // namespace
}  // namespace mpt::cuda
