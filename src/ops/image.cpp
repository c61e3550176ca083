#include "ops/image.h"

#include <algorithm>

#include "core/error.h"

namespace mpt {

void check_image(const Tensor &x, int rank) {
    if (x.shape.n != rank)
        fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, rank == kImage ? ": images are [N, C, H, W]" : ": signals are [N, C, L]");
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
}

Dims channels_innermost(const Dims &shape) {
    Dims strides = shape;
    std::int64_t step = std::max<std::int64_t>(shape[1], 1);
    for (int i = shape.n - 1; i >= 2; --i) {
        strides[i] = step;
        step *= std::max<std::int64_t>(shape[i], 1);
    }
    strides[0] = step;
    strides[1] = 1;
    return strides;
}

bool rows_innermost(const Dims &strides) { return strides[strides.n - 1] < strides[1]; }

void see_images(KernelCall &kernel) {
    for (auto *list : {&kernel.in, &kernel.out})
        for (mpt_mod_operand &x : *list) {
            if (x.ndim != kSignal) continue;
            x.ndim = kImage;
            x.shape[3] = x.shape[2];
            x.strides[3] = x.strides[2];
            x.shape[2] = 1;
            x.strides[2] = x.shape[3] * x.strides[3];
        }
}

}  // namespace mpt
