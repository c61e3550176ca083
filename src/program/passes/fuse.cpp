#include "program/passes/fuse.h"

#include <utility>

#include "program/fusions/fusion.h"

namespace mpt::passes {

std::vector<Step> fuse(Device &device, std::vector<Step> steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Tensor>> &outputs) {
    Fuser fuser(device, std::move(steps), born, outputs);
    for (std::size_t i = 0; i < fuser.size(); ++i)
        for (const RegisteredFusion *fusion = RegisteredFusion::first(); fusion; fusion = fusion->next())
            if (fuser.alive(i)) fusion->apply(fuser, i);
    return fuser.take();
}

}  // namespace mpt::passes
