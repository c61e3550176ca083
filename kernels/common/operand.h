// Operands of any strides as a loop: extents of 1 are dropped, dimensions are ordered by the first operand's strides
// and merged where all operands allow it, so that dense tensors of one layout become one long row.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "kernel.h"

namespace mpt::kernels {

std::int64_t numel(const mpt_mod_operand &operand);

// x as an operand of like's shape, by strides of 0 when x has ndim 0. Failure when the shapes are others.
mpt_mod_operand expanded(const mpt_mod_operand &x, const mpt_mod_operand &like);

// No gaps and no overlaps, in whatever order of dimensions.
bool is_dense(const mpt_mod_operand &operand);

// The same shape and, where it matters, the same strides.
bool same_layout(const mpt_mod_operand &a, const mpt_mod_operand &b);

struct Loop {
    static constexpr int kOperands = 4;
    Loop() = default;
    // The first operand decides the order of dimensions. All have one shape, else Failure.
    Loop(const char *kernel, std::initializer_list<const mpt_mod_operand *> list);

    // Offsets, in elements, of the row that has this index; the row is the last dimension.
    void locate(std::int64_t row, std::int64_t *offset) const;

    int ndim = 1;  // at least 1
    int operands = 0;
    std::int64_t count = 0;  // elements
    std::int64_t shape[MPT_MAX_DIMS] = {};
    std::int64_t strides[kOperands][MPT_MAX_DIMS] = {};

    std::int64_t inner() const { return shape[ndim - 1]; }
    std::int64_t inner_stride(int operand) const { return strides[operand][ndim - 1]; }
    std::int64_t outer_stride(int operand) const { return ndim > 1 ? strides[operand][ndim - 2] : 0; }
};

}  // namespace mpt::kernels
