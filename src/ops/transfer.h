// Between tensors and plain host memory, in logical row-major order.
#pragma once

#include "core/tensor.h"

namespace mpt {

void write(const Ref<Tensor> &tensor, const void *data);  // tensor->nbytes() bytes
void read(const Ref<Tensor> &tensor, void *data);

}  // namespace mpt
