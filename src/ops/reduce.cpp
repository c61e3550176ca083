#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_reduce(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &attrs = call.attrs.as<mpt_attrs_reduce>();
    if (!is_floating(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument 'x' is ", dtype_name(x.dtype), ", which is not a floating type: cast it first");
    Dims shape = x.shape;
    for (int i = 0; i < shape.n; ++i) {
        if (!(attrs.dims >> i & 1)) continue;
        if (shape[i] == 0 && attrs.kind == MPT_REDUCE_MAX)
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": there is no largest element of nothing in dimension ", i);
        shape[i] = 1;
    }
    const mpt_dtype dtype = call.result == MPT_DTYPE_NONE || attrs.kind == MPT_REDUCE_MAX ? x.dtype : call.result;
    out.push_back({dtype, shape, contiguous(shape)});
}

Ref<Tensor> spread(GradRule &g, const Ref<Tensor> &x) { return ops::expand(x, g.in_form(0).shape); }

void sum_gradient(GradRule &g) { g.give(0, spread(g, g.dout(0))); }

void mean_gradient(GradRule &g) {
    const double count = static_cast<double>(numel(g.in_form(0).shape)) / static_cast<double>(g.dout(0)->numel());
    g.give(0, spread(g, ops::unary(g.dout(0), MPT_UNARY_AFFINE, 1 / count, 0)));
}

// Equal maxima share the gradient.
void max_gradient(GradRule &g) {
    const Ref<Tensor> hit = ops::binary(g.in(0), spread(g, g.out(0)), MPT_BINARY_EQ);
    const Ref<Tensor> count = ops::reduce(hit, MPT_REDUCE_SUM, static_cast<unsigned>(g.attrs().as<mpt_attrs_reduce>().dims), true,
                                          wide(hit->dtype));  // a count may be no f16 number
    const Ref<Tensor> share = ops::binary(g.dout(0), count, MPT_BINARY_DIV);
    g.give(0, ops::binary(hit, spread(g, share), MPT_BINARY_MUL));
}

constexpr Op reduce_op(const char *name, Precision precision, void (*gradient)(GradRule &), unsigned saves) {
    Op op{};
    op.name = name;
    op.kernel = "reduce";
    op.precision = precision;
    op.infer = infer_reduce;
    op.gradient = gradient;
    op.saves_in = op.saves_out = saves;
    return op;
}
// In the order of MPT_REDUCE_*.
constexpr Op kReduce[] = {reduce_op("sum", Precision::F32Result, sum_gradient, 0), reduce_op("mean", Precision::F32Result, mean_gradient, 0),
                          reduce_op("max", Precision::AsIs, max_gradient, 1)};
const RegisteredOps registered(kReduce);

}  // namespace

Ref<Tensor> ops::reduce(const Ref<Tensor> &x, int kind, unsigned dims, bool keep_dims, mpt_dtype result, Tensor *into) {
    Ref<Tensor> y = emit1(*x->ctx, kReduce[kind], {x}, mpt_attrs_reduce{kind, dims}, into, result);
    if (keep_dims) return y;
    Dims shape;
    for (int i = 0; i < x->shape.n; ++i)
        if (!(dims >> i & 1)) shape.push(x->shape[i]);
    return reshape(y, shape);
}

}  // namespace mpt
