#include "ops/norm.h"

#include <cmath>

#include "core/error.h"
#include "device/attrs/norm.h"
#include "ops/norm_op.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

void check_norm_input(const Tensor &x) {
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
}

void check_eps(double eps) {
    if (!(eps >= 0) || std::isinf(eps)) fail(MPT_ERROR_ARGUMENT, "argument 'eps' is ", eps, ": it must be a finite number from 0 on");
}

void check_norm_vector(const Tensor *vector, const char *name, const Dims &shape, mpt_dtype type, bool statistic) {
    if (!vector) return;
    if (!(vector->shape == shape)) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", vector->shape, ": it must be ", shape);
    if (vector->dtype == wide(type) || (!statistic && vector->dtype == type)) return;
    if (statistic || type == wide(type))
        fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(vector->dtype), ": with 'x' of ", dtype_name(type), " it must be ", dtype_name(wide(type)));
    fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(vector->dtype), ": with 'x' of ", dtype_name(type), " it is that or ", dtype_name(wide(type)));
}

void infer_channel_norm(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &a = call.attrs.as<mpt_attrs_channel_norm>();
    check_norm_input(x);
    const Dims channels{x.shape[1]}, statistics{a.per_image ? x.shape[0] : 1, a.groups};
    check_norm_vector(call.in[1].get(), "weight", channels, x.dtype);
    check_norm_vector(call.in[2].get(), "bias", channels, x.dtype);
    const mpt_dtype type = wide(x.dtype);
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
    for (int i = 0; i < 2; ++i) out.push_back({type, statistics, contiguous(statistics)});
    for (std::size_t i = 0; i < 2; ++i) {
        const char *name = i == 0 ? "running_mean" : "running_var";
        const Tensor *running = call.out.size() > 3 + i ? call.out[3 + i].get() : nullptr;
        check_norm_vector(running, name, channels, x.dtype, true);
        check_norm_vector(call.in[3 + i].get(), name, channels, x.dtype, true);
        out.push_back({running ? type : MPT_DTYPE_NONE, channels, contiguous(channels)});
    }
}

namespace {

struct GradAttrs {
    mpt_attrs_channel_norm norm;  // the kernel's
    std::int64_t wanted;          // of dx, dweight, dbias, as bits
};

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[1];
    const Dims channels{x.shape[1]};
    const auto wanted = call.attrs.as<GradAttrs>().wanted;
    const auto type = [&](int i, mpt_dtype dtype) { return wanted >> i & 1 ? dtype : MPT_DTYPE_NONE; };
    out.push_back({type(0, x.dtype), x.shape, dense_like(x.shape, x.strides)});
    for (int i = 1; i < 3; ++i) out.push_back({type(i, wide(x.dtype)), channels, contiguous(channels)});
}
void narrow(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_channel_norm); }

constexpr Op kGrad{.name = "channel_norm_grad", .kernel = "channel_norm_grad", .cast = 3, .infer = infer_grad, .arrange = narrow};
const RegisteredOps registered(kGrad);

}  // namespace

void channel_norm_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    GradAttrs a{g.attrs().as<mpt_attrs_channel_norm>(), 0};
    for (int i = 0; i < 3; ++i) a.wanted |= std::int64_t{g.needs(i)} << i;
    Call call{&kGrad, {g.dout(0), g.in(0), g.in_form(1).dtype == MPT_DTYPE_NONE ? nullptr : g.in(1), g.out(1), g.out(2)}, {nullptr}, a};
    for (int i = 1; i < 3; ++i) call.out.emplace_back(g.needs(i) ? wide_target(g, i) : nullptr);
    emit(g.ctx(), call);
    for (int i = 0; i < 3; ++i)
        if (g.needs(i)) g.give(i, call.out[static_cast<std::size_t>(i)]);
}

}  // namespace mpt
