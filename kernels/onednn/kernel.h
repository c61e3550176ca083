// What every kernel of the oneDNN accelerator shares: the device, the failure type and the kernel's base.
#pragma once

#include <cstddef>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "device/module.h"

namespace mpt::onednn {

// Thrown by prepare and launch; module.cpp turns it into a status and a message.
struct Failure {
    mpt_status status;
    std::string message;
};

// Refuses the call: the CPU module then runs its portable kernel.
[[noreturn]] inline void refuse(const char *why) {
    throw Failure{MPT_ERROR_UNSUPPORTED, why};
}

struct Device {
    mpt_mod_threads threads;  // the CPU module's pool
    dnnl::engine engine;
    bool bf16;  // the CPU multiplies bf16 itself; oneDNN's emulation elsewhere is slower than the portable kernel
    std::string description;
};

class Kernel {
public:
    virtual ~Kernel() = default;
    virtual void launch(const void *const *in, void *const *out, void *workspace) = 0;

    std::size_t workspace_bytes = 0;
    std::string name;  // "onednn:brgconv:avx512_core_bf16"
};

std::unique_ptr<Kernel> prepare_matmul(const Device &device, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_conv2d(const Device &device, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_conv2d_dgrad(const Device &device, const mpt_mod_call &call);
std::unique_ptr<Kernel> prepare_conv2d_wgrad(const Device &device, const mpt_mod_call &call);

}  // namespace mpt::onednn
