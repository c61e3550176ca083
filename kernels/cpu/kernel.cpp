#include "kernel.h"

#include <cstring>

namespace mpt::cpu {

constinit const RegisteredKernel *RegisteredKernel::first_ = nullptr;

Prepare RegisteredKernel::find(const char *name) {
    for (const RegisteredKernel *kernel = first_; kernel; kernel = kernel->next_)
        if (std::strcmp(kernel->name_, name) == 0) return kernel->prepare_;
    throw Failure{MPT_ERROR_UNSUPPORTED, std::string("the CPU module has no kernel named ") + name};
}

}  // namespace mpt::cpu
