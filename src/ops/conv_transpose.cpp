// Transposed convolutions: the kernels of conv2d with their parts exchanged. The forward is the gradient of conv2d's input, the
// gradient of the input is conv2d, and that of the weight is conv2d's with x and dy exchanged.
#include "core/error.h"
#include "device/attrs/reduce.h"
#include "ops/conv.h"
#include "ops/image.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void arrange_transpose(const Call &, KernelCall &kernel) {
    kernel.attrs_bytes = sizeof(mpt_attrs_conv2d);
    see_images(kernel);
}

template <int Rank>
void infer_transpose(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &w = *call.in[1];
    const Tensor *bias = call.in[2].get();
    const auto &how = call.attrs.as<ops::ConvTranspose>();
    const mpt_attrs_conv2d &a = how.conv;
    check_image(x, Rank);
    if (w.shape.n != Rank) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, Rank == kImage ? ": filters are [C, O/groups, KH, KW]" : ": filters are [C, O/groups, K]");
    for (int i = 2; i < Rank; ++i)
        if (w.shape[i] == 0) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, Rank == kImage ? ": KH and KW are at least 1" : ": K is at least 1");
    if (w.dtype != x.dtype) fail(MPT_ERROR_DTYPE, "argument 'weight' is ", dtype_name(w.dtype), " but 'x' is ", dtype_name(x.dtype), ": cast one of them");
    if (x.shape[1] != w.shape[0]) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": its first extent must be ", x.shape[1], ", the channels of 'x' ", x.shape);
    if (w.shape[0] % a.groups != 0) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": its first extent is not a multiple of groups = ", a.groups);
    const std::int64_t channels = w.shape[1] * a.groups;
    if (bias) {
        if (!(bias->shape == Dims{channels})) fail(MPT_ERROR_SHAPE, "argument 'bias' has shape ", bias->shape, ": it must be [", channels, "]");
        if (bias->dtype != x.dtype && bias->dtype != wide(x.dtype))
            fail(MPT_ERROR_DTYPE, "argument 'bias' is ", dtype_name(bias->dtype), ": with 'x' of ", dtype_name(x.dtype), " it is that or ", dtype_name(wide(x.dtype)));
    }
    Dims shape = x.shape;
    shape[1] = channels;
    for (int i = 0; i < spatial(Rank); ++i) {
        const int at = axis(i, Rank);
        std::int64_t &extent = shape[2 + i];
        if (extent == 0) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": there is nothing to transpose from");
        const std::int64_t filter = covered(w.shape, 2 + i, a.dilation[at]);
        if (__builtin_mul_overflow(extent - 1, std::int64_t{a.stride[at]}, &extent) || __builtin_add_overflow(extent, how.output_padding[at], &extent) ||
            __builtin_add_overflow(extent, filter, &extent))
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": the result is too large");
        extent -= 2 * std::int64_t{a.padding[at]};
        if (extent < 1) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": with padding ", a.padding[at], " nothing is left of the result");
    }
    out.push_back({x.dtype, shape, channels_innermost(shape)});
}

// The extents that the gradients cannot see in their operands.
struct GradAttrs {
    mpt_attrs_conv2d conv;  // the kernel's
    std::int64_t extent[2];
};
Dims with_extents(Dims shape, const GradAttrs &a) {
    for (int i = 0; i < spatial(shape.n); ++i) shape[2 + i] = a.extent[i];
    return shape;
}
GradAttrs grad_attrs(GradRule &g, const Dims &like) {
    GradAttrs a{g.attrs().as<ops::ConvTranspose>().conv, {}};
    for (int i = 0; i < spatial(like.n); ++i) a.extent[i] = like[2 + i];
    return a;
}

void infer_dgrad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0], &w = *call.in[1];
    Dims shape = with_extents(dy.shape, call.attrs.as<GradAttrs>());
    shape[1] = w.shape[0];
    out.push_back({dy.dtype, shape, channels_innermost(shape)});
}

void infer_wgrad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0], &x = *call.in[1];
    const auto &a = call.attrs.as<GradAttrs>();
    Dims shape = with_extents(x.shape, a);
    shape[0] = x.shape[1];
    shape[1] = dy.shape[1] / a.conv.groups;
    out.push_back({wide(x.dtype), shape, contiguous(shape)});
}

constexpr Op kDgrad{.name = "conv_transpose2d_dgrad", .kernel = "conv2d", .precision = Precision::Lower, .infer = infer_dgrad, .arrange = arrange_transpose};
constexpr Op kWgrad{.name = "conv_transpose2d_wgrad", .kernel = "conv2d_wgrad", .precision = Precision::Lower, .infer = infer_wgrad, .arrange = arrange_transpose};

void transpose_gradient(GradRule &g) {
    const Ref<Tensor> &dy = g.dout(0);
    if (g.needs(0)) {
        RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
        g.give(0, emit1(g.ctx(), kDgrad, {dy, g.in(1), nullptr}, grad_attrs(g, g.in_form(0).shape)));
    }
    RoleScope role(g.ctx(), MPT_ROLE_WEIGHT_GRADIENT);
    if (g.needs(1)) g.give(1, emit1(g.ctx(), kWgrad, {dy, g.in(0)}, grad_attrs(g, g.in_form(1).shape), wide_target(g, 1)));
    if (g.needs(2)) g.give(2, ops::reduce(dy, MPT_REDUCE_SUM, all_but_channels(dy->shape.n), false, wide(dy->dtype)));
}

constexpr Op transpose_op(const char *name, void (*infer)(const Call &, std::vector<Spec> &)) {
    Op op{};
    op.name = name;
    op.kernel = "conv2d_dgrad";
    op.precision = Precision::Lower;
    op.cast = 3;
    op.follows = 4;  // the bias
    op.infer = infer;
    op.arrange = arrange_transpose;
    op.fp8 = true;
    op.gradient = transpose_gradient;
    op.saves_in = 3;
    op.crosswise = true;
    return op;
}
constexpr Op kConvTranspose2d = transpose_op("conv_transpose2d", infer_transpose<kImage>),
             kConvTranspose1d = transpose_op("conv_transpose1d", infer_transpose<kSignal>);
const RegisteredOps registered_0(kConvTranspose2d), registered_1(kConvTranspose1d), registered_2(kDgrad), registered_3(kWgrad);

}  // namespace

Ref<Tensor> ops::conv_transpose2d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const ConvTranspose &how) {
    return emit1(*x->ctx, kConvTranspose2d, {x, weight, bias}, how);
}
Ref<Tensor> ops::conv_transpose1d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const ConvTranspose &how) {
    return emit1(*x->ctx, kConvTranspose1d, {x, weight, bias}, how);
}

}  // namespace mpt
