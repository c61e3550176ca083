#include "core/error.h"
#include "ops/loss.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_cosine(const Call &call, std::vector<Spec> &out) {
    const Tensor &a = *call.in[0], &b = *call.in[1];
    ops::need_floating(a, "a");
    ops::need_floating(b, "b");
    if (!(a.shape == b.shape))
        fail(MPT_ERROR_SHAPE, "argument 'b' has shape ", b.shape, " but 'a' has ", a.shape, ": they must be equal");
    Dims shape;
    for (int d = 0; d < a.shape.n; ++d)
        if (d != call.attrs.as<mpt_attrs_cosine>().dim) shape.push(a.shape[d]);
    const mpt_dtype dtype = wide(promote(a.dtype, b.dtype));
    for (int i = 0; i < 3; ++i) out.push_back({dtype, shape, contiguous(shape)});  // the similarity, |a| and |b|
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[static_cast<std::size_t>(call.attrs.as<mpt_attrs_cosine>().side)];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}
constexpr Op kGrad{.name = "cosine_similarity_grad", .kernel = "cosine_grad", .infer = infer_grad};

void cosine_gradient(GradRule &g) {
    auto attrs = g.attrs().as<mpt_attrs_cosine>();
    for (attrs.side = 0; attrs.side < 2; ++attrs.side)
        if (g.needs(attrs.side))
            g.give(attrs.side, emit1(g.ctx(), kGrad, {g.in(0), g.in(1), g.out(0), g.out(1), g.out(2), g.dout(0)}, attrs));
}

constexpr Op kCosine{.name = "cosine_similarity",
                     .kernel = "cosine",
                     .precision = Precision::F32Result,
                     .infer = infer_cosine,
                     .gradient = cosine_gradient,
                     .saves_in = 3,
                     .saves_out = 7};
const RegisteredOps registered_0(kCosine), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::cosine_similarity(const Ref<Tensor> &a, const Ref<Tensor> &b, int dim, double eps) {
    return emit1(*a->ctx, kCosine, {a, b}, mpt_attrs_cosine{dim, 0, eps});
}

Ref<Tensor> ops::cosine_embedding(const Ref<Tensor> &a, const Ref<Tensor> &b, const Ref<Tensor> &target, double margin,
                                  mpt_reduction reduction) {
    if (a->shape.n != 2) fail(MPT_ERROR_SHAPE, "argument 'a' has shape ", a->shape, ": it is [N, D], reshape it");
    need_floating(*target, "target");
    if (!(target->shape == Dims{a->shape[0]}))
        fail(MPT_ERROR_SHAPE, "argument 'target' has shape ", target->shape, ": it must be [", a->shape[0],
             "], one per row of 'a'");
    constexpr double kEps = 1e-12;  // so that a row of zeros has the cosine 0
    return pointwise_loss(cosine_similarity(a, b, 1, kEps), target, MPT_LOSS_COSINE, reduction, margin);
}

}  // namespace mpt
