// The usual max-pool (windows of 2 x 2 side by side, no padding) of f16 and bf16 images with channels innermost: choosing among
// bit patterns needs no conversion, and twice as many channels fit a register.
#pragma once

#include <memory>

#include "kernel.h"

namespace mpt::cpu {

// nullptr: not for this call.
std::unique_ptr<Kernel> prepare_max_pool16(Pool &pool, const mpt_mod_call &call);       // "max_pool2d"
std::unique_ptr<Kernel> prepare_max_pool_grad16(Pool &pool, const mpt_mod_call &call);  // "max_pool2d_grad"

}  // namespace mpt::cpu
