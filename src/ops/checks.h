// What many ops ask of their operands.
#pragma once

#include "core/error.h"
#include "core/tensor.h"

namespace mpt {

inline void need_floating(const Tensor &x, const char *name) {
    if (!is_floating(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
}

inline void refuse_fp8(const Tensor &x, const char *name) {
    if (is_f8(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x.dtype),
             ", which only products and casts take: cast it first");
}

inline void need_index(const Tensor &index, const char *name) {
    if (!is_index(index.dtype))
        fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(index.dtype), ", but must be u8, i32 or i64: cast it first");
}

}  // namespace mpt
