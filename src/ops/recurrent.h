// One step of a recurrent layer behind its products. The contract is in device/attrs/recurrent.h.
#pragma once

#include <utility>
#include <vector>

#include "ops/emit.h"

namespace mpt::ops {

// gates [N,4H], cell [N,H] in the gates' type or the wide one (keep it wide under autocast) -> hidden in the gates' type, and the new cell
// in cell's type. more: what is added to the gates, or null.
std::pair<Ref<Tensor>, Ref<Tensor>> lstm_cell(const Ref<Tensor> &gates, const Ref<Tensor> &cell, const Ref<Tensor> &more = nullptr);

// input_gates and hidden_gates [N,3H], hidden [N,H] in the gates' type or the wide one -> the new hidden in hidden's type.
Ref<Tensor> gru_cell(const Ref<Tensor> &input_gates, const Ref<Tensor> &hidden_gates, const Ref<Tensor> &hidden);

// All steps of an LSTM in one call: gates [L,N,4H] of the inputs, weight [4H,H], bias [4H] or null, first hidden [N,H], first cell [N,H] as above
// -> all hidden states and all cells [L,N,H], in the gates' order of memory. reverse: from the last step to the first. Nulls where the
// device takes no such sequence with operands in dtype, which is what a policy will make of them.
std::pair<Ref<Tensor>, Ref<Tensor>> lstm_sequence(const Ref<Tensor> &gates, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const Ref<Tensor> &hidden,
                                                  const Ref<Tensor> &cell, bool reverse, mpt_dtype dtype);

// The same of a GRU: gates [L,N,3H], weight [3H,H], first hidden [N,H] in dtype or the wide one -> all hidden states, as it.
Ref<Tensor> gru_sequence(const Ref<Tensor> &gates, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const Ref<Tensor> &hidden, bool reverse, mpt_dtype dtype);

// What the steps of a sequence leave for their weight's gradient, while a walk goes over them.
struct Steps final : Object {
    Steps() = default;
    Steps(std::vector<Ref<Tensor>> x, std::vector<Ref<Tensor>> dy) : inputs(std::move(x)), gradients(std::move(dy)) {}
    std::vector<Ref<Tensor>> inputs, gradients;
};
// linear of step `number` of a sequence, from 0 on, each of which depends on the one before.
Ref<Tensor> step_linear(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const Ref<Steps> &steps, std::int64_t number);

}  // namespace mpt::ops
