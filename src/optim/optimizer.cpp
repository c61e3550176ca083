#include "optim/optimizer.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "core/error.h"
#include "engine/shadow.h"
#include "precision/fp8.h"
#include "ops/ops.h"
#include "ops/together.h"

using namespace mpt;

namespace {
std::atomic<std::uint64_t> numbers{0};

Ref<Tensor> filled(Context &ctx, mpt_dtype dtype, const Dims &shape, const Dims &strides, double value) {
    Ref<Tensor> t = new_tensor(ctx, dtype, shape, strides);
    ops::fill_now(t, value);
    return t;
}

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
}  // namespace

mpt_optimizer::mpt_optimizer(mpt_context &context, double base, double decay, std::vector<RuleState> rule_states)
    : ctx(&context),
      number(++numbers),
      states(std::move(rule_states)),
      lr(filled(context, MPT_F32, {}, {}, base)),
      rate(filled(context, MPT_F32, {}, {}, kUnknown)),
      norm(filled(context, MPT_F32, {}, {}, kUnknown)),
      clipped_norm(filled(context, MPT_F32, {}, {}, kUnknown)),
      decay_(decay) {}

void mpt_optimizer::add_group(const std::string &name, const std::vector<Ref<Tensor>> &parameters, const GroupOptions &options, const char *argument) {
    for (const Group &g : groups)
        if (g.name == name) fail(MPT_ERROR_ARGUMENT, "argument 'name': the optimizer has a group '", name, "' already: choose another name");
    Group group{name, options, {}, {}, {}};
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Ref<Tensor> &p = parameters[i];
        const auto used = [&](const Slot &s) { return s.parameter->storage == p->storage && s.parameter->offset == p->offset; };
        bool twice = std::any_of(group.slots.begin(), group.slots.end(), used);
        for (const Group &g : groups) twice = twice || std::any_of(g.slots.begin(), g.slots.end(), used);
        if (twice) fail(MPT_ERROR_ARGUMENT, "argument '", argument, "': parameter ", i, " is in a group of this optimizer already: add it once");
        if (!p->requires_grad) fail(MPT_ERROR_STATE, "argument '", argument, "': parameter ", i, " asks for no gradient: call mpt_tensor_set_requires_grad first");
        if (p->dtype != parameters[0]->dtype)
            fail(MPT_ERROR_DTYPE, "argument '", argument, "': parameter ", i, " is ", dtype_name(p->dtype), " but parameter 0 is ", dtype_name(parameters[0]->dtype), ": make a group for each type");
        if (!is_dense(p->shape, p->strides)) fail(MPT_ERROR_SHAPE, "argument '", argument, "': parameter ", i, " has gaps in memory (strides ", p->strides, "): use a dense tensor");
        if (is_low(p->dtype) && options.rounding == MPT_ROUNDING_MASTER && !shadow::covers_storage(*p))
            fail(MPT_ERROR_SHAPE, "argument 'params': parameter ", i, " is ", dtype_name(p->dtype), " and only a part of its memory, so it can keep no f32 master: use a tensor of its own");
        if (p->dtype == MPT_F16 && options.rounding == MPT_ROUNDING_STOCHASTIC)
            fail(MPT_ERROR_DTYPE, "argument '", argument, "': parameter ", i, " is f16, but MPT_ROUNDING_STOCHASTIC is for bf16: use MPT_ROUNDING_MASTER or MPT_ROUNDING_KAHAN");
        group.slots.push_back({p, {}, {}});
    }
    group.step = filled(*ctx, MPT_I64, {}, {}, 0);
    group.counts = filled(*ctx, MPT_I64, {2}, {1}, 0);
    groups.push_back(std::move(group));
}

Ref<Tensor> mpt_optimizer::master(const Group &group, const Slot &slot) const {
    return group.has_masters() ? shadow::get(slot.parameter, MPT_F32) : slot.parameter;
}

void mpt_optimizer::make_state(const Group &group, Slot &slot) {
    const Tensor &p = *slot.parameter;
    if (slot.states.size() < states.size()) {
        std::vector<Ref<Tensor>> made;
        for (const RuleState &s : states) made.push_back(filled(*ctx, wide(p.dtype), p.shape, p.strides, s.initial));
        slot.states = std::move(made);
    }
    if (group.low() && group.options.rounding == MPT_ROUNDING_KAHAN && !slot.compensation)
        slot.compensation = filled(*ctx, p.dtype, p.shape, p.strides, 0);
    master(group, slot);
}

void mpt_optimizer::make_state() {
    UpdateScope scope(*ctx);
    for (Group &group : groups)
        for (Slot &slot : group.slots) make_state(group, slot);
}

