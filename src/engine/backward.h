// Walks the graph from the roots to the leaves and emits the gradient ops down the same chain as the forward's.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace mpt {

void backward(Context &ctx, const std::vector<Ref<Tensor>> &roots, const std::vector<Ref<Tensor>> &cotangents, mpt_grad_mode mode);
// The gradient of a leaf, made and zeroed when there is none yet.
const Ref<Tensor> &gradient_of(const Ref<Tensor> &leaf);

}  // namespace mpt
