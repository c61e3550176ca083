// One step of a recurrent layer behind its products. The contract is in device/attrs/recurrent.h.
#pragma once

#include <utility>

#include "ops/emit.h"

namespace mpt::ops {

// gates [N,4H], cell [N,H] in the gates' type or the wide one (keep it wide under autocast) -> hidden in the gates' type, and the new cell
// in cell's type.
std::pair<Ref<Tensor>, Ref<Tensor>> lstm_cell(const Ref<Tensor> &gates, const Ref<Tensor> &cell);

// input_gates and hidden_gates [N,3H], hidden [N,H] in the gates' type or the wide one -> the new hidden in hidden's type.
Ref<Tensor> gru_cell(const Ref<Tensor> &input_gates, const Ref<Tensor> &hidden_gates, const Ref<Tensor> &hidden);

}  // namespace mpt::ops
