// What the ops of whole recurrent sequences share. [L,N,*] may lie in memory with either of the first two outside.
#pragma once

#include "ops/emit.h"

namespace mpt {

// [L,N,gates H] -> [L,N,H], in the same order of memory.
Spec states_like(mpt_dtype dtype, const Dims &gates, const Dims &strides, std::int64_t count);
// Rows that a device reads in pieces of 16 bytes: x itself where it has them.
Ref<Tensor> in_packs(const Ref<Tensor> &x);
// Of the state's weight and bias, inputs 1 and 2 of a sequence, whose states have been multiplied: first [N,H], then those of the steps.
void give_state_weight_gradients(GradRule &g, const Ref<Tensor> &first, const Ref<Tensor> &states, const Ref<Tensor> &dgates, bool reverse);

}  // namespace mpt
