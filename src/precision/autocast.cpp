#include "precision/autocast.h"

#include "engine/shadow.h"
#include "ops/ops.h"
#include "precision/fp8.h"
#include "precision/policy.h"

namespace mpt {

namespace {

// The inputs that a policy may change: f64 and integers pass untouched.
bool castable(const Ref<Tensor> &x) { return x && is_floating(x->dtype) && x->dtype != MPT_F64; }

// The widest floating type among the inputs that the op looks at.
mpt_dtype widest(const Call &call) {
    mpt_dtype dtype = MPT_DTYPE_NONE;
    for (std::size_t i = 0; i < call.in.size(); ++i) {
        const Ref<Tensor> &x = call.in[i];
        if (x && has_bit(call.op->cast, i) && is_floating(x->dtype)) dtype = dtype == MPT_DTYPE_NONE ? x->dtype : promote(dtype, x->dtype);
    }
    return dtype;
}

}  // namespace

void Autocast::convert(Ref<Tensor> &x, mpt_dtype dtype) {
    if (x->dtype == dtype) return;
    // A leaf born inside a capture has no memory that a copy could be made from before a run.
    if (!x->parameter || !is_low(dtype) || x->storage->state() != StorageState::Ready) {
        x = ops::cast(x, dtype);
        return;
    }
    // The copy itself is shared by every use; its place in the graph is not, so a copy made without gradients is never
    // the reason that a later use loses its own.
    Ref<Tensor> copy = shadow::get(x, dtype);
    if (ctx_.scope.grad && x->requires_grad) copy->leaf = x;
    x = copy;
}

void Autocast::emit(Call &call) {
    const Op &op = *call.op;
    const auto *policy = static_cast<const mpt_policy *>(ctx_.scope.policy.get());
    const bool quantized = fp8::convert(ctx_, policy, call);
    if (!quantized) convert_operands(policy, call);
    // A product's bias follows the policy; without one, and any mask, is added as it is, in the operands' type (the result's in fp8) or in
    // the wide one.
    if (op.precision == Precision::Lower)
        for (std::size_t i = 0; i < call.in.size(); ++i) {
            Ref<Tensor> &x = call.in[i];
            const mpt_dtype type = quantized ? call.result : call.in[0]->dtype;
            if (has_bit(op.cast, i) || !x || !is_floating(x->dtype) || x->dtype == type) continue;
            if (policy && has_bit(op.follows, i) && castable(x))
                convert(x, type);
            else if (x->dtype != wide(type))
                x = ops::cast(x, wide(type));
        }
    next_->emit(call);
}

void Autocast::convert_operands(const mpt_policy *policy, Call &call) {
    const Op &op = *call.op;
    mpt_dtype target = policy ? policy->target(op, ctx_.scope.role, ctx_.scope.layer) : MPT_DTYPE_NONE;
    if (policy && op.precision == Precision::F32Result && call.result == MPT_DTYPE_NONE && is_low(call.in[0]->dtype)) call.result = MPT_F32;
    const bool mixes = op.precision == Precision::Promote || op.precision == Precision::Lower || op.precision == Precision::F32;
    const mpt_dtype wide_type = mixes ? widest(call) : MPT_DTYPE_NONE;
    // One f64 operand makes the op an f64 op; without a policy mixed operands meet at the widest.
    if (wide_type == MPT_F64 || target == MPT_DTYPE_NONE) target = wide_type;
    if (target != MPT_DTYPE_NONE)
        for (std::size_t i = 0; i < call.in.size(); ++i)
            if (has_bit(op.cast, i) && castable(call.in[i])) convert(call.in[i], target);
}

}  // namespace mpt
