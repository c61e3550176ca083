// What the pooling ops share.
#pragma once

#include "device/attrs/pool.h"
#include "ops/image.h"

namespace mpt {

// The kernels' attributes come first.
struct PoolAttrs {
    mpt_attrs_pool2d pool;
    std::int64_t extent[2];  // forward, adaptive: H', W'; gradient: H, W of x; signals use the second
    std::int64_t rows;       // gradient: image rows lie innermost in x
};

// The result's shape; checks x.
Dims pooled(const Tensor &x, const PoolAttrs &attrs, int rank);
// Windows that divide x's images evenly.
PoolAttrs adaptive_windows(const Tensor &x, std::int64_t height, std::int64_t width);
// What a gradient needs, and the shape that it has.
PoolAttrs gradient_attrs(const PoolAttrs &attrs, const Spec &x);
Dims unpooled(const Dims &dy, const PoolAttrs &attrs);
void arrange_pool(const Call &call, KernelCall &kernel);

}  // namespace mpt
