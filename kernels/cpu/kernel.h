// What a portable CPU kernel is made of. One file per kernel family; each registers the prepare functions that it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "common/kernel.h"
#include "pool.h"

namespace mpt::cpu {

using kernels::attrs_of;
using kernels::Failure;

// A prepared kernel: shapes, strides, dtypes and attributes are fixed, addresses are not.
class Kernel {
public:
    virtual ~Kernel() = default;
    virtual void launch(const void *const *in, void *const *out, void *workspace) = 0;
    virtual const char *name() const = 0;  // "cpu:gemm"
    std::size_t workspace_bytes = 0;
};

using Prepare = std::unique_ptr<Kernel> (*)(Pool &pool, const mpt_mod_call &call);

using RegisteredKernel = kernels::Registered<Prepare>;

}  // namespace mpt::cpu
