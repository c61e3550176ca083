// Operands of a product as cuBLASLt sees them.
#pragma once

#include <optional>

#include "kernel.h"
#include "product.h"

namespace mpt::cuda {

// The distance of batches, when one number says it.
inline std::optional<std::int64_t> batch_stride(const mpt_mod_operand &x) {
    std::int64_t stride = 0, expected = 0;
    bool first = true;
    for (int d = x.ndim - 3; d >= 0; --d) {
        if (x.shape[d] == 1) continue;
        if (first)
            stride = x.strides[d], first = false;
        else if (x.strides[d] != expected)
            return std::nullopt;
        expected = x.strides[d] * x.shape[d];
    }
    return stride;
}

// A row-major [rows, columns] as the transpose of a column-major matrix, which is how cuBLASLt sees it.
inline std::optional<MatrixForm> form_of(const mpt_mod_operand &x) {
    const std::optional<std::int64_t> batch = batch_stride(x);
    if (!batch) return std::nullopt;
    const std::int64_t rows = x.shape[x.ndim - 2], columns = x.shape[x.ndim - 1], down = x.strides[x.ndim - 2], across = x.strides[x.ndim - 1];
    if ((across == 1 || columns == 1) && (rows == 1 || down >= columns)) return MatrixForm{false, rows == 1 ? columns : down, *batch};
    if ((down == 1 || rows == 1) && (columns == 1 || across >= rows)) return MatrixForm{true, columns == 1 ? rows : across, *batch};
    return std::nullopt;
}

}  // namespace mpt::cuda
