#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_cross_entropy(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &target = *call.in[1];
    if (x.shape.n != 2) fail(MPT_ERROR_SHAPE, "argument 'logits' has shape ", x.shape, ": it is [N, C], reshape it");
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'logits' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    if (!is_index(target.dtype)) fail(MPT_ERROR_DTYPE, "argument 'target' is ", dtype_name(target.dtype), ": class indices are u8, i32 or i64");
    if (!(target.shape == Dims{x.shape[0]})) fail(MPT_ERROR_SHAPE, "argument 'target' has shape ", target.shape, ": it must be [", x.shape[0], "], one index per row of 'logits'");
    const mpt_dtype dtype = wide(x.dtype);
    const Dims rows{x.shape[0]};
    if (call.attrs.as<mpt_attrs_loss>().reduction == MPT_REDUCTION_NONE)
        out.push_back({dtype, rows, Dims{1}});
    else
        out.push_back({dtype, {}, {}});
    out.push_back({dtype, rows, Dims{1}});  // log-sum-exp, for the gradient
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}
constexpr Op kGrad{.name = "cross_entropy_grad", .kernel = "cross_entropy_grad", .infer = infer_grad};

void cross_entropy_gradient(GradRule &g) {
    g.give(0, emit1(g.ctx(), kGrad, {g.in(0), g.in(1), g.out(1), g.dout(0)}, g.attrs()));
}

constexpr Op kCrossEntropy{.name = "cross_entropy",
                           .kernel = "cross_entropy",
                           .precision = Precision::F32,
                           .cast = 1,
                           .infer = infer_cross_entropy,
                           .gradient = cross_entropy_gradient,
                           .saves_in = 3,
                           .saves_out = 2};
const RegisteredOps registered_0(kCrossEntropy), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::cross_entropy(const Ref<Tensor> &logits, const Ref<Tensor> &target, mpt_reduction reduction) {
    return emit1(*logits->ctx, kCrossEntropy, {logits, target}, mpt_attrs_loss{reduction});
}

}  // namespace mpt
