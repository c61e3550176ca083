#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void same_form(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}

void infer_unary(const Call &call, std::vector<Spec> &out) {
    if (!is_floating(call.in[0]->dtype))
        fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(call.in[0]->dtype), ", which is not a floating type: cast it first");
    same_form(call, out);
}

void neg_gradient(GradRule &g) { g.give(0, ops::unary(g.dout(0), MPT_UNARY_NEG)); }
void exp_gradient(GradRule &g) { g.give(0, ops::binary(g.dout(0), g.out(0), MPT_BINARY_MUL)); }
void log_gradient(GradRule &g) { g.give(0, ops::binary(g.dout(0), g.in(0), MPT_BINARY_DIV)); }
void sqrt_gradient(GradRule &g) {
    g.give(0, ops::unary(ops::binary(g.dout(0), g.out(0), MPT_BINARY_DIV), MPT_UNARY_AFFINE, 0.5, 0));
}
void relu_gradient(GradRule &g) { g.give(0, ops::binary(g.dout(0), g.out(0), MPT_BINARY_RELU_GRAD)); }
void affine_gradient(GradRule &g) {
    g.give(0, ops::unary(g.dout(0), MPT_UNARY_AFFINE, g.attrs().as<mpt_attrs_unary>().scale, 0));
}

constexpr Op unary_op(const char *name, Precision precision, void (*gradient)(GradRule &), unsigned saves_in, unsigned saves_out) {
    Op op{};
    op.name = name;
    op.kernel = "unary";
    op.precision = precision;
    op.infer = infer_unary;
    op.gradient = gradient;
    op.saves_in = saves_in;
    op.saves_out = saves_out;
    return op;
}
// In the order of MPT_UNARY_*.
constexpr Op kUnary[] = {
    unary_op("neg", Precision::AsIs, neg_gradient, 0, 0),   unary_op("exp", Precision::F32, exp_gradient, 0, 1),
    unary_op("log", Precision::F32, log_gradient, 1, 0),    unary_op("sqrt", Precision::AsIs, sqrt_gradient, 0, 1),
    unary_op("relu", Precision::AsIs, relu_gradient, 0, 1), unary_op("affine", Precision::AsIs, affine_gradient, 0, 0),
};

void infer_binary(const Call &call, std::vector<Spec> &out) {
    const Tensor &a = *call.in[0], &b = *call.in[1];
    const auto kind = call.attrs.as<mpt_attrs_binary>().kind;
    if (a.dtype != b.dtype)
        fail(MPT_ERROR_DTYPE, "argument 'b' is ", dtype_name(b.dtype), " but 'a' is ", dtype_name(a.dtype), ": cast one of them");
    if (a.dtype == MPT_BOOL || (kind > MPT_BINARY_MUL && !is_floating(a.dtype)))
        fail(MPT_ERROR_DTYPE, "argument 'a' is ", dtype_name(a.dtype), ", which '", call.op->name, "' does not take: cast it first");
    Dims shape;
    if (!broadcast(a.shape, b.shape, shape))
        fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b.shape, ", which does not broadcast with ", a.shape, " of 'a'");
    Dims strides = contiguous(shape);
    if (a.shape == shape)
        strides = dense_like(shape, a.strides);
    else if (b.shape == shape)
        strides = dense_like(shape, b.strides);
    out.push_back({a.dtype, shape, strides});
}

void arrange_binary(const Call &call, KernelCall &kernel) {
    const Dims &shape = call.out[0]->shape;
    for (int i = 0; i < 2; ++i) {
        const Tensor &x = *call.in[i];
        kernel.in[i] = form_of(x.dtype, shape, broadcast_strides(x.shape, x.strides, shape));
    }
}

void add_gradient(GradRule &g) {
    for (int i = 0; i < 2; ++i)
        if (g.needs(i)) g.give(i, ops::sum_to(g.dout(0), g.in_form(i).shape));
}
void sub_gradient(GradRule &g) {
    if (g.needs(0)) g.give(0, ops::sum_to(g.dout(0), g.in_form(0).shape));
    if (g.needs(1)) g.give(1, ops::unary(ops::sum_to(g.dout(0), g.in_form(1).shape), MPT_UNARY_NEG));
}
void mul_gradient(GradRule &g) {
    for (int i = 0; i < 2; ++i)
        if (g.needs(i)) g.give(i, ops::sum_to(ops::binary(g.dout(0), g.in(1 - i), MPT_BINARY_MUL), g.in_form(i).shape));
}
void div_gradient(GradRule &g) {
    const Ref<Tensor> da = ops::binary(g.dout(0), g.in(1), MPT_BINARY_DIV);
    if (g.needs(0)) g.give(0, ops::sum_to(da, g.in_form(0).shape));
    if (g.needs(1)) {  // -dy a / b^2 = -(dy / b) y
        g.give(1, ops::sum_to(ops::unary(ops::binary(da, g.out(0), MPT_BINARY_MUL), MPT_UNARY_NEG), g.in_form(1).shape));
    }
}

constexpr Op binary_op(const char *name, void (*gradient)(GradRule &), unsigned saves_in, unsigned saves_out) {
    Op op{};
    op.name = name;
    op.kernel = "binary";
    op.precision = Precision::Promote;
    op.infer = infer_binary;
    op.arrange = arrange_binary;
    op.gradient = gradient;
    op.saves_in = saves_in;
    op.saves_out = saves_out;
    op.crosswise = saves_in == 3;
    return op;
}
// In the order of MPT_BINARY_*.
constexpr Op kBinary[] = {
    binary_op("add", add_gradient, 0, 0),   binary_op("sub", sub_gradient, 0, 0),
    binary_op("mul", mul_gradient, 3, 0),   binary_op("div", div_gradient, 2, 1),
    binary_op("equal", nullptr, 0, 0),      binary_op("relu_grad", nullptr, 0, 0),
};

const RegisteredOps registered_0(kUnary), registered_1(kBinary);

}  // namespace

Ref<Tensor> ops::unary(const Ref<Tensor> &x, int kind, double scale, double shift) {
    return emit1(*x->ctx, kUnary[kind], {x}, mpt_attrs_unary{kind, scale, shift});
}

Ref<Tensor> ops::binary(const Ref<Tensor> &a, const Ref<Tensor> &b, int kind) {
    return emit1(*a->ctx, kBinary[kind], {a, b}, mpt_attrs_binary{kind});
}

void ops::add_to(const Ref<Tensor> &sum, const Ref<Tensor> &x) {
    emit1(*sum->ctx, kBinary[MPT_BINARY_ADD], {sum, cast(x, sum->dtype)}, mpt_attrs_binary{MPT_BINARY_ADD}, sum.get());
}

Ref<Tensor> ops::sum_to(const Ref<Tensor> &x, const Dims &shape) {
    if (x->shape == shape) return x;
    unsigned dims = 0;
    const int extra = x->shape.n - shape.n;
    for (int i = 0; i < x->shape.n; ++i)
        if (i < extra || (shape[i - extra] == 1 && x->shape[i] != 1)) dims |= 1u << i;
    return reshape(reduce(x, MPT_REDUCE_SUM, dims, true), shape);
}

}  // namespace mpt
