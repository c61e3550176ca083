// Losses of rows of scores, one per class: what cross entropy and nll have in common. Operands: in[0] the scores, in[1] the
// targets, in[2] weights of the classes.
#pragma once

#include "any_float.cuh"
#include "device/attrs/loss.h"
#include "rows.cuh"

namespace mpt::cuda {

struct ClassRows {
    // Where a row's index points to when that is no class.
    static constexpr std::int64_t kOutside = -1, kIgnored = -2;

    explicit ClassRows(const mpt_mod_call &call) {
        const auto &attrs = attrs_of<mpt_attrs_cross_entropy>(call);
        const mpt_mod_operand &scores = call.in[0], &targets = call.in[1];
        reduction = attrs.reduction;
        ignored = attrs.ignore_index;
        if (scores.ndim != 2 || targets.ndim < 1 || targets.shape[0] != scores.shape[0])
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": scores must be [N,C] and targets of N rows"};
        rows = scores.shape[0];
        classes = scores.shape[1];
        row_stride = scores.strides[0];
        class_stride = scores.strides[1];
        target_dtype = targets.dtype;
        target_stride = targets.strides[0];
        probability_stride = targets.ndim == 2 ? targets.strides[1] : 0;
        probabilities = targets.dtype == MPT_F32 || targets.dtype == MPT_F16 || targets.dtype == MPT_BF16;
        if (!probabilities) visit_index(call.kernel, targets.dtype, [](auto) {});
        if (probabilities && (targets.ndim != 2 || targets.shape[1] != classes))
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": probabilities must have the form of the scores"};
        weight = Vector(call.kernel, call.in[2], classes);
    }
    ClassRows at(const void *const *in) const {
        ClassRows placed = *this;
        placed.targets = in[1];
        placed.weight = weight.at(in[2]);
        return placed;
    }
    __device__ __forceinline__ std::int64_t target(std::int64_t row) const {
        const std::int64_t at = row * target_stride;
        const std::int64_t index = target_dtype == MPT_I64   ? static_cast<const std::int64_t *>(targets)[at]
                                   : target_dtype == MPT_I32 ? static_cast<const std::int32_t *>(targets)[at]
                                                             : static_cast<const std::uint8_t *>(targets)[at];
        if (index == ignored) return kIgnored;
        return index >= 0 && index < classes ? index : kOutside;
    }
    __device__ __forceinline__ float probability(std::int64_t row, std::int64_t c) const {
        return load_any(targets, target_dtype, row * target_stride + c * probability_stride);
    }

    const void *targets = nullptr;
    std::int64_t rows, classes, row_stride, class_stride, target_stride, probability_stride;
    std::int64_t reduction, ignored;
    std::int32_t target_dtype;
    bool probabilities;
    Vector weight;
};

// A loss of rows and what its sum is divided by.
struct ClassLoss {
    ClassLoss(const mpt_mod_call &call, const mpt_mod_operand &divisor_form) {
        const mpt_mod_operand &form = call.out[0];
        per_row = attrs_of<mpt_attrs_cross_entropy>(call).reduction == MPT_REDUCTION_NONE;
        if (form.dtype != MPT_F32 || divisor_form.dtype != MPT_F32) unsupported_dtype(call.kernel, form.dtype);
        if (form.ndim != (per_row ? 1 : 0))
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": a result of another rank"};
        stride = per_row ? form.strides[0] : 0;
    }
    ClassLoss at(void *to, void *by) const {
        ClassLoss placed = *this;
        placed.loss = static_cast<float *>(to);
        placed.divisor = static_cast<float *>(by);
        return placed;
    }

    // Of the sum of the rows and of how much they count.
    __device__ __forceinline__ void write(const ClassRows &rows, double2 sum) const {
        const double by = rows.reduction == MPT_REDUCTION_MEAN         ? sum.y
                          : rows.reduction == MPT_REDUCTION_BATCH_MEAN ? static_cast<double>(rows.rows)
                                                                       : 1;
        *divisor = static_cast<float>(by);
        if (!per_row) *loss = static_cast<float>(sum.x / by);
    }

    float *loss = nullptr, *divisor = nullptr;
    std::int64_t stride;
    bool per_row;
};

// The sum over a block's threads, for thread 0 alone; some threads bring zeros.
__device__ __forceinline__ double2 sum_of_block(double2 x) {
    __shared__ double2 parts[32];
    x = {warp_reduce(x.x, Add()), warp_reduce(x.y, Add())};
    const unsigned thread = threadIdx.y * blockDim.x + threadIdx.x, warps = blockDim.x * blockDim.y / 32;
    if (thread % 32 == 0) parts[thread / 32] = x;
    __syncthreads();
    if (thread == 0)
        for (unsigned w = 1; w < warps; ++w) x = {x.x + parts[w].x, x.y + parts[w].y};
    return x;
}

// The end of a kernel whose threads have added up rows: a block that is alone writes the result.
__device__ __forceinline__ void finish(const ClassRows &rows, const ClassLoss &loss, double2 sum, double2 *of_blocks) {
    sum = sum_of_block(sum);
    if (threadIdx.x != 0 || threadIdx.y != 0) return;
    if (gridDim.x == 1)
        loss.write(rows, sum);
    else
        of_blocks[blockIdx.x] = sum;
}

static __global__ void add_blocks(ClassRows rows, ClassLoss loss, const double2 *of_blocks, unsigned blocks) {
    double2 sum = {0, 0};
    for (unsigned i = threadIdx.x; i < blocks; i += blockDim.x) sum = {sum.x + of_blocks[i].x, sum.y + of_blocks[i].y};
    finish(rows, loss, sum, nullptr);
}
inline void run_add_blocks(cudaStream_t stream, const ClassRows &rows, const ClassLoss &loss, const void *of_blocks,
                           unsigned blocks) {
    if (blocks == 1) return;
    add_blocks<<<1, kThreads, 0, stream>>>(rows, loss, static_cast<const double2 *>(of_blocks), blocks);
    check_launch("class loss");
}

// What a row's gradient is multiplied with.
struct ClassGradient {
    ClassGradient(const mpt_mod_call &call, const mpt_mod_operand &divisor_form, const mpt_mod_operand &form, const mpt_mod_operand &result) {
        if (form.dtype != MPT_F32 || divisor_form.dtype != MPT_F32) unsupported_dtype(call.kernel, form.dtype);
        if (form.ndim > 1 || result.ndim != 2)
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": operands of another rank"};
        stride = form.ndim == 1 ? form.strides[0] : 0;
    }
    ClassGradient at(const void *by, const void *of_loss) const {
        ClassGradient placed = *this;
        placed.divisor = static_cast<const float *>(by);
        placed.gradient = static_cast<const float *>(of_loss);
        return placed;
    }
    __device__ __forceinline__ float scale(std::int64_t row) const { return gradient[row * stride] / *divisor; }

    const float *divisor = nullptr, *gradient = nullptr;
    std::int64_t stride;
};

}  // namespace mpt::cuda
