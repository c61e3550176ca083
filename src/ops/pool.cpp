#include "ops/pool.h"

#include <algorithm>

#include "core/error.h"
#include "ops/pool_op.h"

namespace mpt {

Dims pooled(const Tensor &x, const PoolAttrs &attrs, int rank) {
    check_image(x, rank);
    const mpt_attrs_pool2d &a = attrs.pool;
    Dims shape = x.shape;
    for (int i = 0; i < spatial(rank); ++i) {
        const int at = axis(i, rank);
        if (a.adaptive) {
            if (x.shape[2 + i] < 1) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": its windows would be empty");
            shape[2 + i] = attrs.extent[at];
            continue;
        }
        const std::int64_t room = x.shape[2 + i] + 2 * std::int64_t{a.padding[at]} - a.kernel[at];
        if (room < 0) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": with padding ", a.padding[at], " it is smaller than the window of ", a.kernel[at]);
        shape[2 + i] = room / a.stride[at] + 1;
    }
    return shape;
}

PoolAttrs adaptive_windows(const Tensor &x, std::int64_t height, std::int64_t width) {
    check_image(x, kImage);
    PoolAttrs a{{}, {height, width}, 0};
    a.pool.adaptive = 1;
    std::int64_t kernel[2];
    for (int i = 0; i < 2; ++i) {
        const std::int64_t in = x.shape[2 + i], out = a.extent[i];
        if (out < 1) fail(MPT_ERROR_ARGUMENT, "argument '", i == 0 ? "height" : "width", "' is ", out, ": it must be at least 1");
        if (in > INT32_MAX || out > INT32_MAX) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ", of which ", height, " x ", width, " is made: extents are at most ", INT32_MAX);
        kernel[i] = std::min(in, in % out == 0 ? in / out : in / out + 2);  // at least as much as any window has
    }
    // The gradient keeps each maximum's place in its window as an i32.
    if (kernel[0] * kernel[1] > INT32_MAX) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": a window has at most ", INT32_MAX, " elements");
    for (int i = 0; i < 2; ++i) {
        a.pool.kernel[i] = static_cast<std::int32_t>(kernel[i]);
        a.pool.stride[i] = 1;
    }
    return a;
}

PoolAttrs gradient_attrs(const PoolAttrs &attrs, const Spec &x) {
    PoolAttrs a{attrs.pool, {1, 1}, rows_innermost(x.strides)};
    for (int i = 0; i < spatial(x.shape.n); ++i) a.extent[axis(i, x.shape.n)] = x.shape[2 + i];
    return a;
}

Dims unpooled(const Dims &dy, const PoolAttrs &attrs) {
    Dims shape = dy;
    for (int i = 0; i < spatial(dy.n); ++i) shape[2 + i] = attrs.extent[axis(i, dy.n)];
    return shape;
}

void arrange_pool(const Call &, KernelCall &kernel) {
    kernel.attrs_bytes = sizeof(mpt_attrs_pool2d);
    see_images(kernel);
}

}  // namespace mpt
