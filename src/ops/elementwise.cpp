// Elementwise functions of two inputs.
#include "ops/elementwise.h"

#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "device/attrs/reduce.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_binary(const Call &call, std::vector<Spec> &out) {
    const Tensor &a = *call.in[0], &b = *call.in[1];
    const auto kind = call.attrs.as<mpt_attrs_binary>().kind;
    if (a.dtype != b.dtype)
        fail(MPT_ERROR_DTYPE, "argument 'b' is ", dtype_name(b.dtype), " but 'a' is ", dtype_name(a.dtype), ": cast one of them");
    const bool integers = kind <= MPT_BINARY_MUL || kind == MPT_BINARY_MAX || kind == MPT_BINARY_MIN;
    if (!is_floating(a.dtype) && (!integers || a.dtype == MPT_BOOL || is_f8(a.dtype)))
        fail(MPT_ERROR_DTYPE, "argument 'a' is ", dtype_name(a.dtype), ", which '", call.op->name, "' does not take: cast it first");
    Dims shape;
    if (!broadcast(a.shape, b.shape, shape))
        fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b.shape, ", which does not broadcast with ", a.shape, " of 'a'");
    out.push_back(broadcast_form(a.dtype, shape, {&a, &b}));
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

void infer_binary_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0];
    out.push_back({dy.dtype, dy.shape, dense_like(dy.shape, dy.strides)});
}
constexpr Op kGrad{.name = "binary_grad", .kernel = "binary_grad", .infer = infer_binary_grad, .arrange = arrange_broadcast};

void give_fused(GradRule &g, int operand) {
    const mpt_attrs_binary_grad attrs{g.attrs().as<mpt_attrs_binary>().kind, operand};
    g.give(operand, ops::sum_to(emit1(g.ctx(), kGrad, {g.dout(0), g.in(0), g.in(1)}, attrs), g.in_form(operand).shape));
}
void fused_gradient(GradRule &g) {
    for (int i = 0; i < 2; ++i)
        if (g.needs(i)) give_fused(g, i);
}
void remainder_gradient(GradRule &g) {  // a - q b with a quotient that does not move
    if (g.needs(0)) g.give(0, ops::sum_to(g.dout(0), g.in_form(0).shape));
    if (g.needs(1)) give_fused(g, 1);
}
void zero_gradient(GradRule &g) {
    for (int i = 0; i < 2; ++i)
        if (g.needs(i)) g.give(i, ops::full(g.ctx(), g.in_form(i).dtype, g.in_form(i).shape, 0));
}

constexpr Op binary_op(const char *name, Precision precision, void (*gradient)(GradRule &), unsigned saves_in, unsigned saves_out) {
    Op op{};
    op.name = name;
    op.kernel = "binary";
    op.precision = precision;
    op.infer = infer_binary;
    op.arrange = arrange_broadcast;
    op.gradient = gradient;
    op.saves_in = saves_in;
    op.saves_out = saves_out;
    op.crosswise = gradient == mul_gradient;
    return op;
}
constexpr Precision kPromote = Precision::Promote;

// In the order of MPT_BINARY_*.
constexpr Op kBinary[] = {
    binary_op("add", kPromote, add_gradient, 0, 0),
    binary_op("sub", kPromote, sub_gradient, 0, 0),
    binary_op("mul", kPromote, mul_gradient, 3, 0),
    binary_op("div", kPromote, div_gradient, 2, 1),
    binary_op("match", kPromote, nullptr, 0, 0),
    binary_op("relu_grad", kPromote, nullptr, 0, 0),
    binary_op("maximum", kPromote, fused_gradient, 3, 0),
    binary_op("minimum", kPromote, fused_gradient, 3, 0),
    binary_op("pow", Precision::F32, fused_gradient, 3, 0),
    binary_op("fmod", kPromote, remainder_gradient, 3, 0),
    binary_op("remainder", kPromote, remainder_gradient, 3, 0),
    binary_op("floor_divide", kPromote, zero_gradient, 0, 0),
    binary_op("atan2", kPromote, fused_gradient, 3, 0),
};
static_assert(sizeof kBinary / sizeof *kBinary == MPT_BINARY_ATAN2 + 1);

const RegisteredOps registered_0(kBinary), registered_1(kGrad);

}  // namespace

Spec broadcast_form(mpt_dtype dtype, const Dims &shape, std::initializer_list<const Tensor *> operands) {
    for (const Tensor *x : operands)
        if (x->shape == shape) return {dtype, shape, dense_like(shape, x->strides)};
    return {dtype, shape, contiguous(shape)};
}

void arrange_broadcast(const Call &call, KernelCall &kernel) {
    const Dims &shape = call.out[0]->shape;
    for (std::size_t i = 0; i < call.in.size(); ++i)
        if (const Tensor *x = call.in[i].get()) kernel.in[i] = form_of(x->dtype, shape, broadcast_strides(x->shape, x->strides, shape));
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
