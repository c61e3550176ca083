#include "core/error.h"
#include "ops/fp8.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

Dims batch_of(const Dims &shape) {
    Dims batch = shape;
    batch.n -= 2;
    return batch;
}

void infer_matmul(const Call &call, std::vector<Spec> &out) {
    const Tensor &a = *call.in[0], &b = *call.in[1];
    for (const auto &[x, name] : {std::pair{&a, "a"}, std::pair{&b, "b"}}) {
        if (x->shape.n < 2) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", x->shape, ": a matrix has at least 2 dimensions, reshape it");
        if (!is_floating(x->dtype)) fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x->dtype), ", which is not a floating type: cast it first");
    }
    if (a.shape[a.shape.n - 1] != b.shape[b.shape.n - 2])
        fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b.shape, ", whose second but last extent is not the last of ", a.shape, " of 'a'");
    Dims shape;
    if (!broadcast(batch_of(a.shape), batch_of(b.shape), shape))
        fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b.shape, ", whose leading extents do not broadcast with those of ", a.shape, " of 'a'");
    shape.push(a.shape[a.shape.n - 2]);
    shape.push(b.shape[b.shape.n - 1]);
    out.push_back(rows_for_products(*a.ctx, call.result == MPT_DTYPE_NONE ? a.dtype : call.result, shape));
}

void arrange_matmul(const Call &call, KernelCall &kernel) {
    const Dims &out = call.out[0]->shape;
    for (int i = 0; i < 2; ++i) {
        const Tensor &x = *call.in[i];
        Dims shape = out;
        shape[out.n - 2] = x.shape[x.shape.n - 2];
        shape[out.n - 1] = x.shape[x.shape.n - 1];
        kernel.in[i] = form_of(x.dtype, shape, broadcast_strides(x.shape, x.strides, shape));
    }
    kernel.in.resize(3);  // no bias
}

void matmul_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    if (g.needs(0)) g.give(0, ops::sum_to(ops::matmul(g.dout(0), ops::transpose_last(g.in(1))), g.in_form(0).shape));
    if (g.needs(1)) g.give(1, ops::sum_to(ops::matmul(ops::transpose_last(g.in(0)), g.dout(0)), g.in_form(1).shape));
}

Ref<Tensor> matmul_scaled(const Call &call) {
    const Dims &a = call.in[0]->shape, &b = call.in[1]->shape;
    if (a.n != 2 || b.n != 2 || a[1] != b[0]) return nullptr;  // with a batch; or wrong, which the op refuses in its own words
    return ops::scaled_matmul(call.in[0], call.in[1], nullptr, call.result, call.out.empty() ? nullptr : call.out[0].get());
}

constexpr Op kMatmul{.name = "matmul",
                     .kernel = "matmul",
                     .precision = Precision::Lower,
                     .infer = infer_matmul,
                     .arrange = arrange_matmul,
                     .scaled = matmul_scaled,
                     .gradient = matmul_gradient,
                     .saves_in = 3,
                     .crosswise = true};
const RegisteredOps registered(kMatmul);

}  // namespace

Ref<Tensor> ops::matmul(const Ref<Tensor> &a, const Ref<Tensor> &b, mpt_dtype result, Tensor *into) {
    return emit1(*a->ctx, kMatmul, {a, b}, {}, into, result);
}

}  // namespace mpt
