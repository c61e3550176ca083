// Initial values of weights.
#pragma once

#include "core/tensor.h"

namespace mpt {

// weight: [out, in, ...]; fan_in = in * rest, fan_out = out * rest.
void initialize(const Ref<Tensor> &weight, mpt_init init);
void initialize_bias(const Ref<Tensor> &bias, const Tensor &weight, mpt_init init);

}  // namespace mpt
