// Ways to compute attention and its gradient for operands of certain forms. Each is the kernel for such calls, which goes to
// `otherwise` for addresses that are not multiples of 16 bytes; or it is `otherwise` itself.
#pragma once

#include "kernel.h"

namespace mpt::cuda::attention {

// attention_mma.cu and attention_mma_grad.cu: tensor cores.
std::unique_ptr<Kernel> on_tensor_cores(const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise);
std::unique_ptr<Kernel> gradient_on_tensor_cores(const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise);

// attention_cudnn.cpp.
std::unique_ptr<Kernel> by_cudnn(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise);
std::unique_ptr<Kernel> gradient_by_cudnn(Device &device, const mpt_mod_call &call, std::unique_ptr<Kernel> otherwise);

// Rows of 16-byte packs, at 16 bytes each. An absent operand is of any form.
inline bool packs(const mpt_mod_operand &x) {
    if (!present(x)) return true;
    for (int d = 0; d < 3; ++d)
        if (x.shape[d] != 1 && x.strides[d] % 8 != 0) return false;
    return x.strides[3] == 1;
}

}  // namespace mpt::cuda::attention
