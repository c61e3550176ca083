#include "device/attrs/reduce.h"

#include <algorithm>

#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/statistics.h"

namespace mpt {

namespace {

bool keeps_type(std::int64_t kind) {
    return kind == MPT_REDUCE_MAX || kind == MPT_REDUCE_MIN;
}

void infer_reduce(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &attrs = call.attrs.as<mpt_attrs_reduce>();
    if (!is_floating(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    Dims shape = x.shape;
    for (int i = 0; i < shape.n; ++i) {
        if (!(attrs.dims >> i & 1)) continue;
        if (shape[i] == 0 && keeps_type(attrs.kind))
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": nothing has no ",
                 attrs.kind == MPT_REDUCE_MAX ? "largest" : "smallest", " element, and dimension ", i, " has none");
        shape[i] = 1;
    }
    const mpt_dtype dtype = call.result == MPT_DTYPE_NONE || keeps_type(attrs.kind) ? x.dtype : call.result;
    out.push_back({dtype, shape, contiguous(shape)});
}

unsigned dims_of(GradRule &g) {
    return static_cast<unsigned>(g.attrs().as<mpt_attrs_reduce>().dims);
}
Ref<Tensor> spread(GradRule &g, const Ref<Tensor> &x) {
    return ops::expand(x, g.in_form(0).shape);
}

void sum_gradient(GradRule &g) {
    g.give(0, spread(g, g.dout(0)));
}

void mean_gradient(GradRule &g) {
    const double count = static_cast<double>(numel(g.in_form(0).shape)) / static_cast<double>(g.dout(0)->numel());
    g.give(0, spread(g, ops::unary(g.dout(0), MPT_UNARY_AFFINE, 1 / count, 0)));
}

// Equal maxima share the gradient.
void extreme_gradient(GradRule &g) {
    const Ref<Tensor> hit = ops::binary(g.in(0), spread(g, g.out(0)), MPT_BINARY_EQ);
    const Ref<Tensor> count = ops::reduce(hit, MPT_REDUCE_SUM, dims_of(g), true, wide(hit->dtype));  // a count may be no f16 number
    const Ref<Tensor> share = ops::binary(g.dout(0), count, MPT_BINARY_DIV);
    g.give(0, ops::binary(hit, spread(g, share), MPT_BINARY_MUL));
}

void infer_prod_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[1];
    out.push_back({x.dtype, x.shape, x.strides});
}
constexpr Op kProdGrad{.name = "prod_grad", .kernel = "prod_grad", .infer = infer_prod_grad};

void prod_gradient(GradRule &g) {
    g.give(0, emit1(g.ctx(), kProdGrad, {g.dout(0), ops::contiguous(g.in(0))}, g.attrs()));
}

// The distances from the mean add up to 0, so the mean counts as a constant.
void var_gradient(GradRule &g) {
    const Ref<Tensor> factor = ops::unary(g.dout(0), MPT_UNARY_AFFINE, 2 * g.attrs().as<mpt_attrs_reduce>().scale, 0);
    g.give(0, ops::binary(ops::binary(g.in(0), g.in(1), MPT_BINARY_SUB), factor, MPT_BINARY_MUL));
}

// x / norm, with a norm of 1 where it is 0: x is 0 there.
void norm_gradient(GradRule &g) {
    const Ref<Tensor> &norm = g.out(0);
    const Ref<Tensor> zero = ops::binary(norm, ops::full(g.ctx(), norm->dtype, {}, 0), MPT_BINARY_EQ);
    const Ref<Tensor> factor = ops::binary(g.dout(0), ops::binary(norm, zero, MPT_BINARY_ADD), MPT_BINARY_DIV);
    g.give(0, ops::binary(g.in(0), factor, MPT_BINARY_MUL));
}

// From the distances to the largest element, not from the rounded result: far from 0 that has lost what the shares depend on.
void logsumexp_gradient(GradRule &g) {
    const Ref<Tensor> x = ops::cast(g.in(0), wide(g.in(0)->dtype));
    const Ref<Tensor> e = ops::unary(ops::binary(x, g.in(1), MPT_BINARY_SUB), MPT_UNARY_EXP);
    const Ref<Tensor> sum = ops::reduce(e, MPT_REDUCE_SUM, static_cast<unsigned>(g.attrs().as<mpt_attrs_reduce>().dims), true);
    g.give(0, ops::binary(e, ops::binary(g.dout(0), sum, MPT_BINARY_DIV), MPT_BINARY_MUL));
}

constexpr Op reduce_op(const char *name, Precision precision, void (*gradient)(GradRule &), unsigned saves_in, unsigned saves_out) {
    Op op{};
    op.name = name;
    op.kernel = "reduce";
    op.precision = precision;
    op.infer = infer_reduce;
    op.gradient = gradient;
    op.saves_in = saves_in;
    op.saves_out = saves_out;
    return op;
}
// In the order of MPT_REDUCE_*.
constexpr Op kReduce[] = {
    reduce_op("sum", Precision::F32Result, sum_gradient, 0, 0),
    reduce_op("mean", Precision::F32Result, mean_gradient, 0, 0),
    reduce_op("max", Precision::AsIs, extreme_gradient, 1, 1),
    reduce_op("min", Precision::AsIs, extreme_gradient, 1, 1),
    reduce_op("prod", Precision::F32Result, prod_gradient, 1, 0),
    reduce_op("var", Precision::F32Result, var_gradient, 3, 0),
    reduce_op("norm", Precision::F32Result, norm_gradient, 1, 1),
    reduce_op("logsumexp", Precision::F32Result, logsumexp_gradient, 3, 0),
};
const RegisteredOps registered_0(kReduce), registered_1(kProdGrad);

Ref<Tensor> without(const Ref<Tensor> &y, unsigned dims, bool keep_dims) {
    if (keep_dims) return y;
    Dims shape;
    for (int i = 0; i < y->shape.n; ++i)
        if (!(dims >> i & 1)) shape.push(y->shape[i]);
    return ops::reshape(y, shape);
}

std::int64_t reduced(const Dims &shape, unsigned dims) {
    std::int64_t count = 1;
    for (int i = 0; i < shape.n; ++i)
        if (dims >> i & 1) count *= shape[i];
    return count;
}

// A first pass over x that the gradient does not go through, in the type that the second one computes in.
Ref<Tensor> centre(const Ref<Tensor> &x, int kind, unsigned dims) {
    ScopeGuard guard(*x->ctx);
    x->ctx->scope.grad = false;
    return ops::cast(ops::reduce(x, kind, dims, true, wide(x->dtype)), wide(x->dtype));
}

Ref<Tensor> any_or_all(const Ref<Tensor> &x, int kind, unsigned dims, bool keep_dims) {
    if (x->dtype != MPT_BOOL)
        fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x->dtype), ", but must be bool: compare it with something first");
    if (reduced(x->shape, dims) == 0) {
        Dims shape = x->shape;
        for (int i = 0; i < shape.n; ++i)
            if (dims >> i & 1) shape[i] = 1;
        return without(ops::full(*x->ctx, MPT_BOOL, shape, kind == MPT_REDUCE_MIN ? 1 : 0), dims, keep_dims);
    }
    return ops::cast(ops::reduce(ops::cast(x, MPT_F32), kind, dims, keep_dims), MPT_BOOL);
}

}  // namespace

