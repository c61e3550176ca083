// Reductions and scans beyond sum, mean and max (ops.h). dims are bits.
#pragma once

#include "ops/emit.h"

namespace mpt::ops {

Ref<Tensor> var(const Ref<Tensor> &x, unsigned dims, bool keep_dims, double correction);
Ref<Tensor> norm(const Ref<Tensor> &x, unsigned dims, bool keep_dims);
Ref<Tensor> logsumexp(const Ref<Tensor> &x, unsigned dims, bool keep_dims);
Ref<Tensor> any(const Ref<Tensor> &x, unsigned dims, bool keep_dims);
Ref<Tensor> all(const Ref<Tensor> &x, unsigned dims, bool keep_dims);
Ref<Tensor> cumsum(const Ref<Tensor> &x, int dim, bool reverse = false);

}  // namespace mpt::ops
