// Pooling beside ops::max_pool2d of ops.h, and resizing.
#pragma once

#include "device/attrs/pool.h"
#include "ops/emit.h"

namespace mpt::ops {

// max_pool2d.cpp, avg_pool2d.cpp. Signals [N, C, L] are images of height 1: the attributes' second elements count, the first are 1 and 0.
Ref<Tensor> max_pool1d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs);
Ref<Tensor> avg_pool1d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs);
Ref<Tensor> avg_pool2d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs);
Ref<Tensor> adaptive_avg_pool2d(const Ref<Tensor> &x, std::int64_t height, std::int64_t width);
Ref<Tensor> adaptive_max_pool2d(const Ref<Tensor> &x, std::int64_t height, std::int64_t width);

// upsample.cpp
Ref<Tensor> upsample2d(const Ref<Tensor> &x, std::int64_t height, std::int64_t width, mpt_upsample_mode mode);

}  // namespace mpt::ops
