// The CPU module's threads. They sleep between calls (no spinning: a host owns the cores), and the context's
// setting decides how many there are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "device/module.h"

namespace mpt::cpu {

class Pool {
public:
    explicit Pool(int threads);  // the caller's included; 1 starts none
    ~Pool();
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    int threads() const { return threads_; }

    // body(part, parts, arg) once per part, parts <= threads(); returns when all have finished. body must not throw.
    void run(int parts, mpt_mod_body body, void *arg);

    // f(begin, end) over [0, n) in at most threads() contiguous pieces of at least `grain` each (so that small work
    // stays on the calling thread). Which elements go together depends on n, grain and the number of threads only.
    template <class F>
    void for_range(std::int64_t n, std::int64_t grain, F &&f) {
        const std::int64_t most = grain > 0 ? (n + grain - 1) / grain : n;
        const int parts = static_cast<int>(std::clamp<std::int64_t>(most, 1, threads_));
        if (parts == 1) {
            if (n > 0) f(std::int64_t{0}, n);
            return;
        }
        struct Arg {
            F *f;
            std::int64_t n;
        } arg{&f, n};
        run(parts, [](std::int32_t part, std::int32_t count, void *p) {
            auto *a = static_cast<Arg *>(p);
            const std::int64_t begin = a->n * part / count, end = a->n * (part + 1) / count;
            if (begin < end) (*a->f)(begin, end);
        }, &arg);
    }

    // The child of a fork has none of the threads: forget them instead of waiting for them.
    void abandon();

private:
    void close();  // waits for the threads

    struct State;
    State *state_ = nullptr;
    int threads_ = 1;
};

}  // namespace mpt::cpu
