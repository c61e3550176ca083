#include "core/error.h"
#include "device/attrs/softmax.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_softmax(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    out.push_back({call.result == MPT_DTYPE_NONE ? x.dtype : call.result, x.shape, dense_like(x.shape, x.strides)});
}
void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &y = *call.in[1];
    out.push_back({call.result, y.shape, dense_like(y.shape, y.strides)});
}
constexpr Op kGrad{.name = "softmax_grad", .kernel = "softmax_grad", .infer = infer_grad};

void softmax_gradient(GradRule &g) {
    g.give(0, emit1(g.ctx(), kGrad, {g.dout(0), g.out(0)}, g.attrs(), nullptr, g.in_form(0).dtype));
}

constexpr Op softmax_op(const char *name) {
    Op op{};
    op.name = name;
    op.kernel = "softmax";
    op.precision = Precision::F32Result;
    op.infer = infer_softmax;
    op.gradient = softmax_gradient;
    op.saves_out = 1;
    return op;
}
constexpr Op kSoftmax = softmax_op("softmax"), kLogSoftmax = softmax_op("log_softmax");
const RegisteredOps registered_0(kSoftmax), registered_1(kLogSoftmax), registered_2(kGrad);

}  // namespace

Ref<Tensor> ops::softmax(const Ref<Tensor> &x, int dim, bool log) {
    return emit1(*x->ctx, log ? kLogSoftmax : kSoftmax, {x}, mpt_attrs_softmax{dim, log});
}

}  // namespace mpt
