// What all optimizers share: groups of parameters, their state, unscaling, clipping, skipping. A rule adds one file and
// one multi-tensor op.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "ops/ops.h"
#include "precision/scaler.h"

namespace mpt {

// A parameter with its state, which is made at the first step.
struct Slot {
    Ref<Tensor> parameter;
    Ref<Tensor> first, second;  // moments, in the master's type
    bool active() const { return parameter->grad && parameter->requires_grad; }  // a frozen one keeps its old gradient
};

struct Group {
    std::string name;
    double lr_scale, weight_decay_scale;
    std::vector<Slot> slots;
    Ref<Tensor> step, counts;  // i64; i64[2]: stepped, skipped
};

}  // namespace mpt

struct mpt_optimizer : mpt::Object {
    mpt_optimizer(mpt_context &context, double rate);

    void add_group(const std::string &name, const std::vector<mpt::Ref<mpt::Tensor>> &parameters, double lr_scale, double weight_decay_scale,
                   const char *argument = "params");
    void unscale(mpt_scaler &scaler);
    void step(mpt_scaler *scaler);
    // Makes the state of every parameter now: for checkpoints.
    void make_state();
    // The tensor that is updated: the parameter itself, or its f32 master.
    mpt::Ref<mpt::Tensor> master(const mpt::Slot &slot) const;

    mpt::Ref<mpt_context> ctx;
    const std::uint64_t number;  // never used again, unlike an address
    double max_norm = 0;
    mpt::Ref<mpt::Tensor> lr, norm;  // f32 scalars
    std::vector<mpt::Group> groups;

protected:
    void dispose() override { ctx->dispose(this); }
    // How many moments the rule keeps, and its op.
    virtual int moments() const = 0;
    virtual void update(const mpt::Group &group, const mpt::ops::UpdateOperands &operands) = 0;

private:
    void make_state(mpt::Slot &slot);
    std::vector<mpt::Ref<mpt::Tensor>> gradients() const;
    void update_group(mpt::Group &group, mpt::ops::UpdateOperands operands);
};

namespace mpt {

Ref<mpt_optimizer> new_sgd(Context &ctx, const mpt_sgd_desc &desc);
Ref<mpt_optimizer> new_adam(Context &ctx, const mpt_adam_desc &desc, bool decoupled);

}  // namespace mpt
