#include "core/error.h"
#include "ops/elementwise.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_where(const Call &call, std::vector<Spec> &out) {
    const Tensor &condition = *call.in[0];
    const Tensor *a = call.in[1].get(), *b = call.in[2].get();  // at least one of them
    if (condition.dtype != MPT_BOOL)
        fail(MPT_ERROR_DTYPE, "argument 'condition' is ", dtype_name(condition.dtype), ", not bool: cast it or compare it with 0 first");
    const Tensor &first = a ? *a : *b;
    if (is_f8(first.dtype)) fail(MPT_ERROR_DTYPE, "argument 'a' is ", dtype_name(first.dtype), ", which is not chosen from: cast it first");
    Dims shape = condition.shape, joined;
    if (a) {
        if (!broadcast(shape, a->shape, joined))
            fail(MPT_ERROR_SHAPE, "argument 'a' has shape ", a->shape, ", which does not broadcast with ", shape, " of 'condition'");
        shape = joined;
    }
    if (b) {
        if (b->dtype != first.dtype)
            fail(MPT_ERROR_DTYPE, "argument 'b' is ", dtype_name(b->dtype), " but 'a' is ", dtype_name(first.dtype), ": cast one of them");
        if (!broadcast(shape, b->shape, joined))
            fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b->shape, ", which does not broadcast with ", shape, " of 'condition' and 'a'");
        shape = joined;
    }
    out.push_back(broadcast_form(first.dtype, shape, {&first, b ? b : &first, &condition}));
}

void where_gradient(GradRule &g) {
    if (g.needs(1)) g.give(1, ops::sum_to(ops::where(g.in(0), g.dout(0), nullptr), g.in_form(1).shape));
    if (g.needs(2)) g.give(2, ops::sum_to(ops::where(g.in(0), nullptr, g.dout(0)), g.in_form(2).shape));
}

constexpr Op where_op() {
    Op op{};
    op.name = op.kernel = "where";
    op.precision = Precision::Promote;
    op.infer = infer_where;
    op.arrange = arrange_broadcast;
    op.gradient = where_gradient;
    op.saves_in = 1;
    return op;
}
constexpr Op kWhere = where_op();
const RegisteredOps registered(kWhere);

}  // namespace

Ref<Tensor> ops::where(const Ref<Tensor> &condition, const Ref<Tensor> &a, const Ref<Tensor> &b) {
    return emit1(*condition->ctx, kWhere, {condition, a, b});
}

}  // namespace mpt
