// Several ops that happen all or not at all.
#pragma once

#include <utility>
#include <vector>

#include "ops/emit.h"

namespace mpt {

// A kernel with the addresses of one call.
class Launch {
public:
    Launch(const Call &call, const Ref<Kernel> &kernel);  // refuses inputs that have no contents
    void run(void *workspace, void *stream) const { kernel_->launch(in_.data(), out_.data(), workspace, stream); }

private:
    Ref<Kernel> kernel_;
    std::vector<const void *> in_;
    std::vector<void *> out_;
};

class Workspace {
public:
    explicit Workspace(Memory &memory) : memory_(memory) {}
    ~Workspace() { memory_.give(data_, nbytes_); }
    Workspace(const Workspace &) = delete;
    Workspace &operator=(const Workspace &) = delete;
    void reserve(std::size_t nbytes);
    void *data() const { return data_; }

private:
    Memory &memory_;
    void *data_ = nullptr;
    std::size_t nbytes_ = 0;
};

// While one of these lives, the ops that would run at once are prepared, with all the memory that they need, and wait; run()
// launches them in order, and nothing is left that could fail for want of memory. What was not run when it ends never
// happens. Code inside must not look at what its ops write, except through read() and write() of ops/transfer.h. Recorded ops are none of its
// business: a failure poisons the capture.
class Together {
public:
    explicit Together(Context &ctx);  // inside another one: a part of that
    ~Together();
    Together(const Together &) = delete;
    Together &operator=(const Together &) = delete;
    void run();

    // For the sink. given: the outputs that were there before the call, whose versions rise when it happens.
    void add(const Call &call, const Ref<Kernel> &kernel, const std::vector<bool> &given);
    void happen();

private:
    struct Waiting {
        Call call;  // keeps the operands
        Launch launch;
        std::vector<bool> given;
    };
    Context &ctx_;
    const bool inner_;
    Workspace workspace_;  // the largest that is needed: the ops run one after the other
    std::vector<Waiting> waiting_;
};

// What is emitted in a block runs at once, ahead of what waits and does not concern it.
class AtOnce {
public:
    explicit AtOnce(Context &ctx) : ctx_(ctx), together_(std::exchange(ctx.together, nullptr)) {}
    ~AtOnce() { ctx_.together = together_; }
    AtOnce(const AtOnce &) = delete;
    AtOnce &operator=(const AtOnce &) = delete;

private:
    Context &ctx_;
    Together *together_;
};

// Before something that happens at once and is no op, such as a transfer: what waits comes first.
void settle(Context &ctx);

}  // namespace mpt
