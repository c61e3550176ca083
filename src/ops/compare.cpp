// Comparisons, logic and predicates: BOOL results, no gradients.
#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "ops/elementwise.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_compare(const Call &call, std::vector<Spec> &out) {
    const Tensor &a = *call.in[0], &b = *call.in[1];
    const bool logical = call.attrs.as<mpt_attrs_compare>().kind >= MPT_COMPARE_AND;
    for (const auto &[x, name] : {std::pair(&a, "a"), std::pair(&b, "b")}) {
        if (logical && x->dtype != MPT_BOOL)
            fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x->dtype), ": '", call.op->name, "' takes bool, cast it or compare it with 0 first");
        if (is_f8(x->dtype)) fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x->dtype), ", which is not compared: cast it first");
    }
    if (a.dtype != b.dtype)
        fail(MPT_ERROR_DTYPE, "argument 'b' is ", dtype_name(b.dtype), " but 'a' is ", dtype_name(a.dtype), ": cast one of them");
    Dims shape;
    if (!broadcast(a.shape, b.shape, shape))
        fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b.shape, ", which does not broadcast with ", a.shape, " of 'a'");
    out.push_back(broadcast_form(MPT_BOOL, shape, {&a, &b}));
}

void infer_predicate(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    if (call.attrs.as<mpt_attrs_predicate>().kind == MPT_PREDICATE_NOT ? is_f8(x.dtype) : !is_floating(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which '", call.op->name, "' does not take: cast it first");
    out.push_back({MPT_BOOL, x.shape, dense_like(x.shape, x.strides)});
}

constexpr Op compare_op(const char *name) {
    Op op{};
    op.name = name;
    op.kernel = "compare";
    op.precision = Precision::Promote;
    op.infer = infer_compare;
    op.arrange = arrange_broadcast;
    return op;
}
constexpr Op predicate_op(const char *name) {
    Op op{};
    op.name = name;
    op.kernel = "predicate";
    op.infer = infer_predicate;
    return op;
}
// In the orders of MPT_COMPARE_* and MPT_PREDICATE_*.
constexpr Op kCompare[] = {compare_op("equal"),         compare_op("not_equal"),   compare_op("less"),
                           compare_op("less_equal"),    compare_op("greater"),     compare_op("greater_equal"),
                           compare_op("logical_and"),   compare_op("logical_or"),  compare_op("logical_xor")};
constexpr Op kPredicate[] = {predicate_op("isnan"), predicate_op("isinf"), predicate_op("isfinite"), predicate_op("logical_not")};
const RegisteredOps registered_0(kCompare), registered_1(kPredicate);

}  // namespace

Ref<Tensor> ops::compare(const Ref<Tensor> &a, const Ref<Tensor> &b, int kind) {
    return emit1(*a->ctx, kCompare[kind], {a, b}, mpt_attrs_compare{kind});
}

Ref<Tensor> ops::predicate(const Ref<Tensor> &x, int kind) { return emit1(*x->ctx, kPredicate[kind], {x}, mpt_attrs_predicate{kind}); }

}  // namespace mpt
