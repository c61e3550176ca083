// What all optimizers share: groups of parameters, their state, unscaling, clipping, skipping. A rule adds one file and
// one multi-tensor op.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "device/attrs/optimizer.h"
#include "device/attrs/schedule.h"
#include "ops/optimizer.h"
#include "precision/scaler.h"

namespace mpt {

// A parameter with its state, which is made at the first step.
struct Slot {
    Ref<Tensor> parameter;
    std::vector<Ref<Tensor>> states;  // the rule's, in the type of its arithmetic
    Ref<Tensor> compensation;         // MPT_ROUNDING_KAHAN: what rounding has lost, in the parameter's type
    bool active() const { return parameter->grad && parameter->requires_grad; }  // a frozen one keeps its old gradient
};

struct GroupOptions {
    mpt_rounding rounding = MPT_ROUNDING_MASTER;  // of f16 and bf16 parameters
    double lr_scale = 1, weight_decay_scale = 1;
};

struct Group {
    std::string name;
    GroupOptions options;
    std::vector<Slot> slots;
    Ref<Tensor> step, counts;  // i64; i64[2]: stepped, skipped
    bool low() const { return is_low(slots[0].parameter->dtype); }
    bool has_masters() const { return low() && options.rounding == MPT_ROUNDING_MASTER; }
};

// A tensor that the rule keeps for each parameter.
struct RuleState {
    const char *name;  // in checkpoints
    double initial = 0;
};

// Updates are no part of the graph, and no policy changes them.
class UpdateScope : public ScopeGuard {
public:
    explicit UpdateScope(Context &ctx) : ScopeGuard(ctx) {
        ctx.scope.grad = false;
        ctx.scope.policy = nullptr;
    }
};

// What an op writes together with each of the parameters, as lists of parameters.size(): their low-precision copies; or, where it updates
// masters, the parameters themselves. A copy is always of the parameter, as it is after a checkpoint: never of its master.
std::vector<Ref<Tensor>> copy_lists(const std::vector<Ref<Tensor>> &parameters, bool masters);

}  // namespace mpt

struct mpt_optimizer : mpt::Object {
    mpt_optimizer(mpt_context &context, double base, double decay, std::vector<mpt::RuleState> rule_states);

    void add_group(const std::string &name, const std::vector<mpt::Ref<mpt::Tensor>> &parameters, const mpt::GroupOptions &options,
                   const char *argument = "params");
    void unscale(mpt_scaler &scaler);
    void step(mpt_scaler *scaler);
    // Makes the state of every parameter now: for checkpoints.
    void make_state();
    // The tensor that is updated: the parameter itself, or its f32 master.
    mpt::Ref<mpt::Tensor> master(const mpt::Group &group, const mpt::Slot &slot) const;

    mpt::Ref<mpt_context> ctx;
    const std::uint64_t number;  // never used again, unlike an address
    const std::vector<mpt::RuleState> states;
    double max_norm = 0, max_value = 0;
    std::optional<mpt_attrs_schedule> schedule;
    // f32 scalars. rate: what the last step used, NaN before; norm: before any clipping, clipped_norm: behind clipping by value.
    mpt::Ref<mpt::Tensor> lr, rate, norm, clipped_norm;
    std::vector<mpt::Group> groups;

protected:
    void dispose() override { ctx->dispose(this); }
    // The rule's op.
    virtual void update(const mpt_attrs_update &common, const mpt::ops::UpdateOperands &operands) = 0;

private:
    void make_state(const mpt::Group &group, mpt::Slot &slot);
    std::vector<mpt::Ref<mpt::Tensor>> gradients() const;
    void measure(const mpt::Ref<mpt::Tensor> &scale, const mpt::Ref<mpt::Tensor> &found, const std::vector<mpt::Ref<mpt::Tensor>> &grads);
    void update_group(mpt::Group &group, mpt::ops::UpdateOperands operands);

    const double decay_;
};

namespace mpt {

Ref<mpt_optimizer> new_sgd(Context &ctx, const mpt_sgd_desc &desc);
Ref<mpt_optimizer> new_adam(Context &ctx, const mpt_adam_desc &desc, bool decoupled);
Ref<mpt_optimizer> new_lamb(Context &ctx, const mpt_adam_desc &desc);
Ref<mpt_optimizer> new_adagrad(Context &ctx, const mpt_adagrad_desc &desc);
Ref<mpt_optimizer> new_adadelta(Context &ctx, const mpt_adadelta_desc &desc);
Ref<mpt_optimizer> new_rmsprop(Context &ctx, const mpt_rmsprop_desc &desc);

}  // namespace mpt