Ref<Tensor> ops::reduce(const Ref<Tensor> &x, int kind, unsigned dims, bool keep_dims, mpt_dtype result, Tensor *into) {
    return without(emit1(*x->ctx, kReduce[kind], {x}, mpt_attrs_reduce{kind, dims, 0}, into, result), dims, keep_dims);
}

Ref<Tensor> ops::var(const Ref<Tensor> &x, unsigned dims, bool keep_dims, double correction) {
    const double scale = 1 / std::max(0.0, static_cast<double>(reduced(x->shape, dims)) - correction);
    const mpt_attrs_reduce attrs{MPT_REDUCE_SQUARES, dims, scale};
    return without(emit1(*x->ctx, kReduce[MPT_REDUCE_SQUARES], {x, centre(x, MPT_REDUCE_MEAN, dims)}, attrs), dims, keep_dims);
}

Ref<Tensor> ops::norm(const Ref<Tensor> &x, unsigned dims, bool keep_dims) {
    return reduce(x, MPT_REDUCE_NORM, dims, keep_dims);
}

Ref<Tensor> ops::logsumexp(const Ref<Tensor> &x, unsigned dims, bool keep_dims) {
    const Ref<Tensor> largest = reduced(x->shape, dims) == 0 ? Ref<Tensor>() : centre(x, MPT_REDUCE_MAX, dims);
    const mpt_attrs_reduce attrs{MPT_REDUCE_LOGSUMEXP, dims, 0};
    return without(emit1(*x->ctx, kReduce[MPT_REDUCE_LOGSUMEXP], {x, largest}, attrs), dims, keep_dims);
}

Ref<Tensor> ops::any(const Ref<Tensor> &x, unsigned dims, bool keep_dims) {
    return any_or_all(x, MPT_REDUCE_MAX, dims, keep_dims);
}
Ref<Tensor> ops::all(const Ref<Tensor> &x, unsigned dims, bool keep_dims) {
    return any_or_all(x, MPT_REDUCE_MIN, dims, keep_dims);
}

}  // namespace mpt
