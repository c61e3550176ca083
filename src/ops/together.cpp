#include "ops/together.h"

namespace mpt {

Launch::Launch(const Call &call, const Ref<Kernel> &kernel) : kernel_(kernel) {
    in_.reserve(call.in.size() + 1);
    out_.reserve(call.out.size());
    for (const Ref<Tensor> &x : call.in) {
        if (x) x->storage->require_ready("an input");
        in_.push_back(x ? x->data() : nullptr);
    }
    in_.push_back(nullptr);  // an optional operand that arrange added
    for (const Ref<Tensor> &x : call.out) out_.push_back(x ? x->data() : nullptr);
}

void Workspace::reserve(std::size_t nbytes) {
    if (nbytes <= nbytes_) return;
    memory_.give(std::exchange(data_, nullptr), std::exchange(nbytes_, 0));
    data_ = memory_.take(nbytes, "a workspace");
    nbytes_ = nbytes;
}

Together::Together(Context &ctx) : ctx_(ctx), inner_(ctx.together), workspace_(ctx.memory) {
    if (!inner_) ctx.together = this;
}

Together::~Together() {
    if (!inner_) ctx_.together = nullptr;
}

void Together::run() {
    if (!inner_) happen();
}

void Together::add(const Call &call, const Ref<Kernel> &kernel, const std::vector<bool> &given) {
    workspace_.reserve(kernel->workspace_bytes());
    waiting_.push_back({call, Launch(call, kernel), given});
}

void Together::happen() {
    const std::vector<Waiting> now = std::exchange(waiting_, {});
    for (const Waiting &w : now) {
        w.launch.run(workspace_.data(), ctx_.stream());
        for (std::size_t i = 0; i < w.given.size(); ++i)
            if (w.given[i]) ++w.call.out[i]->storage->version;
    }
}

void settle(Context &ctx) {
    if (ctx.together) ctx.together->happen();
}

}  // namespace mpt
