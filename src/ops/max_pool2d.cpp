#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

struct PoolGradAttrs {
    mpt_attrs_pool2d pool;   // the kernel's
    std::int64_t extent[2];  // H, W of x
};

void infer_max_pool2d(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &a = call.attrs.as<mpt_attrs_pool2d>();
    if (x.shape.n != 4) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": images are [N, C, H, W]");
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    Dims shape = x.shape;
    for (int i = 0; i < 2; ++i) {
        const std::int64_t room = x.shape[2 + i] + 2 * a.padding[i] - a.kernel[i];
        if (room < 0) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": with padding ", a.padding[i], " it is smaller than the window of ", a.kernel[i]);
        shape[2 + i] = room / a.stride[i] + 1;
    }
    const Dims strides = dense_like(shape, x.strides);
    out.push_back({x.dtype, shape, strides});
    out.push_back({a.kernel[0] * a.kernel[1] <= 256 ? MPT_U8 : MPT_I32, shape, strides});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0];
    const auto &a = call.attrs.as<PoolGradAttrs>();
    const Dims shape{dy.shape[0], dy.shape[1], a.extent[0], a.extent[1]};
    out.push_back({dy.dtype, shape, dense_like(shape, call.in[1]->strides)});
}
void narrow(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_pool2d); }
constexpr Op kGrad{.name = "max_pool2d_grad", .kernel = "max_pool2d_grad", .infer = infer_grad, .arrange = narrow};

void max_pool2d_gradient(GradRule &g) {
    const Dims &x = g.in_form(0).shape;
    g.give(0, emit1(g.ctx(), kGrad, {g.dout(0), g.out(1)}, PoolGradAttrs{g.attrs().as<mpt_attrs_pool2d>(), {x[2], x[3]}}));
}

constexpr Op kMaxPool2d{.name = "max_pool2d", .kernel = "max_pool2d", .infer = infer_max_pool2d, .gradient = max_pool2d_gradient, .saves_out = 2};
const RegisteredOps registered_0(kMaxPool2d), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::max_pool2d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs) { return emit1(*x->ctx, kMaxPool2d, {x}, attrs); }

}  // namespace mpt
