// Elementwise functions of one input.
#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_unary(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    if (!is_floating(x.dtype)) fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}

// dy times the derivative in one pass, from x or from y.
constexpr Op kGrad{.name = "unary_grad", .kernel = "unary_grad", .infer = infer_unary};
void gradient_of_x(GradRule &g) { g.give(0, emit1(g.ctx(), kGrad, {g.dout(0), g.in(0)}, g.attrs())); }
void gradient_of_y(GradRule &g) { g.give(0, emit1(g.ctx(), kGrad, {g.dout(0), g.out(0)}, g.attrs())); }

void neg_gradient(GradRule &g) { g.give(0, ops::unary(g.dout(0), MPT_UNARY_NEG)); }
void exp_gradient(GradRule &g) { g.give(0, ops::binary(g.dout(0), g.out(0), MPT_BINARY_MUL)); }
void log_gradient(GradRule &g) { g.give(0, ops::binary(g.dout(0), g.in(0), MPT_BINARY_DIV)); }
void relu_gradient(GradRule &g) { g.give(0, ops::binary(g.dout(0), g.out(0), MPT_BINARY_RELU_GRAD)); }
void affine_gradient(GradRule &g) {
    g.give(0, ops::unary(g.dout(0), MPT_UNARY_AFFINE, g.attrs().as<mpt_attrs_unary>().scale, 0));
}
void zero_gradient(GradRule &g) { g.give(0, ops::full(g.ctx(), g.in_form(0).dtype, g.in_form(0).shape, 0)); }

constexpr Op op(const char *name, Precision precision, void (*gradient)(GradRule &)) {
    Op op{};
    op.name = name;
    op.kernel = "unary";
    op.precision = precision;
    op.infer = infer_unary;
    op.gradient = gradient;
    op.saves_in = gradient == gradient_of_x || gradient == log_gradient;
    op.saves_out = gradient == gradient_of_y || gradient == exp_gradient || gradient == relu_gradient;
    return op;
}
constexpr Precision kF32 = Precision::F32, kAsIs = Precision::AsIs;

// In the order of MPT_UNARY_*.
constexpr Op kUnary[] = {
    op("neg", kAsIs, neg_gradient),
    op("exp", kF32, exp_gradient),
    op("log", kF32, log_gradient),
    op("sqrt", kAsIs, gradient_of_y),
    op("relu", kAsIs, relu_gradient),
    op("affine", kAsIs, affine_gradient),
    op("abs", kAsIs, gradient_of_x),
    op("sign", kAsIs, zero_gradient),
    op("square", kF32, gradient_of_x),
    op("rsqrt", kF32, gradient_of_y),
    op("reciprocal", kF32, gradient_of_y),
    op("exp2", kF32, gradient_of_y),
    op("expm1", kF32, gradient_of_x),
    op("log2", kF32, gradient_of_x),
    op("log10", kF32, gradient_of_x),
    op("log1p", kF32, gradient_of_x),
    op("sin", kAsIs, gradient_of_x),
    op("cos", kAsIs, gradient_of_x),
    op("tan", kF32, gradient_of_y),
    op("asin", kF32, gradient_of_x),
    op("acos", kF32, gradient_of_x),
    op("atan", kAsIs, gradient_of_x),
    op("sinh", kF32, gradient_of_x),
    op("cosh", kF32, gradient_of_x),
    op("tanh", kAsIs, gradient_of_y),
    op("asinh", kAsIs, gradient_of_x),
    op("acosh", kF32, gradient_of_x),
    op("atanh", kF32, gradient_of_x),
    op("erf", kAsIs, gradient_of_x),
    op("floor", kAsIs, zero_gradient),
    op("ceil", kAsIs, zero_gradient),
    op("round", kAsIs, zero_gradient),
    op("trunc", kAsIs, zero_gradient),
    op("sigmoid", kAsIs, gradient_of_x),
    op("silu", kAsIs, gradient_of_x),
    op("softplus", kAsIs, gradient_of_x),
    op("leaky_relu", kAsIs, gradient_of_x),
    op("elu", kAsIs, gradient_of_x),
    op("gelu", kAsIs, gradient_of_x),
    op("gelu_tanh", kAsIs, gradient_of_x),
    op("clamp", kAsIs, gradient_of_x),
    op("pow_scalar", kF32, gradient_of_x),
};
static_assert(sizeof kUnary / sizeof *kUnary == MPT_UNARY_POW + 1);

const RegisteredOps registered_0(kUnary), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::unary(const Ref<Tensor> &x, int kind, double scale, double shift) {
    return emit1(*x->ctx, kUnary[kind], {x}, mpt_attrs_unary{kind, scale, shift});
}

}  // namespace mpt
