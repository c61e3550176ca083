// The end of the chain, where every op arrives: it is run at once, or written down while a capture is open. Both ways
// check, shape and prepare in the same code.
#pragma once

#include "ops/emit.h"

namespace mpt {

class Sink final : public Emitter {
public:
    // at_once: also while a capture is open.
    Sink(Context &ctx, bool at_once) : ctx_(ctx), at_once_(at_once) {}
    void emit(Call &call) override;

private:
    void shape_outputs(Call &call, Recording *recording);
    void record(Call &call, KernelCall &&form, const Ref<Kernel> &kernel, Recording &recording);
    void run(const Call &call, const Ref<Kernel> &kernel);

    Context &ctx_;
    bool at_once_;
};

}  // namespace mpt
