#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// What the gradients need beside the kernel's attributes, which come first: the extents they cannot see in their operands.
struct ConvAttrs {
    mpt_attrs_conv2d conv;
    std::int64_t extent[2];  // dgrad: H, W of x; wgrad: KH, KW
    std::int64_t bias;       // wgrad: also the bias gradient
};
void narrow(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_conv2d); }

std::int64_t out_extent(std::int64_t in, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
    const std::int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}

void infer_conv2d(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &w = *call.in[1];
    const Tensor *bias = call.in[2].get();
    const auto &a = call.attrs.as<mpt_attrs_conv2d>();
    if (x.shape.n != 4) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": images are [N, C, H, W]");
    if (w.shape.n != 4) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": filters are [O, C/groups, KH, KW]");
    if (w.shape[2] == 0 || w.shape[3] == 0) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": KH and KW are at least 1");
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    if (w.dtype != x.dtype) fail(MPT_ERROR_DTYPE, "argument 'weight' is ", dtype_name(w.dtype), " but 'x' is ", dtype_name(x.dtype), ": cast one of them");
    if (x.shape[1] != w.shape[1] * a.groups)
        fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": with ", a.groups, " groups it takes ", w.shape[1] * a.groups, " channels, but 'x' ", x.shape, " has ", x.shape[1]);
    if (w.shape[0] % a.groups != 0) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": its first extent is not a multiple of groups = ", a.groups);
    if (bias) {
        if (!(bias->shape == Dims{w.shape[0]})) fail(MPT_ERROR_SHAPE, "argument 'bias' has shape ", bias->shape, ": it must be [", w.shape[0], "]");
        if (bias->dtype != x.dtype && bias->dtype != wide(x.dtype))
            fail(MPT_ERROR_DTYPE, "argument 'bias' is ", dtype_name(bias->dtype), ": with 'x' of ", dtype_name(x.dtype), " it is that or ", dtype_name(wide(x.dtype)));
    }
    Dims shape{x.shape[0], w.shape[0], 0, 0};
    for (int i = 0; i < 2; ++i) {
        shape[2 + i] = out_extent(x.shape[2 + i], w.shape[2 + i], a.stride[i], a.padding[i], a.dilation[i]);
        if (shape[2 + i] < 1)
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": with padding ", a.padding[i], " it is smaller than the filter ", w.shape, " with dilation ", a.dilation[i]);
    }
    out.push_back({x.dtype, shape, channels_last(shape)});
}

void infer_dgrad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0], &w = *call.in[1];
    const auto &a = call.attrs.as<ConvAttrs>();
    const Dims shape{dy.shape[0], w.shape[1] * a.conv.groups, a.extent[0], a.extent[1]};
    out.push_back({dy.dtype, shape, channels_last(shape)});
}

void infer_wgrad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &dy = *call.in[1];
    const auto &a = call.attrs.as<ConvAttrs>();
    const mpt_dtype dtype = wide(x.dtype);
    const Dims shape{dy.shape[1], x.shape[1] / a.conv.groups, a.extent[0], a.extent[1]};
    out.push_back({dtype, shape, contiguous(shape)});
    out.push_back({a.bias ? dtype : MPT_DTYPE_NONE, Dims{dy.shape[1]}, Dims{1}});
}

constexpr Op kDgrad{.name = "conv2d_dgrad", .kernel = "conv2d_dgrad", .precision = Precision::Lower, .infer = infer_dgrad, .arrange = narrow};
constexpr Op kWgrad{.name = "conv2d_wgrad", .kernel = "conv2d_wgrad", .precision = Precision::Lower, .infer = infer_wgrad, .arrange = narrow};

void conv2d_gradient(GradRule &g) {
    ConvAttrs a{g.attrs().as<mpt_attrs_conv2d>(), {}, 0};
    if (g.needs(0)) {
        RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
        for (int i = 0; i < 2; ++i) a.extent[i] = g.in_form(0).shape[2 + i];
        g.give(0, emit1(g.ctx(), kDgrad, {g.dout(0), g.in(1)}, a));
    }
    RoleScope role(g.ctx(), MPT_ROLE_WEIGHT_GRADIENT);
    if (g.needs(1) || g.needs(2)) {
        for (int i = 0; i < 2; ++i) a.extent[i] = g.in_form(1).shape[2 + i];
        a.bias = g.needs(2);
        Call call{&kWgrad, {g.in(0), g.dout(0)}, {}, a};
        call.out.emplace_back(g.needs(1) ? wide_target(g, 1) : nullptr);
        call.out.emplace_back(g.needs(2) ? wide_target(g, 2) : nullptr);
        emit(g.ctx(), call);
        if (g.needs(1)) g.give(1, call.out[0]);
        if (g.needs(2)) g.give(2, call.out[1]);
    }
}

constexpr Op kConv2d{.name = "conv2d",
                     .kernel = "conv2d",
                     .precision = Precision::Lower,
                     .cast = 3,  // the bias is added in f32 as it is
                     .infer = infer_conv2d,
                     .gradient = conv2d_gradient,
                     .saves_in = 3,
                     .crosswise = true};
const RegisteredOps registered_0(kConv2d), registered_1(kDgrad), registered_2(kWgrad);

}  // namespace

Ref<Tensor> ops::conv2d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const mpt_attrs_conv2d &attrs) {
    return emit1(*x->ctx, kConv2d, {x, weight, bias}, attrs);
}

}  // namespace mpt
