#include "ops/dropout.h"

#include "core/error.h"
#include "device/attrs/dropout.h"
#include "ops/ops.h"
#include "ops/random.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_dropout(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    const Dims strides = dense_like(x.shape, x.strides);
    out.push_back({x.dtype, x.shape, strides});
    out.push_back({MPT_U8, x.shape, strides});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0], &mask = *call.in[1];
    out.push_back({dy.dtype, dy.shape, mask.strides});
}
constexpr Op kGrad{.name = "dropout_grad", .kernel = "dropout_grad", .cast = 1, .infer = infer_grad};

void dropout_gradient(GradRule &g) { g.give(0, emit1(g.ctx(), kGrad, {g.dout(0), g.out(1)}, g.attrs())); }

constexpr Op kDropout{.name = "dropout", .kernel = "dropout", .cast = 1, .infer = infer_dropout, .gradient = dropout_gradient, .saves_out = 2};
const RegisteredOps registered_0(kDropout), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::dropout(const Ref<Tensor> &x, double p) {
    if (!(p >= 0 && p < 1)) fail(MPT_ERROR_ARGUMENT, "argument 'p' is ", p, ": it must be from [0, 1)");
    Context &ctx = *x->ctx;
    const Ref<Tensor> y = emit1(ctx, kDropout, {x, random_state(ctx)}, mpt_attrs_dropout{p});
    advance_random(ctx, x->numel());
    return y;
}

}  // namespace mpt
