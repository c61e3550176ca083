// Elementwise ops beside those of ops.h.
#pragma once

#include <initializer_list>

#include "ops/emit.h"

namespace mpt::ops {

Ref<Tensor> compare(const Ref<Tensor> &a, const Ref<Tensor> &b, int kind);  // BOOL; MPT_COMPARE_*
Ref<Tensor> predicate(const Ref<Tensor> &x, int kind);                      // BOOL; MPT_PREDICATE_*
// a where condition is true, else b; one of the two may be null and counts as zeros.
Ref<Tensor> where(const Ref<Tensor> &condition, const Ref<Tensor> &a, const Ref<Tensor> &b);

}  // namespace mpt::ops

namespace mpt {

// The form of an elementwise result: of a broadcast shape, laid out like the first operand that has this shape.
Spec broadcast_form(mpt_dtype dtype, const Dims &shape, std::initializer_list<const Tensor *> operands);

// Elementwise kernels see every operand in the output's shape.
void arrange_broadcast(const Call &call, KernelCall &kernel);

}  // namespace mpt
