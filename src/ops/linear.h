// The linear op, for what has its product but a gradient of its own.
#pragma once

#include "ops/emit.h"

namespace mpt {

Op linear_op(void (*gradient)(GradRule &));
// [..., K] as [rows, K].
Dims rows_of(const Dims &shape);
// dy: [rows, out]. Of x, under the role of an input's gradient.
void give_input_gradient(GradRule &g, const Ref<Tensor> &dy);
// Of weight and bias, from rows of x and of dy, under the role of a weight's gradient.
void give_weight_gradients(GradRule &g, const Ref<Tensor> &x, const Ref<Tensor> &dy);

}  // namespace mpt
