// What a portable CPU kernel is made of. One file per kernel family; each registers the prepare functions that it has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

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

// A kernel announces itself under its name in device/attrs/ with an object of static storage; nothing runs at load time
// but a pointer's link.
class RegisteredKernel {
public:
    RegisteredKernel(const char *name, Prepare prepare) noexcept : name_(name), prepare_(prepare), next_(first_) { first_ = this; }
    static Prepare find(const char *name);  // throws where there is none

private:
    const char *name_;
    Prepare prepare_;
    const RegisteredKernel *next_;
    static const RegisteredKernel *first_;
};

template <class Attrs>
const Attrs &attrs_of(const mpt_mod_call &call) {
    if (call.attrs_bytes != sizeof(Attrs)) throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": attributes of another size"};
    return *static_cast<const Attrs *>(call.attrs);
}

}  // namespace mpt::cpu
