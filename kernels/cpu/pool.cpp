// Workers sleep in a futex. A call publishes a generation with its parts; whoever is awake, the caller included,
// claims the next part, so a worker that wakes late delays nobody: its part has then been done by another.
#include "pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <system_error>
#include <thread>
#include <vector>

#include "device/float_env.h"

namespace mpt::cpu {

namespace {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == 4);

void futex_wait(std::atomic<std::uint32_t> &word, std::uint32_t expected) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t> &word, int count) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t *>(&word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace

struct Pool::State {
    // generation (32 bits) | parts (16) | next part (16): one word, so that a late worker cannot claim a part of a
    // generation that it has not seen.
    alignas(64) std::atomic<std::uint64_t> ticket{0};
    mpt_mod_body body = nullptr;  // stable while a claimed part of its generation is unfinished
    void *arg = nullptr;
    alignas(64) std::atomic<std::uint32_t> generation{0};  // what workers sleep on
    std::atomic<bool> stop{false};
    alignas(64) std::atomic<std::uint32_t> unfinished{0};  // what the caller sleeps on
    std::atomic<bool> caller_sleeps{false};
    std::vector<std::thread> workers;

    void finish_part() {
        if (unfinished.fetch_sub(1, std::memory_order_seq_cst) == 1 && caller_sleeps.load(std::memory_order_seq_cst))
            futex_wake(unfinished, 1);
    }

    void claim_parts() {
        std::uint64_t seen = ticket.load(std::memory_order_acquire);
        for (;;) {
            const auto next = static_cast<std::int32_t>(seen & 0xffff), parts = static_cast<std::int32_t>(seen >> 16 & 0xffff);
            if (next >= parts) return;
            if (!ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire)) continue;
            body(next, parts, arg);
            finish_part();
            seen = ticket.load(std::memory_order_acquire);
        }
    }

    void work() {
        const FloatEnv env;
        for (;;) {
            const std::uint32_t now = generation.load(std::memory_order_acquire);
            if (stop.load(std::memory_order_relaxed)) return;
            claim_parts();
            futex_wait(generation, now);
        }
    }
};

Pool::Pool(int threads) : threads_(std::clamp(threads, 1, 0x7fff)) {
    if (threads_ == 1) return;
    state_ = new State;
    // Signals are the host's: none may be delivered to a worker.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    try {
        state_->workers.reserve(static_cast<std::size_t>(threads_ - 1));
        for (int i = 1; i < threads_; ++i) state_->workers.emplace_back([s = state_] { s->work(); });
    } catch (const std::system_error &) {
        // Fewer threads than asked for (a limit of the host): work with those that started.
        threads_ = static_cast<int>(state_->workers.size()) + 1;
    } catch (...) {
        pthread_sigmask(SIG_SETMASK, &old, nullptr);
        close();
        throw;
    }
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

Pool::~Pool() { close(); }

void Pool::close() {
    if (!state_) return;
    state_->stop.store(true, std::memory_order_relaxed);
    state_->generation.fetch_add(1, std::memory_order_release);
    futex_wake(state_->generation, INT_MAX);
    for (std::thread &worker : state_->workers) worker.join();
    delete state_;
}

void Pool::run(int parts, mpt_mod_body body, void *arg) {
    if (parts <= 1 || !state_) {
        for (int part = 0; part < parts; ++part) body(part, parts, arg);
        return;
    }
    State &s = *state_;
    s.body = body;
    s.arg = arg;
    s.unfinished.store(static_cast<std::uint32_t>(parts), std::memory_order_relaxed);
    const std::uint32_t generation = s.generation.load(std::memory_order_relaxed) + 1;
    s.ticket.store(std::uint64_t{generation} << 32 | static_cast<std::uint64_t>(parts) << 16, std::memory_order_release);
    s.generation.store(generation, std::memory_order_release);
    futex_wake(s.generation, parts - 1);
    s.claim_parts();
    if (s.unfinished.load(std::memory_order_acquire) == 0) return;
    s.caller_sleeps.store(true, std::memory_order_seq_cst);
    for (std::uint32_t left; (left = s.unfinished.load(std::memory_order_seq_cst)) != 0;) futex_wait(s.unfinished, left);
    s.caller_sleeps.store(false, std::memory_order_relaxed);
}

void Pool::abandon() {
    // The std::thread objects name threads that do not exist here: joining, detaching or destroying them would hang or
    // terminate. The state is leaked on purpose, once per fork and device.
    state_ = nullptr;
    threads_ = 1;
}

}  // namespace mpt::cpu
