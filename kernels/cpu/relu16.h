// The ReLU and its gradient of f16 and bf16 tensors that lie in memory as one run: both only choose among bit patterns,
// so nothing is converted and twice as many elements fit a register.
#pragma once

#include <memory>

#include "kernel.h"

namespace mpt::cpu {

// nullptr: not for this call.
std::unique_ptr<Kernel> prepare_relu16(Pool &pool, const mpt_mod_call &call);       // "unary" with RELU
std::unique_ptr<Kernel> prepare_relu_grad16(Pool &pool, const mpt_mod_call &call);  // "binary" with RELU_GRAD

}  // namespace mpt::cpu