std::vector<Ref<Tensor>> mpt_optimizer::gradients() const {
    std::vector<Ref<Tensor>> grads;
    for (const Group &group : groups)
        for (const Slot &slot : group.slots)
            if (slot.active()) grads.push_back(slot.parameter->grad);
    if (grads.empty()) fail(MPT_ERROR_STATE, "argument 'optimizer': none of its parameters has a gradient: call mpt_backward first");
    return grads;
}

void mpt_optimizer::unscale(mpt_scaler &scaler) {
    UpdateScope scope(*ctx);
    const std::vector<Ref<Tensor>> grads = gradients();
    mpt_scaler::Slot &slot = scaler.slot(number);
    scaler.check_unscale(slot);
    Together together(*ctx);
    ops::grad_norm(scaler.scale, grads, slot.found, norm, nullptr, 0);
    ops::unscale(scaler.scale, grads);
    together.run();
    scaler.move(slot, mpt_scaler::Stage::Unscaled);
}

void mpt_optimizer::measure(const Ref<Tensor> &scale, const Ref<Tensor> &found, const std::vector<Ref<Tensor>> &grads) {
    const bool both = max_norm > 0 && max_value > 0;
    ops::grad_norm(scale, grads, found, norm, both ? clipped_norm : nullptr, max_value);
}

void mpt_optimizer::step(mpt_scaler *scaler) {
    UpdateScope scope(*ctx);
    const std::vector<Ref<Tensor>> grads = gradients();
    for (Group &group : groups)
        for (Slot &slot : group.slots)
            if (slot.active()) make_state(group, slot);
    ops::UpdateOperands operands;
    operands.lr = lr;
    const bool clips = max_norm > 0 || max_value > 0;
    mpt_scaler::Slot *slot = scaler ? &scaler->slot(number) : nullptr;
    if (slot) scaler->check_step(*slot);
    Together together(*ctx);  // either all groups step or none
    if (slot) {
        operands.found = slot->found;
        if (slot->stage != mpt_scaler::Stage::Unscaled) {
            operands.scale = scaler->scale;
            measure(scaler->scale, slot->found, grads);
        } else if (clips) {  // the host may have changed the gradients since it unscaled them
            measure(nullptr, slot->found, grads);
        }
    } else if (clips) {
        measure(nullptr, ops::full(*ctx, MPT_F32, {}, 0), grads);
    }
    if (max_norm > 0) operands.norm = max_value > 0 ? clipped_norm : norm;
    for (Group &group : groups) update_group(group, operands);
    together.run();
    for (const Group &group : groups)
        for (const Slot &s : group.slots)
            if (s.active()) shadow::refreshed(*s.parameter, group.has_masters());
    if (slot) scaler->move(*slot, mpt_scaler::Stage::Stepped);
}

void mpt_optimizer::update_group(Group &group, ops::UpdateOperands o) {
    mpt_attrs_update common = {};
    common.weight_decay = decay_ * group.options.weight_decay_scale;
    common.lr_scale = group.options.lr_scale;
    common.max_norm = max_norm;
    common.max_value = max_value;
    common.rounding = group.low() ? group.options.rounding : MPT_ROUNDING_MASTER;
    std::vector<Ref<Tensor>> updated;
    for (const Slot &slot : group.slots) {
        if (!slot.active()) continue;
        updated.push_back(slot.parameter);
        o.grads.push_back(slot.parameter->grad);
        o.parameters.push_back(master(group, slot));
        if (common.rounding == MPT_ROUNDING_KAHAN) o.compensations.push_back(slot.compensation);
    }
    if (updated.empty()) return;
    for (std::size_t s = 0; s < states.size(); ++s)
        for (const Slot &slot : group.slots)
            if (slot.active()) o.states.push_back(slot.states[s]);
    o.copies = copy_lists(updated, group.has_masters());
    o.step = group.step;
    o.counts = group.counts;
    o.rate = rate;
    if (common.rounding == MPT_ROUNDING_STOCHASTIC) o.random = ops::random_state(*ctx);
    if (schedule) o.lr = ops::schedule(lr, group.step, *schedule);
    update(common, o);
    fp8::update(updated);
}

std::vector<Ref<Tensor>> mpt::copy_lists(const std::vector<Ref<Tensor>> &parameters, bool masters) {
    if (masters) return parameters;
    std::vector<std::vector<Ref<Tensor>>> copies;  // per parameter
    std::size_t lists = 0;
    for (const Ref<Tensor> &p : parameters) {
        copies.push_back(shadow::copies(*p));
        lists = std::max(lists, copies.back().size());
    }
    std::vector<Ref<Tensor>> flat;
    for (std::size_t c = 0; c < lists; ++c)
        for (const auto &own : copies) flat.push_back(c < own.size() ? own[c] : Ref<Tensor>());
    return flat;
}
