// Public parameter structs, checked and turned into the attributes that ops take.
#pragma once

#include "api/guard.h"
#include "device/attrs/pool.h"
#include "ops/conv.h"

namespace mpt::api {

mpt_conv2d_params default_conv2d();
mpt_conv1d_params default_conv1d();
mpt_pool2d_params default_pool2d();
// Without transposed, output padding is refused.
ops::ConvTranspose conv2d_attrs(const mpt_conv2d_params *params, bool transposed, const char *name = "params");
ops::ConvTranspose conv1d_attrs(const mpt_conv1d_params *params, bool transposed, const char *name = "params");
mpt_attrs_pool2d max_pool2d_attrs(const mpt_pool2d_params *params);
mpt_attrs_pool2d avg_pool2d_attrs(const mpt_pool2d_params *params);
mpt_attrs_pool2d pool1d_attrs(std::int32_t kernel, std::int32_t stride, std::int32_t padding);
int dimension(const Tensor &x, std::int32_t dim, const char *name, const char *of = "x");  // negative ones count from the end
unsigned dimensions(const Tensor &x, std::int32_t n, const std::int32_t *dims);  // "ndims" and "dims" as bits

}  // namespace mpt::api
