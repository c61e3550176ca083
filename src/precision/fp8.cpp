#include "precision/fp8.h"

#include <cmath>

#include "ops/ops.h"

namespace mpt::fp8 {

namespace {

double limit_of(const mpt_fp8_desc &recipe, Operand operand) {
    return std::ldexp(ops::fp8_limit(operand == Gradient ? recipe.backward : recipe.forward), -recipe.margin);
}

Ref<Tensor> zeros(Context &ctx, mpt_dtype dtype, const Dims &shape) {
    Ref<Tensor> t = new_tensor(ctx, dtype, shape);
    ops::fill_now(t, 0);
    return t;
}

// A forward without gradients (an evaluation) leaves no trace in histories.
Ref<Tensor> quantize(Context &ctx, const Ref<Tensor> &x, const mpt_fp8_desc &recipe, Operand operand, const Ref<Scaling> &scaling) {
    const mpt_dtype dtype = operand == Gradient ? recipe.backward : recipe.forward;
    Ref<Tensor> q;
    if (recipe.recipe == MPT_FP8_UNSCALED) {
        q = ops::cast(x, dtype);
    } else {
        const bool delayed = recipe.recipe == MPT_FP8_DELAYED && scaling;
        const Scaling::Slot slot = delayed ? scaling->slots[operand] : Scaling::Slot{};
        q = ops::quantize(x, dtype, limit_of(recipe, operand), slot.scale, ctx.scope.grad || operand == Gradient ? slot.amax : nullptr);
    }
    q->scaling = scaling;
    return q;
}

// Weight gradients leave the product in f32: nothing is rounded before the optimizer. The rest has the policy's type.
mpt_dtype result_of(const Context &ctx, const mpt_policy *policy, const Call &call) {
    if (!call.out.empty() && call.out[0]) return call.out[0]->dtype;
    if (call.result != MPT_DTYPE_NONE) return call.result;
    return policy && ctx.scope.role != MPT_ROLE_WEIGHT_GRADIENT ? policy->dtype : MPT_F32;
}

}  // namespace

Scaling::Scaling(Context &ctx, const mpt_fp8_desc &r) : recipe(r) {
    if (recipe.recipe != MPT_FP8_DELAYED) return;
    for (Slot &slot : slots)
        slot = {zeros(ctx, MPT_F32, {recipe.history}), zeros(ctx, MPT_F32, {}), zeros(ctx, MPT_F32, {}), zeros(ctx, MPT_I64, {})};
}

Ref<Scaling> kept_scaling(const Tensor &weight, const mpt_fp8_desc &recipe) {
    const auto same = [&](const mpt_fp8_desc &r) {
        return r.history == recipe.history && r.margin == recipe.margin && r.forward == recipe.forward && r.backward == recipe.backward;
    };
    auto *kept = static_cast<Scaling *>(weight.scaling.get());
    while (kept && !same(kept->recipe)) kept = kept->next.get();
    return Ref<Scaling>(kept);
}

Ref<Scaling> scaling_of(const Ref<Tensor> &weight, const mpt_fp8_desc &recipe) {
    Ref<Scaling> scaling = kept_scaling(*weight, recipe);
    if (!scaling) {
        scaling = make<Scaling>(*weight->ctx, recipe);
        scaling->next = Ref<Scaling>(static_cast<Scaling *>(weight->scaling.get()));
        weight->scaling = scaling;
    }
    return scaling;
}

bool convert(Context &ctx, const mpt_policy *policy, Call &call) {
    if (call.op->precision != Precision::Lower || call.in.size() < 2) return false;
    Ref<Tensor> &a = call.in[0], &b = call.in[1];
    const Tensor *quantized = is_f8(a->dtype) && a->scaling ? a.get() : is_f8(b->dtype) && b->scaling ? b.get() : nullptr;
    if (quantized) {  // a gradient of an fp8 product
        const bool in_fp8 = !policy || policy->runs_fp8(*call.op, ctx.scope.role, ctx.scope.layer);
        const Ref<Scaling> scaling(static_cast<Scaling *>(quantized->scaling.get()));
        for (Ref<Tensor> *x : {&a, &b}) {
            if (!in_fp8)
                *x = ops::dequantize(*x, policy->target(*call.op, ctx.scope.role, ctx.scope.layer));
            else if (!is_f8((*x)->dtype))
                *x = quantize(ctx, *x, scaling->recipe, Gradient, scaling);
        }
        if (in_fp8) call.result = result_of(ctx, policy, call);
        return true;
    }
    if (!policy || ctx.scope.role != MPT_ROLE_FORWARD || !call.op->fp8 || !policy->runs_fp8(*call.op, ctx.scope.role, ctx.scope.layer)) return false;
    if (!is_floating(a->dtype) || !is_floating(b->dtype) || a->dtype == MPT_F64 || b->dtype == MPT_F64) return false;
    // A weight that is no parameter (a part of one, or computed) has no place for histories: its scales are this tensor's own, as they are
    // before the first step. A forward without gradients makes no histories either.
    mpt_fp8_desc recipe = policy->recipe;
    Ref<Scaling> scaling;
    if (recipe.recipe == MPT_FP8_DELAYED && b->parameter) scaling = ctx.scope.grad ? scaling_of(b, recipe) : kept_scaling(*b, recipe);
    if (!scaling) {
        if (recipe.recipe == MPT_FP8_DELAYED) recipe.recipe = MPT_FP8_CURRENT;
        scaling = make<Scaling>(ctx, recipe);
    }
    call.result = result_of(ctx, policy, call);
    a = quantize(ctx, a, scaling->recipe, Input, scaling);
    b = quantize(ctx, b, scaling->recipe, Weight, scaling);
    return true;
}

void update(const std::vector<Ref<Tensor>> &parameters) {
    ops::Fp8Slots slots;
    const mpt_fp8_desc *recipe = nullptr;
    const auto flush = [&] {
        if (slots.amax.empty()) return;
        ops::fp8_update(slots, {limit_of(*recipe, Input), limit_of(*recipe, Weight), limit_of(*recipe, Gradient)});
        slots = {};
    };
    for (const Ref<Tensor> &p : parameters) {
        for (const auto *scaling = static_cast<const Scaling *>(p->scaling.get()); scaling; scaling = scaling->next.get()) {
            if (recipe && limit_of(*recipe, Input) != limit_of(scaling->recipe, Input)) flush();
            if (recipe && limit_of(*recipe, Gradient) != limit_of(scaling->recipe, Gradient)) flush();
            recipe = &scaling->recipe;
            for (const Scaling::Slot &slot : scaling->slots) {
                slots.history.push_back(slot.history);
                slots.amax.push_back(slot.amax);
                slots.scale.push_back(slot.scale);
                slots.position.push_back(slot.position);
            }
        }
    }
    flush();
}

}  // namespace mpt::fp8
