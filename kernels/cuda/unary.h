// The functions of one input, each file's by their kind.
#pragma once

#include "device/attrs/elementwise.h"
#include "kernel.h"

namespace mpt::cuda {

using PrepareUnary = std::unique_ptr<Kernel> (*)(Device &device, const mpt_mod_call &call, const mpt_attrs_unary &attrs);

// nullptr for a kind that is another file's.
PrepareUnary arithmetic_function(std::int64_t kind);
PrepareUnary exponential_function(std::int64_t kind);
PrepareUnary power_function(double exponent);
PrepareUnary trigonometric_function(std::int64_t kind);
PrepareUnary activation_function(std::int64_t kind);

}  // namespace mpt::cuda
