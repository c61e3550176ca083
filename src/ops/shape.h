// Ops that arrange elements: joining, cutting, repeating and mirroring tensors. Dimensions are from [0, ndim).
#pragma once

#include <vector>

#include "ops/emit.h"

namespace mpt::ops {

Ref<Tensor> squeeze(const Ref<Tensor> &x, int dim);    // a view without dim, whose extent is 1
Ref<Tensor> unsqueeze(const Ref<Tensor> &x, int dim);  // a view with an extent of 1 in front of dim; dim may be ndim
Ref<Tensor> concat(const std::vector<Ref<Tensor>> &tensors, int dim);
Ref<Tensor> stack(const std::vector<Ref<Tensor>> &tensors, int dim);
std::vector<Ref<Tensor>> split(const Ref<Tensor> &x, int dim, const std::vector<std::int64_t> &lengths);  // views
Ref<Tensor> pad(const Ref<Tensor> &x, const Dims &before, const Dims &after, double value);               // negative: cut
Ref<Tensor> flip(const Ref<Tensor> &x, unsigned dims);                                                    // dims as bits
Ref<Tensor> tile(const Ref<Tensor> &x, const Dims &repeats);
Ref<Tensor> triangle(const Ref<Tensor> &x, std::int64_t diagonal, bool upper);
void fill_range(const Ref<Tensor> &x, double start, double step);

}  // namespace mpt::ops
