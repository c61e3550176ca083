// What a portable CPU kernel is made of. One file per kernel family; each defines the prepare functions that
// kernels/cpu/module.cpp lists in its table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "device/attrs.h"
#include "device/module.h"
#include "pool.h"

namespace mpt::cpu {

// Thrown by prepare or launch; module.cpp turns it into a status and a message.
struct Failure {
    mpt_status status;
    std::string message;
};

// A prepared kernel: shapes, strides, dtypes and attributes are fixed, addresses are not.
class Kernel {
public:
    virtual ~Kernel() = default;
    virtual void launch(const void *const *in, void *const *out, void *workspace) = 0;
    virtual const char *name() const = 0;  // "cpu:gemm"
    std::size_t workspace_bytes = 0;
};

using Prepare = std::unique_ptr<Kernel> (*)(Pool &pool, const mpt_mod_call &call);

template <class Attrs>
const Attrs &attrs_of(const mpt_mod_call &call) {
    if (call.attrs_bytes != sizeof(Attrs)) throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": attributes of another size"};
    return *static_cast<const Attrs *>(call.attrs);
}

}  // namespace mpt::cpu
