// Handles that end by themselves, and calls that must succeed.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "mpt.h"

// A failed call ends the test with the library's own message.
#define MUST(call) test::must((call), #call)

namespace test {

inline void must(mpt_status status, const char *call) {
    if (status != MPT_OK) throw std::runtime_error(std::string(call) + ": " + mpt_status_name(status) + ": " + mpt_last_error());
}

template <class T, void (*release)(T *)>
class Handle {
public:
    Handle() = default;
    explicit Handle(T *handle) : handle_(handle) {}
    Handle(Handle &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Handle &operator=(Handle &&other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Handle() { release(handle_); }
    // For a parameter named "out": what was held before ends.
    T **out() {
        release(std::exchange(handle_, nullptr));
        return &handle_;
    }
    operator T *() const { return handle_; }

private:
    T *handle_ = nullptr;
};

using Context = Handle<mpt_context, mpt_context_release>;
using Tensor = Handle<mpt_tensor, mpt_tensor_release>;
using Layer = Handle<mpt_layer, mpt_layer_release>;
using Policy = Handle<mpt_policy, mpt_policy_release>;
using Scaler = Handle<mpt_scaler, mpt_scaler_release>;
using Optimizer = Handle<mpt_optimizer, mpt_optimizer_release>;
using Average = Handle<mpt_average, mpt_average_release>;
using Program = Handle<mpt_program, mpt_program_release>;
using State = Handle<mpt_state, mpt_state_release>;

}  // namespace test
