#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_mse(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &target = *call.in[1];
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'prediction' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    if (target.dtype != x.dtype) fail(MPT_ERROR_DTYPE, "argument 'target' is ", dtype_name(target.dtype), " but 'prediction' is ", dtype_name(x.dtype), ": cast one of them");
    if (!(target.shape == x.shape)) fail(MPT_ERROR_SHAPE, "argument 'target' has shape ", target.shape, " but 'prediction' has ", x.shape, ": they must be equal");
    if (call.attrs.as<mpt_attrs_loss>().reduction == MPT_REDUCTION_NONE)
        out.push_back({wide(x.dtype), x.shape, dense_like(x.shape, x.strides)});
    else
        out.push_back({wide(x.dtype), {}, {}});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}
constexpr Op kGrad{.name = "mse_grad", .kernel = "mse_grad", .infer = infer_grad};

void mse_gradient(GradRule &g) {
    const Ref<Tensor> dx = emit1(g.ctx(), kGrad, {g.in(0), g.in(1), g.dout(0)}, g.attrs());
    if (g.needs(0)) g.give(0, dx);
    if (g.needs(1)) g.give(1, ops::unary(dx, MPT_UNARY_NEG));
}

constexpr Op kMse{.name = "mse", .kernel = "mse", .precision = Precision::F32, .infer = infer_mse, .gradient = mse_gradient, .saves_in = 3};
const RegisteredOps registered_0(kMse), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::mse(const Ref<Tensor> &prediction, const Ref<Tensor> &target, mpt_reduction reduction) {
    return emit1(*prediction->ctx, kMse, {prediction, target}, mpt_attrs_loss{reduction});
}

}  // namespace mpt
