// Ops that read, write or find places by index. Dimensions are from [0, ndim); indices are U8, I32 or I64.
#pragma once

#include <utility>

#include "ops/emit.h"

namespace mpt::ops {

Ref<Tensor> index_select(const Ref<Tensor> &x, int dim, const Ref<Tensor> &index);
Ref<Tensor> gather(const Ref<Tensor> &x, int dim, const Ref<Tensor> &index);
Ref<Tensor> scatter_add(const Ref<Tensor> &x, int dim, const Ref<Tensor> &index, const Ref<Tensor> &src);
// src added at the places that index names in a tensor of zeros.
Ref<Tensor> scatter(const Ref<Tensor> &src, int dim, const Ref<Tensor> &index, const Dims &shape);
Ref<Tensor> one_hot(const Ref<Tensor> &index, std::int64_t classes, mpt_dtype dtype);
Ref<Tensor> embedding(const Ref<Tensor> &index, const Ref<Tensor> &weight, std::int64_t padding_index = -1);  // -1: none

// The first largest (or smallest) element along dim, as I64.
Ref<Tensor> arg(const Ref<Tensor> &x, int dim, bool keep_dims, bool largest);
// Values and where they were.
std::pair<Ref<Tensor>, Ref<Tensor>> sort(const Ref<Tensor> &x, int dim, bool descending);
std::pair<Ref<Tensor>, Ref<Tensor>> topk(const Ref<Tensor> &x, std::int64_t k, int dim, bool largest);

}  // namespace mpt::ops
