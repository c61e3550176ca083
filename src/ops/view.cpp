// Ops without a kernel: other shapes and strides on the same storage.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_reshape(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const Dims &shape = call.attrs.as<Dims>();
    Spec spec{x.dtype, shape, {}, x.offset};
    if (!reshape_strides(x.shape, x.strides, shape, spec.strides)) fail(MPT_ERROR_INTERNAL, "reshape of ", x.shape, " to ", shape, " needs a copy");
    out.push_back(spec);
}
void reshape_gradient(GradRule &g) { g.give(0, ops::reshape(g.dout(0), g.in_form(0).shape)); }

void infer_transpose(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const Dims &order = call.attrs.as<Dims>();
    Spec spec{x.dtype, {}, {}, x.offset};
    for (int i = 0; i < order.n; ++i) {
        spec.shape.push(x.shape[static_cast<int>(order[i])]);
        spec.strides.push(x.strides[static_cast<int>(order[i])]);
    }
    out.push_back(spec);
}
void transpose_gradient(GradRule &g) {
    const Dims &order = g.attrs().as<Dims>();
    Dims inverse = order;
    for (int i = 0; i < order.n; ++i) inverse[static_cast<int>(order[i])] = i;
    g.give(0, ops::transpose(g.dout(0), inverse));
}

struct SliceAttrs {
    std::int64_t dim, start, length;
};
void infer_slice(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &a = call.attrs.as<SliceAttrs>();
    Spec spec{x.dtype, x.shape, x.strides, x.offset + a.start * x.strides[static_cast<int>(a.dim)]};
    spec.shape[static_cast<int>(a.dim)] = a.length;
    out.push_back(spec);
}
void slice_gradient(GradRule &g) {
    const auto &a = g.attrs().as<SliceAttrs>();
    const Ref<Tensor> dx = ops::full(g.ctx(), g.in_form(0).dtype, g.in_form(0).shape, 0);
    ops::copy_into(ops::slice(dx, static_cast<int>(a.dim), a.start, a.length), g.dout(0));
    g.give(0, dx);
}

void infer_expand(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const Dims &shape = call.attrs.as<Dims>();
    out.push_back({x.dtype, shape, broadcast_strides(x.shape, x.strides, shape), x.offset});
}
void expand_gradient(GradRule &g) { g.give(0, ops::sum_to(g.dout(0), g.in_form(0).shape)); }

constexpr Op view_op(const char *name, void (*infer)(const Call &, std::vector<Spec> &), void (*gradient)(GradRule &)) {
    Op op{};
    op.name = name;
    op.infer = infer;
    op.gradient = gradient;
    return op;
}
constexpr Op kReshape = view_op("reshape", infer_reshape, reshape_gradient);
constexpr Op kTranspose = view_op("transpose", infer_transpose, transpose_gradient);
constexpr Op kSlice = view_op("slice", infer_slice, slice_gradient);
constexpr Op kExpand = view_op("expand", infer_expand, expand_gradient);
const RegisteredOps registered_0(kReshape), registered_1(kTranspose), registered_2(kSlice), registered_3(kExpand);

}  // namespace

Ref<Tensor> ops::reshape(const Ref<Tensor> &x, const Dims &shape) {
    if (x->shape == shape) return x;
    Dims strides;
    const Ref<Tensor> base = reshape_strides(x->shape, x->strides, shape, strides) ? x : contiguous(x);
    return emit1(*x->ctx, kReshape, {base}, shape);
}

Ref<Tensor> ops::transpose(const Ref<Tensor> &x, const Dims &order) { return emit1(*x->ctx, kTranspose, {x}, order); }

Ref<Tensor> ops::transpose_last(const Ref<Tensor> &x) {
    Dims order;
    for (int i = 0; i < x->shape.n; ++i) order.push(i);
    std::swap(order[order.n - 1], order[order.n - 2]);
    return transpose(x, order);
}

Ref<Tensor> ops::slice(const Ref<Tensor> &x, int dim, std::int64_t start, std::int64_t length) {
    return emit1(*x->ctx, kSlice, {x}, SliceAttrs{dim, start, length});
}

Ref<Tensor> ops::expand(const Ref<Tensor> &x, const Dims &shape) {
    return x->shape == shape ? x : emit1(*x->ctx, kExpand, {x}, shape);
}

}  // namespace mpt
