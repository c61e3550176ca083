#include "ops/pool.h"
#include "ops/pool_op.h"
#include "ops/registry.h"

namespace mpt {

namespace {

template <int Rank>
void infer_avg_pool(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const Dims shape = pooled(x, call.attrs.as<PoolAttrs>(), Rank);
    out.push_back({x.dtype, shape, dense_like(shape, x.strides)});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0];
    const auto &a = call.attrs.as<PoolAttrs>();
    const Dims shape = unpooled(dy.shape, a);
    out.push_back({dy.dtype, shape, image_strides(shape, a.rows)});
}
constexpr Op kGrad{.name = "avg_pool2d_grad", .kernel = "avg_pool2d_grad", .infer = infer_grad, .arrange = arrange_pool};

void avg_pool_gradient(GradRule &g) {
    g.give(0, emit1(g.ctx(), kGrad, {g.dout(0)}, gradient_attrs(g.attrs().as<PoolAttrs>(), g.in_form(0))));
}

constexpr Op pool_op(const char *name, void (*infer)(const Call &, std::vector<Spec> &)) {
    Op op{};
    op.name = name;
    op.kernel = "avg_pool2d";
    op.infer = infer;
    op.arrange = arrange_pool;
    op.gradient = avg_pool_gradient;
    return op;
}
constexpr Op kAvgPool2d = pool_op("avg_pool2d", infer_avg_pool<kImage>), kAvgPool1d = pool_op("avg_pool1d", infer_avg_pool<kSignal>),
             kAdaptive = pool_op("adaptive_avg_pool2d", infer_avg_pool<kImage>);
const RegisteredOps registered_0(kAvgPool2d), registered_1(kAvgPool1d), registered_2(kAdaptive), registered_3(kGrad);

}  // namespace

Ref<Tensor> ops::avg_pool2d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs) { return emit1(*x->ctx, kAvgPool2d, {x}, PoolAttrs{attrs, {}, 0}); }
Ref<Tensor> ops::avg_pool1d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs) { return emit1(*x->ctx, kAvgPool1d, {x}, PoolAttrs{attrs, {}, 0}); }
Ref<Tensor> ops::adaptive_avg_pool2d(const Ref<Tensor> &x, std::int64_t height, std::int64_t width) {
    return emit1(*x->ctx, kAdaptive, {x}, adaptive_windows(*x, height, width));
}

}  // namespace mpt
