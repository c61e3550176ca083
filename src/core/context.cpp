#include "core/context.h"

#include <pthread.h>

#include <utility>

namespace mpt {

namespace {
std::atomic<std::uint32_t> forks{0};
}

std::uint32_t fork_count() {
    // Registered with the first context, not at load time: a library must not act before it is used.
    static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
    (void)registered;
    return forks.load(std::memory_order_relaxed);
}

}  // namespace mpt

namespace {
constexpr std::size_t kBriefMessage = 240;  // bytes of a message that need no memory when there is none
}

mpt_context::mpt_context() : forks_(mpt::fork_count()) { last_error.reserve(kBriefMessage); }

mpt_context::~mpt_context() {
    drain();
    // The order matters: emitters and recordings hold tensors, tensors hold memory, memory comes from the device.
    recording.reset();
    top.reset();
    run.reset();
    random = nullptr;
    memory.trim();
}

void mpt_context::log(mpt_log_level level, const char *message) const {
    if (desc.log && level <= desc.log_level) desc.log(level, message, desc.log_user_data);
}

void mpt_context::leave() {
    entry_.unlock();
    collect();
}

// Whoever leaves looks again: an object that was queued while this thread held the lock has nobody else.
void mpt_context::collect() {
    while (has_garbage_.load(std::memory_order_acquire) && entry_.try_lock()) {
        drain();
        entry_.unlock();
    }
}

void mpt_context::dispose(mpt::Object *object) {
    // In the child of a fork a lock may be held by a thread that does not exist: leave the memory to the exit.
    if (forked()) return;
    mpt::Ref<mpt_context> keep(this);  // what is deleted may hold the last reference to this context
    if (entry_.try_lock()) {
        delete object;
        entry_.unlock();
        collect();
        return;
    }
    {
        std::lock_guard<std::mutex> lock(garbage_lock_);
        garbage_.push(object);
        has_garbage_.store(true, std::memory_order_release);
    }
    collect();  // the owner may have left meanwhile and not come back
}

void mpt_context::drain() {
    while (has_garbage_.load(std::memory_order_acquire)) {
        mpt::ObjectList batch;
        {
            std::lock_guard<std::mutex> lock(garbage_lock_);
            std::swap(batch, garbage_);
            has_garbage_.store(false, std::memory_order_release);
        }
        while (!batch.empty()) delete batch.pop();
    }
}
