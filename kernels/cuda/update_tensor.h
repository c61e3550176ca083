// The operands of an optimizer's call, checked.
#pragma once

#include <cstdint>
#include <vector>

#include "device/attrs/optimizer.h"
#include "tensor_list.cuh"

namespace mpt::cuda {

// In a call, and in a tensor's record: there the gradient, the parameter, its states, its compensation, its copies.
inline constexpr int kGradients = 4, kParameters = 4;

struct UpdateOperands {
    std::vector<TensorList::Tensor> tensors;  // those that have a gradient
    int addresses = 0;                        // of each
    std::int64_t blocks = 0;                  // of random numbers that all take
    bool present[kGradients] = {};
};

UpdateOperands update_operands(const mpt_mod_call &call, const mpt_attrs_update &attrs, int states);

}  // namespace mpt::cuda
