#include "core/error.h"
#include "ops/loss.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[static_cast<std::size_t>(call.attrs.as<mpt_attrs_pointwise_loss>().side)];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}
constexpr Op kGrad{.name = "pointwise_loss_grad", .kernel = "pointwise_loss_grad", .infer = infer_grad};

// In the order of MPT_LOSS_*: what a caller knows the op and its first argument by.
constexpr const char *kNames[] = {"mse", "l1", "huber", "bce_with_logits", "kl_div", "hinge", "cosine_embedding"};
constexpr const char *first_argument(std::int32_t kind) {
    return kind == MPT_LOSS_BCE_LOGITS ? "logits" : kind == MPT_LOSS_KL ? "log_prediction" : "prediction";
}

void infer_loss(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &target = *call.in[1];
    const auto &attrs = call.attrs.as<mpt_attrs_pointwise_loss>();
    const char *first = first_argument(attrs.kind);
    ops::need_floating(x, first);
    ops::need_floating(target, "target");
    if (!(target.shape == x.shape))
        fail(MPT_ERROR_SHAPE, "argument 'target' has shape ", target.shape, " but '", first, "' has ", x.shape,
             ": they must be equal");
    out.push_back(ops::loss_form(wide(promote(x.dtype, target.dtype)), x.shape, x.strides, attrs.reduction));
}

void loss_gradient(GradRule &g) {
    auto attrs = g.attrs().as<mpt_attrs_pointwise_loss>();
    const int sides = attrs.kind == MPT_LOSS_COSINE ? 1 : 2;  // its targets are signs
    for (attrs.side = 0; attrs.side < sides; ++attrs.side)
        if (g.needs(attrs.side)) g.give(attrs.side, emit1(g.ctx(), kGrad, {g.in(0), g.in(1), g.dout(0)}, attrs));
}

constexpr Op loss_op(int kind) {
    Op op{};
    op.name = kNames[kind];
    op.kernel = "pointwise_loss";
    op.precision = Precision::F32Result;
    op.infer = infer_loss;
    op.gradient = loss_gradient;
    op.saves_in = 3;
    return op;
}
constexpr Op kLosses[] = {loss_op(MPT_LOSS_MSE), loss_op(MPT_LOSS_L1),    loss_op(MPT_LOSS_HUBER), loss_op(MPT_LOSS_BCE_LOGITS),
                          loss_op(MPT_LOSS_KL),  loss_op(MPT_LOSS_HINGE), loss_op(MPT_LOSS_COSINE)};
const RegisteredOps registered_0(kLosses), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::pointwise_loss(const Ref<Tensor> &prediction, const Ref<Tensor> &target, int kind, mpt_reduction reduction,
                                double parameter) {
    return emit1(*prediction->ctx, kLosses[kind], {prediction, target}, mpt_attrs_pointwise_loss{reduction, kind, 0, parameter});
}

}  // namespace mpt
