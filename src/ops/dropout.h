#pragma once

#include "ops/emit.h"

namespace mpt::ops {

// 0 with probability p from [0, 1), else x / (1 - p), by the context's random numbers.
Ref<Tensor> dropout(const Ref<Tensor> &x, double p);

}  // namespace mpt::ops
