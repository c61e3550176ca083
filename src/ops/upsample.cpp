#include "core/error.h"
#include "device/attrs/upsample.h"
#include "ops/image.h"
#include "ops/pool.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// The kernels' attributes come first.
struct UpsampleAttrs {
    mpt_attrs_upsample2d upsample;
    std::int64_t extent[2];  // forward: H', W'; gradient: H, W of x
    std::int64_t rows;       // gradient: image rows lie innermost in x
};
Dims resized(const Dims &shape, const UpsampleAttrs &a) { return {shape[0], shape[1], a.extent[0], a.extent[1]}; }
void narrow(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_upsample2d); }

void infer_upsample(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    check_image(x, kImage);
    if (x.shape[2] < 1 || x.shape[3] < 1) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": its images have no pixels");
    const Dims shape = resized(x.shape, call.attrs.as<UpsampleAttrs>());
    checked_bytes(shape, x.dtype);
    out.push_back({x.dtype, shape, dense_like(shape, x.strides)});
}
void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0];
    const auto &a = call.attrs.as<UpsampleAttrs>();
    const Dims shape = resized(dy.shape, a);
    out.push_back({dy.dtype, shape, image_strides(shape, a.rows)});
}
constexpr Op kGrad{.name = "upsample2d_grad", .kernel = "upsample2d_grad", .infer = infer_grad, .arrange = narrow};

void upsample_gradient(GradRule &g) {
    UpsampleAttrs a = g.attrs().as<UpsampleAttrs>();
    for (int i = 0; i < 2; ++i) a.extent[i] = g.in_form(0).shape[2 + i];
    a.rows = rows_innermost(g.in_form(0).strides);
    g.give(0, emit1(g.ctx(), kGrad, {g.dout(0)}, a));
}

constexpr Op kUpsample{.name = "upsample2d", .kernel = "upsample2d", .infer = infer_upsample, .arrange = narrow, .gradient = upsample_gradient};
const RegisteredOps registered_0(kUpsample), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::upsample2d(const Ref<Tensor> &x, std::int64_t height, std::int64_t width, mpt_upsample_mode mode) {
    if (height < 1) fail(MPT_ERROR_ARGUMENT, "argument 'height' is ", height, ": it must be at least 1");
    if (width < 1) fail(MPT_ERROR_ARGUMENT, "argument 'width' is ", width, ": it must be at least 1");
    if (mode != MPT_UPSAMPLE_NEAREST && mode != MPT_UPSAMPLE_BILINEAR)
        fail(MPT_ERROR_ARGUMENT, "argument 'mode' is ", static_cast<int>(mode), ", which is none of mpt_upsample_mode");
    return emit1(*x->ctx, kUpsample, {x}, UpsampleAttrs{{mode}, {height, width}, 0});
}

}  // namespace mpt
