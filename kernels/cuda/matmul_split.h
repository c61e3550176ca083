// Large products of 16-bit matrices whose rows start at multiples of 16 bytes, but are no multiple of 16 bytes long.
#pragma once

#include "kernel.h"

namespace mpt::cuda {

// "matmul" of device/attrs/product.h, or nothing where the operands are not of that kind.
std::unique_ptr<Kernel> prepare_split(Device &device, const mpt_mod_call &call);

}  // namespace mpt::cuda
