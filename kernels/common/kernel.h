// What the device modules of this folder share: how a kernel announces itself, and how a failure leaves a module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "device/module.h"

namespace mpt::kernels {

// Thrown inside a module; guard turns it into a status and a message.
struct Failure {
    mpt_status status;
    std::string message;
};

inline mpt_status fail(mpt_mod_error *error, mpt_status status, const char *message) {
    if (error) std::snprintf(error->message, sizeof error->message, "%s", message);
    return status;
}

// No exception crosses a module's table.
template <class F>
mpt_status guard(mpt_mod_error *error, F &&f) noexcept {
    try {
        return f();
    } catch (const Failure &failure) {
        return fail(error, failure.status, failure.message.c_str());
    } catch (const std::bad_alloc &) {
        return fail(error, MPT_ERROR_MEMORY, "no memory");
    } catch (const std::exception &e) {
        return fail(error, MPT_ERROR_INTERNAL, e.what());
    } catch (...) {
        return fail(error, MPT_ERROR_INTERNAL, "unknown exception");
    }
}

// A kernel announces itself under its name in device/attrs/ with an object of static storage; nothing runs at load time
// but a pointer's link.
template <class Prepare>
class Registered {
public:
    Registered(const char *name, Prepare prepare) noexcept : name_(name), prepare_(prepare), next_(first_) { first_ = this; }
    static Prepare find(const char *name) {
        for (const Registered *kernel = first_; kernel; kernel = kernel->next_)
            if (std::strcmp(kernel->name_, name) == 0) return kernel->prepare_;
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string("this device has no kernel named ") + name};
    }

private:
    const char *name_;
    Prepare prepare_;
    const Registered *next_;
    static inline constinit const Registered *first_ = nullptr;
};

template <class Attrs>
const Attrs &attrs_of(const mpt_mod_call &call) {
    if (call.attrs_bytes != sizeof(Attrs)) throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": attributes of another size"};
    return *static_cast<const Attrs *>(call.attrs);
}

}  // namespace mpt::kernels
