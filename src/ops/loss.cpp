#include "ops/loss.h"

#include "core/error.h"

namespace mpt::ops {

void need_floating(const Tensor &x, const char *name) {
    if (!is_floating(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
}

Spec loss_form(mpt_dtype dtype, const Dims &shape, const Dims &strides, std::int64_t reduction) {
    if (reduction == MPT_REDUCTION_NONE) return {dtype, shape, dense_like(shape, strides)};
    if (reduction == MPT_REDUCTION_BATCH_MEAN && shape.n == 0)
        fail(MPT_ERROR_SHAPE,
             "argument 'reduction' is MPT_REDUCTION_BATCH_MEAN, but a scalar has no batch: use MPT_REDUCTION_MEAN");
    return {dtype, {}, {}};
}

}  // namespace mpt::ops
