// Products of 16-bit matrices with few columns: a classifier's or a critic's last layer.
#pragma once

#include "kernel.h"

namespace mpt::cuda {

// "matmul" of device/attrs/product.h, or nothing where the operands are not of that kind.
std::unique_ptr<Kernel> prepare_narrow(Device &device, const mpt_mod_call &call);

}  // namespace mpt::cuda
