// Large products of 16-bit matrices whose rows do not start at multiples of 16 bytes, as those of 50257 words do.
#pragma once

#include "kernel.h"

namespace mpt::cuda {

// "matmul" of device/attrs/product.h, or nothing where the operands are not of that kind.
std::unique_ptr<Kernel> prepare_padded(Device &device, const mpt_mod_call &call);

}  // namespace mpt::cuda
