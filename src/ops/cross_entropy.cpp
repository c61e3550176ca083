#include "core/error.h"
#include "ops/loss.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// Operands: logits or log-probabilities, target, weight.
void check_classes(const Call &call, const char *name, bool probabilities) {
    const Tensor &x = *call.in[0], &target = *call.in[1];
    const Tensor *weight = call.in[2].get();
    ops::need_floating(x, name);
    if (x.shape.n != 2) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", x.shape, ": it is [N, C], reshape it");
    if (probabilities && is_floating(target.dtype)) {
        if (!(target.shape == x.shape))
            fail(MPT_ERROR_SHAPE, "argument 'target' has shape ", target.shape, ": probabilities have the shape of '", name, "', ",
                 x.shape);
    } else {
        if (!is_index(target.dtype))
            fail(MPT_ERROR_DTYPE, "argument 'target' is ", dtype_name(target.dtype), ": class indices are u8, i32 or i64",
                 probabilities ? ", probabilities floating" : "");
        if (!(target.shape == Dims{x.shape[0]}))
            fail(MPT_ERROR_SHAPE, "argument 'target' has shape ", target.shape, ": it must be [", x.shape[0],
                 "], one index per row of '", name, "'");
    }
    if (!weight) return;
    if (!(weight->shape == Dims{x.shape[1]}))
        fail(MPT_ERROR_SHAPE, "argument 'params': weight has shape ", weight->shape, ": it must be [", x.shape[1],
             "], one per class");
    if (weight->dtype != wide(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument 'params': weight is ", dtype_name(weight->dtype), ": beside '", name, "' of ",
             dtype_name(x.dtype), " it is ", dtype_name(wide(x.dtype)), ", cast it");
}

void infer_cross_entropy(const Call &call, std::vector<Spec> &out) {
    check_classes(call, "logits", true);
    const Tensor &x = *call.in[0];
    const Dims rows{x.shape[0]};
    out.push_back(ops::loss_form(wide(x.dtype), rows, Dims{1}, call.attrs.as<mpt_attrs_cross_entropy>().reduction));
    out.push_back({wide(x.dtype), rows, Dims{1}});  // log-sum-exp and divisor, for the gradient
    out.push_back({wide(x.dtype), {}, {}});
}

void infer_nll(const Call &call, std::vector<Spec> &out) {
    check_classes(call, "log_probabilities", false);
    const Tensor &x = *call.in[0];
    out.push_back(ops::loss_form(wide(x.dtype), Dims{x.shape[0]}, Dims{1}, call.attrs.as<mpt_attrs_cross_entropy>().reduction));
    out.push_back({wide(x.dtype), {}, {}});  // the divisor
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}
// Like the scores, where a product has made them: its gradients read this one.
void infer_cross_entropy_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const Spec rows = rows_for_products(*x.ctx, x.dtype, x.shape);
    if (!(x.strides == rows.strides)) return infer_grad(call, out);
    out.push_back(rows);
}
constexpr Op kCrossEntropyGrad{.name = "cross_entropy_grad", .kernel = "cross_entropy_grad", .infer = infer_cross_entropy_grad};
constexpr Op kNllGrad{.name = "nll_grad", .kernel = "nll_grad", .infer = infer_grad};

Ref<Tensor> weight_of(GradRule &g) {
    return g.in_form(2).dtype == MPT_DTYPE_NONE ? nullptr : g.in(2);
}
void cross_entropy_gradient(GradRule &g) {
    if (g.needs(0))
        g.give(0, emit1(g.ctx(), kCrossEntropyGrad, {g.in(0), g.in(1), weight_of(g), g.out(1), g.out(2), g.dout(0)}, g.attrs()));
}
void nll_gradient(GradRule &g) {
    if (g.needs(0)) g.give(0, emit1(g.ctx(), kNllGrad, {g.in(0), g.in(1), weight_of(g), g.out(1), g.dout(0)}, g.attrs()));
}

constexpr Op class_loss(const char *name, void (*infer)(const Call &, std::vector<Spec> &), void (*gradient)(GradRule &),
                        unsigned saves_out) {
    Op op{};
    op.name = op.kernel = name;
    op.precision = Precision::F32Result;
    op.cast = 1;
    op.infer = infer;
    op.gradient = gradient;
    op.saves_in = 7;
    op.saves_out = saves_out;
    return op;
}
constexpr Op kCrossEntropy = class_loss("cross_entropy", infer_cross_entropy, cross_entropy_gradient, 6);
constexpr Op kNll = class_loss("nll", infer_nll, nll_gradient, 2);
const RegisteredOps registered_0(kCrossEntropy), registered_1(kCrossEntropyGrad), registered_2(kNll), registered_3(kNllGrad);

}  // namespace

Ref<Tensor> ops::cross_entropy(const Ref<Tensor> &logits, const Ref<Tensor> &target, const Ref<Tensor> &weight,
                               const mpt_attrs_cross_entropy &attrs) {
    // Probabilities in f64 make it an f64 loss.
    const bool widens = target->dtype == MPT_F64 && is_floating(logits->dtype);
    return emit1(*logits->ctx, kCrossEntropy, {widens ? cast(logits, MPT_F64) : logits, target, weight}, attrs);
}

Ref<Tensor> ops::nll(const Ref<Tensor> &log_probabilities, const Ref<Tensor> &target, const Ref<Tensor> &weight,
                     const mpt_attrs_cross_entropy &attrs) {
    return emit1(*log_probabilities->ctx, kNll, {log_probabilities, target, weight}, attrs);
}

}  // namespace mpt
