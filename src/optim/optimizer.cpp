#include "optim/optimizer.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "core/error.h"
#include "engine/shadow.h"

using namespace mpt;

namespace {
std::atomic<std::uint64_t> numbers{0};

// Updates are no part of the graph, and no policy changes them.
class UpdateScope : public ScopeGuard {
public:
    explicit UpdateScope(Context &ctx) : ScopeGuard(ctx) {
        ctx.scope.grad = false;
        ctx.scope.policy = nullptr;
    }
};

Ref<Tensor> zeros(Context &ctx, mpt_dtype dtype, const Dims &shape, const Dims &strides) {
    Ref<Tensor> t = new_tensor(ctx, dtype, shape, strides);
    ops::fill_now(t, 0);
    return t;
}
}  // namespace

mpt_optimizer::mpt_optimizer(mpt_context &context, double rate)
    : ctx(&context), number(++numbers), lr(new_tensor(context, MPT_F32, {})), norm(new_tensor(context, MPT_F32, {})) {
    ops::fill_now(lr, rate);
    ops::fill_now(norm, std::numeric_limits<double>::quiet_NaN());
}

void mpt_optimizer::add_group(const std::string &name, const std::vector<Ref<Tensor>> &parameters, double lr_scale, double weight_decay_scale,
                              const char *argument) {
    for (const Group &g : groups)
        if (g.name == name) fail(MPT_ERROR_ARGUMENT, "argument 'name': the optimizer has a group '", name, "' already: choose another name");
    Group group{name, lr_scale, weight_decay_scale, {}, {}, {}};
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
        if (is_low(p->dtype) && !shadow::covers_storage(*p))
            fail(MPT_ERROR_SHAPE, "argument 'params': parameter ", i, " is ", dtype_name(p->dtype), " and only a part of its memory, so it can keep no f32 master: use a tensor of its own");
        group.slots.push_back({p, {}, {}});
    }
    group.step = zeros(*ctx, MPT_I64, {}, {});
    group.counts = zeros(*ctx, MPT_I64, {2}, {1});
    groups.push_back(std::move(group));
}

Ref<Tensor> mpt_optimizer::master(const Slot &slot) const {
    return is_low(slot.parameter->dtype) ? shadow::get(slot.parameter, MPT_F32) : slot.parameter;
}

void mpt_optimizer::make_state(Slot &slot) {
    const Tensor &p = *slot.parameter;
    if (moments() > 0 && !slot.first) slot.first = zeros(*ctx, wide(p.dtype), p.shape, p.strides);
    master(slot);
    if (moments() > 1 && !slot.second) slot.second = zeros(*ctx, wide(p.dtype), p.shape, p.strides);
}

void mpt_optimizer::make_state() {
    UpdateScope scope(*ctx);
    for (Group &group : groups)
        for (Slot &slot : group.slots) {
            make_state(slot);
        }
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
    ops::grad_norm(scaler.scale, grads, slot.found, norm);
    ops::unscale(scaler.scale, grads);
    scaler.move(slot, mpt_scaler::Stage::Unscaled);
}

void mpt_optimizer::step(mpt_scaler *scaler) {
    UpdateScope scope(*ctx);
    const std::vector<Ref<Tensor>> grads = gradients();
    // All state first: when memory runs out, no group has stepped yet.
    for (Group &group : groups)
        for (Slot &slot : group.slots)
            if (slot.active()) make_state(slot);
    ops::UpdateOperands operands;
    operands.lr = lr;
    mpt_scaler::Slot *slot = scaler ? &scaler->slot(number) : nullptr;
    if (slot) {
        scaler->check_step(*slot);
        operands.found = slot->found;
        if (slot->stage != mpt_scaler::Stage::Unscaled) {
            operands.scale = scaler->scale;
            ops::grad_norm(scaler->scale, grads, slot->found, norm);
        } else if (max_norm > 0) {  // the host may have changed the gradients since it unscaled them
            ops::grad_norm(nullptr, grads, slot->found, norm);
        }
    } else if (max_norm > 0) {
        const Ref<Tensor> ignored = ops::full(*ctx, MPT_F32, {}, 0);
        ops::grad_norm(nullptr, grads, ignored, norm);
    }
    if (max_norm > 0) operands.norm = norm;
    for (Group &group : groups) update_group(group, operands);
    if (slot) scaler->move(*slot, mpt_scaler::Stage::Stepped);
}

void mpt_optimizer::update_group(Group &group, ops::UpdateOperands o) {
    o.step = group.step;
    o.counts = group.counts;
    std::vector<std::vector<Ref<Tensor>>> copies;  // per tensor
    std::vector<Ref<Tensor>> updated;
    for (Slot &slot : group.slots) {
        if (!slot.active()) continue;
        updated.push_back(slot.parameter);
        o.grads.push_back(slot.parameter->grad);
        o.masters.push_back(master(slot));
        if (moments() > 0) o.first.push_back(slot.first);
        if (moments() > 1) o.second.push_back(slot.second);
        std::vector<Ref<Tensor>> own = shadow::copies(*slot.parameter);
        if (is_low(slot.parameter->dtype)) own.push_back(slot.parameter);
        copies.push_back(std::move(own));
    }
    if (updated.empty()) return;
    std::size_t lists = 0;
    for (const auto &own : copies) lists = std::max(lists, own.size());
    for (std::size_t c = 0; c < lists; ++c)
        for (const auto &own : copies) o.copies.push_back(c < own.size() ? own[c] : Ref<Tensor>());
    update(group, o);
    for (const Ref<Tensor> &p : updated) shadow::refreshed(*p);
}
