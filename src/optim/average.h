// Moving averages of an optimizer's parameters.
#pragma once

#include <vector>

#include "optim/optimizer.h"

struct mpt_average final : mpt::Object {
    mpt_average(mpt_optimizer &of, double rate);

    void update();
    void swap();  // parameters and averages
    // What was swapped has been replaced from a checkpoint.
    void loaded();

    // As the optimizer's groups and their parameters.
    struct Part {
        mpt::Ref<mpt::Tensor> last;  // i64: the group's step count at the last update
        std::vector<mpt::Ref<mpt::Tensor>> averages;
        std::vector<mpt::Ref<mpt::Tensor>> rests;  // what low-precision parameters without masters lose of a swapped average; made at the first swap
    };

    mpt::Ref<mpt_context> ctx;
    const mpt::Ref<mpt_optimizer> optimizer;
    const double decay;
    std::vector<Part> parts;

protected:
    void dispose() override { ctx->dispose(this); }

private:
    void check_groups() const;
    std::vector<mpt::Ref<mpt::Tensor>> sources(const mpt::Group &group) const;
};
