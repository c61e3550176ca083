#include "core/error.h"
#include "device/attrs/norm.h"
#include "ops/norm.h"
#include "ops/norm_op.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// The kernel's attributes come first.
struct RowAttrs {
    mpt_attrs_row_norm norm;
    std::int64_t ndims;   // that make a row
    std::int64_t wanted;  // the gradient's: dx, dweight, dbias, as bits
};

// The last dimensions as one; false when that needs a copy.
bool flat(const Dims &shape, const Dims &strides, std::int64_t ndims, Dims &to, Dims &steps) {
    to = {};
    for (int i = 0; i < shape.n - ndims; ++i) to.push(shape[i]);
    std::int64_t length = 1;
    for (int i = to.n; i < shape.n; ++i) length *= shape[i];
    to.push(length);
    return reshape_strides(shape, strides, to, steps);
}
bool is_flat(const Tensor &x, std::int64_t ndims) {
    Dims shape, strides;
    return flat(x.shape, x.strides, ndims, shape, strides);
}
void flatten(const Ref<Tensor> &x, std::int64_t ndims, mpt_mod_operand &form) {
    if (!x) return;
    Dims shape, strides;
    if (!flat(x->shape, x->strides, ndims, shape, strides)) fail(MPT_ERROR_INTERNAL, "a norm's operand cannot be seen as rows");
    form = form_of(x->dtype, shape, strides);
}

Dims row_shape(const Tensor &x, std::int64_t ndims) {
    Dims shape;
    for (int i = static_cast<int>(x.shape.n - ndims); i < x.shape.n; ++i) shape.push(x.shape[i]);
    return shape;
}

void infer_rows(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &a = call.attrs.as<RowAttrs>();
    check_norm_input(x);
    const Dims row = row_shape(x, a.ndims);
    check_norm_vector(call.in[1].get(), "weight", row, x.dtype);
    check_norm_vector(call.in[2].get(), "bias", row, x.dtype);
    Dims rows;
    for (int i = 0; i < x.shape.n - a.ndims; ++i) rows.push(x.shape[i]);
    Dims strides = dense_like(x.shape, x.strides), shape, steps;
    if (!flat(x.shape, strides, a.ndims, shape, steps)) strides = contiguous(x.shape);
    out.push_back({x.dtype, x.shape, strides});
    out.push_back({a.norm.rms ? MPT_DTYPE_NONE : wide(x.dtype), rows, contiguous(rows)});
    out.push_back({wide(x.dtype), rows, contiguous(rows)});
}
void arrange_rows(const Call &call, KernelCall &kernel) {
    const auto ndims = call.attrs.as<RowAttrs>().ndims;
    for (std::size_t i = 0; i < 3; ++i) flatten(call.in[i], ndims, kernel.in[i]);
    flatten(call.out[0], ndims, kernel.out[0]);
    kernel.attrs_bytes = sizeof(mpt_attrs_row_norm);
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[1];
    const auto &a = call.attrs.as<RowAttrs>();
    const auto type = [&](int i, mpt_dtype dtype) { return a.wanted >> i & 1 ? dtype : MPT_DTYPE_NONE; };
    const Dims row = row_shape(x, a.ndims);
    Dims strides = dense_like(x.shape, x.strides), shape, steps;
    if (!flat(x.shape, strides, a.ndims, shape, steps)) strides = contiguous(x.shape);
    out.push_back({type(0, x.dtype), x.shape, strides});
    for (int i = 1; i < 3; ++i) out.push_back({type(i, wide(x.dtype)), row, contiguous(row)});
}
void arrange_grad(const Call &call, KernelCall &kernel) {
    const auto ndims = call.attrs.as<RowAttrs>().ndims;
    for (std::size_t i = 0; i < 3; ++i) {
        flatten(call.in[i], ndims, kernel.in[i]);
        flatten(call.out[i], ndims, kernel.out[i]);
    }
    kernel.attrs_bytes = sizeof(mpt_attrs_row_norm);
}
constexpr Op kGrad{.name = "row_norm_grad", .kernel = "row_norm_grad", .cast = 3, .infer = infer_grad, .arrange = arrange_grad};

void row_norm_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    RowAttrs a = g.attrs().as<RowAttrs>();
    for (int i = 0; i < 3; ++i) a.wanted |= std::int64_t{g.needs(i)} << i;
    const Ref<Tensor> dy = is_flat(*g.dout(0), a.ndims) ? g.dout(0) : ops::contiguous(g.dout(0));
    Call call{&kGrad,
              {dy, g.in(0), g.in_form(1).dtype == MPT_DTYPE_NONE ? nullptr : g.in(1), a.norm.rms ? nullptr : g.out(1), g.out(2)},
              {nullptr},
              a};
    for (int i = 1; i < 3; ++i) {
        Tensor *target = g.needs(i) ? wide_target(g, i) : nullptr;
        call.out.emplace_back(target && is_flat(*target, a.ndims) ? target : nullptr);
    }
    emit(g.ctx(), call);
    for (int i = 0; i < 3; ++i)
        if (g.needs(i)) g.give(i, call.out[static_cast<std::size_t>(i)]);
}

// Autocast leaves x as it is: the kernels read 16-bit elements and compute in f32 (see norm_op.h).
constexpr Op norm_op(const char *name) {
    Op op{};
    op.name = name;
    op.kernel = "row_norm";
    op.cast = 1;
    op.infer = infer_rows;
    op.arrange = arrange_rows;
    op.gradient = row_norm_gradient;
    op.saves_in = 3;
    op.saves_out = 6;
    return op;
}
constexpr Op kLayerNorm = norm_op("layer_norm"), kRmsNorm = norm_op("rms_norm");
const RegisteredOps registered_0(kLayerNorm), registered_1(kRmsNorm), registered_2(kGrad);

Ref<Tensor> as_rows(const Ref<Tensor> &x, std::int64_t ndims) { return !x || x->shape.n < ndims || is_flat(*x, ndims) ? x : ops::contiguous(x); }

}  // namespace

Ref<Tensor> ops::layer_norm(const Ref<Tensor> &x, int ndims, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps) {
    check_eps(eps);
    if (ndims < 1 || ndims > x->shape.n) fail(MPT_ERROR_ARGUMENT, "argument 'ndims' is ", ndims, ": 'x' of shape ", x->shape, " has ", x->shape.n, " dimensions");
    return emit1(*x->ctx, kLayerNorm, {as_rows(x, ndims), as_rows(weight, ndims), as_rows(bias, ndims)}, RowAttrs{{eps, 0}, ndims, 0});
}

Ref<Tensor> ops::rms_norm(const Ref<Tensor> &x, const Ref<Tensor> &weight, double eps) {
    check_eps(eps);
    if (x->shape.n < 1) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": it needs a last dimension");
    return emit1(*x->ctx, kRmsNorm, {x, weight, nullptr}, RowAttrs{{eps, 1}, 1, 0});
}

}  // namespace mpt
