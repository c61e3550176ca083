// A context: one device, its memory, its random numbers, its settings, and the chain that every op goes through.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/memory.h"
#include "core/object.h"
#include "core/storage.h"
#include "mpt.h"

namespace mpt {

class Device;     // device/device.h
class Emitter;    // ops/emit.h
class Recording;  // program/recording.h
class Together;   // ops/together.h

// What an op sees of its surroundings besides its operands.
struct Scope {
    mpt_role role = MPT_ROLE_FORWARD;
    std::string layer;     // name of the layer that runs, "" outside
    Ref<Object> running;   // that layer itself: nn/layer.h
    Ref<Object> policy;    // precision/policy.h; none: no autocast
    bool grad = true;      // remember for gradients
};

// Has this process been forked since the number was taken? A child has none of the threads.
std::uint32_t fork_count();

}  // namespace mpt

struct mpt_context final : mpt::Object {
    mpt_context_desc desc = {};
    mpt::Memory memory;
    std::shared_ptr<mpt::Device> device;
    mpt::Ref<mpt::Storage> random;  // i64[2]: seed, counter
    // The chain of emitters; top is where every op enters, run executes at once whatever is open.
    std::shared_ptr<mpt::Emitter> top, run;
    std::shared_ptr<mpt::Recording> recording;  // an open capture
    mpt::Together *together = nullptr;          // takes the ops that happen all or not at all
    mpt::Scope scope;
    bool fusion = true;  // may programs run several ops as one kernel?
    std::vector<mpt::Ref<mpt::Object>> policies;  // autocast_begin's, outermost first
    std::vector<bool> grad_modes;                 // no_grad_begin's
    std::string last_error;

    mpt_context();
    ~mpt_context() override;

    // The host's, or NULL for the device's own; everything is enqueued on it.
    void *stream() const { return memory.stream; }

    bool forked() const { return forks_ != mpt::fork_count(); }
    void log(mpt_log_level level, const char *message) const;

    // The lock of one call. A release on another thread that finds it taken leaves the object here instead.
    void enter() { entry_.lock(); }
    void leave();
    void dispose(mpt::Object *object);
    using mpt::Object::dispose;

private:
    void drain();
    void collect();

    std::recursive_mutex entry_;
    std::mutex garbage_lock_;
    mpt::ObjectList garbage_;
    std::atomic<bool> has_garbage_{false};
    std::uint32_t forks_;
};

namespace mpt {

using Context = ::mpt_context;

// A change of the scope for the length of a block.
class ScopeGuard {
public:
    explicit ScopeGuard(Context &ctx) : ctx_(ctx), saved_(ctx.scope) {}
    ~ScopeGuard() { ctx_.scope = std::move(saved_); }
    ScopeGuard(const ScopeGuard &) = delete;
    ScopeGuard &operator=(const ScopeGuard &) = delete;

private:
    Context &ctx_;
    Scope saved_;
};

}  // namespace mpt
