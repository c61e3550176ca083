#include "core/error.h"
#include "device/attrs/conv.h"
#include "device/attrs/reduce.h"
#include "ops/conv.h"
#include "ops/image.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// What the gradients need beside the kernel's attributes, which come first: the extents they cannot see in their operands.
struct ConvAttrs {
    mpt_attrs_conv2d conv;
    std::int64_t extent[2];  // dgrad: H, W of x; wgrad: KH, KW; signals use the second
    std::int64_t bias;       // wgrad: also the bias gradient
};
void arrange_conv(const Call &, KernelCall &kernel) {
    kernel.attrs_bytes = sizeof(mpt_attrs_conv2d);
    see_images(kernel);
}

template <int Rank>
void infer_conv(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &w = *call.in[1];
    const Tensor *bias = call.in[2].get();
    const auto &a = call.attrs.as<mpt_attrs_conv2d>();
    check_image(x, Rank);
    if (w.shape.n != Rank) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, Rank == kImage ? ": filters are [O, C/groups, KH, KW]" : ": filters are [O, C/groups, K]");
    for (int i = 2; i < Rank; ++i)
        if (w.shape[i] == 0) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, Rank == kImage ? ": KH and KW are at least 1" : ": K is at least 1");
    if (w.dtype != x.dtype) fail(MPT_ERROR_DTYPE, "argument 'weight' is ", dtype_name(w.dtype), " but 'x' is ", dtype_name(x.dtype), ": cast one of them");
    if (x.shape[1] != w.shape[1] * a.groups)
        fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": with ", a.groups, " groups it takes ", w.shape[1] * a.groups, " channels, but 'x' ", x.shape, " has ", x.shape[1]);
    if (w.shape[0] % a.groups != 0) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": its first extent is not a multiple of groups = ", a.groups);
    if (bias) {
        if (!(bias->shape == Dims{w.shape[0]})) fail(MPT_ERROR_SHAPE, "argument 'bias' has shape ", bias->shape, ": it must be [", w.shape[0], "]");
        if (bias->dtype != x.dtype && bias->dtype != wide(x.dtype))
            fail(MPT_ERROR_DTYPE, "argument 'bias' is ", dtype_name(bias->dtype), ": with 'x' of ", dtype_name(x.dtype), " it is that or ", dtype_name(wide(x.dtype)));
    }
    Dims shape = x.shape;
    shape[1] = w.shape[0];
    for (int i = 0; i < spatial(Rank); ++i) {
        const int at = axis(i, Rank);
        const std::int64_t room = x.shape[2 + i] + 2 * std::int64_t{a.padding[at]} - covered(w.shape, 2 + i, a.dilation[at]);
        if (room < 0)
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": with padding ", a.padding[at], " it is smaller than the filter ", w.shape, " with dilation ", a.dilation[at]);
        shape[2 + i] = room / a.stride[at] + 1;
    }
    out.push_back({x.dtype, shape, channels_innermost(shape)});
}

// Puts the attributes' extents into a shape's spatial dimensions, and back.
void set_extents(Dims &shape, const std::int64_t (&extent)[2]) {
    for (int i = 0; i < spatial(shape.n); ++i) shape[2 + i] = extent[axis(i, shape.n)];
}
void get_extents(const Dims &shape, std::int64_t (&extent)[2]) {
    extent[0] = 1;
    for (int i = 0; i < spatial(shape.n); ++i) extent[axis(i, shape.n)] = shape[2 + i];
}

void infer_dgrad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0], &w = *call.in[1];
    const auto &a = call.attrs.as<ConvAttrs>();
    Dims shape = dy.shape;
    shape[1] = w.shape[1] * a.conv.groups;
    set_extents(shape, a.extent);
    out.push_back({dy.dtype, shape, channels_innermost(shape)});
}

void infer_wgrad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &dy = *call.in[1];
    const auto &a = call.attrs.as<ConvAttrs>();
    const mpt_dtype dtype = wide(x.dtype);
    Dims shape = dy.shape;
    shape[0] = dy.shape[1];
    shape[1] = x.shape[1] / a.conv.groups;
    set_extents(shape, a.extent);
    out.push_back({dtype, shape, contiguous(shape)});
    out.push_back({a.bias ? dtype : MPT_DTYPE_NONE, Dims{dy.shape[1]}, Dims{1}});
}

constexpr Op kDgrad{.name = "conv2d_dgrad", .kernel = "conv2d_dgrad", .precision = Precision::Lower, .infer = infer_dgrad, .arrange = arrange_conv};
constexpr Op kWgrad{.name = "conv2d_wgrad", .kernel = "conv2d_wgrad", .precision = Precision::Lower, .infer = infer_wgrad, .arrange = arrange_conv};

void conv_gradient(GradRule &g) {
    ConvAttrs a{g.attrs().as<mpt_attrs_conv2d>(), {}, 0};
    if (g.needs(0)) {
        RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
        get_extents(g.in_form(0).shape, a.extent);
        g.give(0, emit1(g.ctx(), kDgrad, {g.dout(0), g.in(1)}, a));
    }
    RoleScope role(g.ctx(), MPT_ROLE_WEIGHT_GRADIENT);
    if (g.needs(1) || g.needs(2)) {
        get_extents(g.in_form(1).shape, a.extent);
        // The bias's gradient sums dy itself, not its fp8 copy.
        const bool apart = g.needs(2) && is_f8(g.in(0)->dtype);
        a.bias = g.needs(2) && !apart;
        Call call{&kWgrad, {g.in(0), g.dout(0)}, {}, a};
        call.out.emplace_back(g.needs(1) ? wide_target(g, 1) : nullptr);
        call.out.emplace_back(a.bias ? wide_target(g, 2) : nullptr);
        emit(g.ctx(), call);
        if (g.needs(1)) g.give(1, call.out[0]);
        if (a.bias) g.give(2, call.out[1]);
        if (apart) g.give(2, ops::reduce(g.dout(0), MPT_REDUCE_SUM, all_but_channels(g.dout(0)->shape.n), false, wide(g.dout(0)->dtype)));
    }
}

constexpr Op conv_op(const char *name, void (*infer)(const Call &, std::vector<Spec> &)) {
    Op op{};
    op.name = name;
    op.kernel = "conv2d";
    op.precision = Precision::Lower;
    op.cast = 3;
    op.follows = 4;  // the bias
    op.infer = infer;
    op.arrange = arrange_conv;
    op.fp8 = true;
    op.gradient = conv_gradient;
    op.saves_in = 3;
    op.crosswise = true;
    return op;
}
constexpr Op kConv2d = conv_op("conv2d", infer_conv<kImage>), kConv1d = conv_op("conv1d", infer_conv<kSignal>);
const RegisteredOps registered_0(kConv2d), registered_1(kConv1d), registered_2(kDgrad), registered_3(kWgrad);

}  // namespace

Ref<Tensor> ops::conv2d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const mpt_attrs_conv2d &attrs) {
    return emit1(*x->ctx, kConv2d, {x, weight, bias}, attrs);
}

Ref<Tensor> ops::conv1d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const mpt_attrs_conv2d &attrs) {
    return emit1(*x->ctx, kConv1d, {x, weight, bias}, attrs);
}

}  // namespace mpt
