#include "ops/linear.h"

#include "core/error.h"
#include "device/attrs/reduce.h"
#include "ops/fp8.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

Dims rows_of(const Dims &shape) {
    const std::int64_t last = shape[shape.n - 1];
    std::int64_t count = 1;
    for (int i = 0; i + 1 < shape.n; ++i) count *= shape[i];
    return Dims{count, last};
}

void give_input_gradient(GradRule &g, const Ref<Tensor> &dy) {
    if (!g.needs(0)) return;
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    g.give(0, ops::reshape(ops::matmul(dy, g.in(1)), g.in_form(0).shape));
}

// Weight gradients leave the product in the type that it accumulates in: nothing is rounded before the optimizer.
void give_weight_gradients(GradRule &g, const Ref<Tensor> &x, const Ref<Tensor> &dy) {
    RoleScope role(g.ctx(), MPT_ROLE_WEIGHT_GRADIENT);
    const mpt_dtype result = wide(dy->dtype);
    if (g.needs(1)) g.give(1, ops::matmul(ops::transpose_last(dy), x, result, wide_target(g, 1)));
    if (!g.needs(2)) return;
    if (Tensor *target = wide_target(g, 2)) {
        const Ref<Tensor> row = view_of(*target, Dims{1, target->shape[0]}, Dims{target->shape[0], target->strides[0]}, target->offset);
        ops::reduce(dy, MPT_REDUCE_SUM, 1u, true, result, row.get());
        g.give(2, Ref<Tensor>(target));
    } else {
        g.give(2, ops::reduce(dy, MPT_REDUCE_SUM, 1u, false, result));
    }
}

namespace {

void infer_linear(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &w = *call.in[1];
    const Tensor *bias = call.in[2].get();
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    if (w.dtype != x.dtype) fail(MPT_ERROR_DTYPE, "argument 'weight' is ", dtype_name(w.dtype), " but 'x' is ", dtype_name(x.dtype), ": cast one of them");
    if (w.shape.n != 2) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", w.shape, ": it is [out, in]");
    if (x.shape.n < 1 || x.shape[x.shape.n - 1] != w.shape[1])
        fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": its last extent must be ", w.shape[1], ", the second of 'weight' ", w.shape);
    if (bias) {
        if (!(bias->shape == Dims{w.shape[0]})) fail(MPT_ERROR_SHAPE, "argument 'bias' has shape ", bias->shape, ": it must be [", w.shape[0], "]");
        if (bias->dtype != x.dtype && bias->dtype != wide(x.dtype))
            fail(MPT_ERROR_DTYPE, "argument 'bias' is ", dtype_name(bias->dtype), ": with 'x' of ", dtype_name(x.dtype), " it is that or ", dtype_name(wide(x.dtype)));
    }
    Dims shape = x.shape;
    shape[shape.n - 1] = w.shape[0];
    out.push_back(rows_for_products(*x.ctx, x.dtype, shape));
}

// The kernel is a matrix product of flattened x with the transposed weight.
void arrange_linear(const Call &call, KernelCall &kernel) {
    const Tensor &x = *call.in[0], &w = *call.in[1], &y = *call.out[0];
    Dims strides;
    if (!reshape_strides(x.shape, x.strides, rows_of(x.shape), strides)) fail(MPT_ERROR_INTERNAL, "linear's x cannot be seen as rows");
    kernel.in[0] = form_of(x.dtype, rows_of(x.shape), strides);
    kernel.in[1] = form_of(w.dtype, Dims{w.shape[1], w.shape[0]}, Dims{w.strides[1], w.strides[0]});
    if (!reshape_strides(y.shape, y.strides, rows_of(y.shape), strides)) fail(MPT_ERROR_INTERNAL, "linear's result cannot be seen as rows");
    kernel.out[0] = form_of(y.dtype, rows_of(y.shape), strides);
    kernel.attrs_bytes = 0;
}

void linear_gradient(GradRule &g) {
    const Ref<Tensor> dy = ops::reshape(g.dout(0), rows_of(g.dout(0)->shape));
    give_input_gradient(g, dy);
    if (g.needs(1) || g.needs(2)) give_weight_gradients(g, g.needs(1) ? ops::reshape(g.in(0), rows_of(g.in(0)->shape)) : nullptr, dy);
}

Ref<Tensor> linear_scaled(const Call &call) {
    if (!call.out.empty() && call.out[0]) return nullptr;
    const Ref<Tensor> &x = call.in[0], &w = call.in[1], &bias = call.in[2];
    // What is wrong is refused by the op, in its own words.
    if (w->shape.n != 2 || x->shape.n < 1 || x->shape[x->shape.n - 1] != w->shape[1] || (bias && !(bias->shape == Dims{w->shape[0]}))) return nullptr;
    const Ref<Tensor> y = ops::scaled_matmul(ops::reshape(x, rows_of(x->shape)), ops::transpose_last(w), bias, call.result, nullptr);
    if (!y) return nullptr;
    Dims shape = x->shape;
    shape[shape.n - 1] = y->shape[1];
    return ops::reshape(y, shape);
}

constexpr Op op_with(void (*gradient)(GradRule &)) {
    return {.name = "linear",
            .kernel = "matmul",
            .precision = Precision::Lower,
            .cast = 3,
            .follows = 4,  // the bias
            .infer = infer_linear,
            .arrange = arrange_linear,
            .fp8 = true,
            .scaled = linear_scaled,
            .gradient = gradient,
            .saves_in = 3,
            .crosswise = true};
}
constexpr Op kLinear = op_with(linear_gradient);
const RegisteredOps registered(kLinear);

}  // namespace

Op linear_op(void (*gradient)(GradRule &)) { return op_with(gradient); }

Ref<Tensor> ops::linear(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias) {
    Dims strides;
    const bool as_rows = x->shape.n >= 1 && reshape_strides(x->shape, x->strides, rows_of(x->shape), strides);
    return emit1(*x->ctx, kLinear, {as_rows ? x : contiguous(x), weight, bias});
}

}  // namespace mpt
