#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/pool_op.h"
#include "ops/registry.h"

namespace mpt {

namespace {

template <int Rank>
void infer_max_pool(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &a = call.attrs.as<PoolAttrs>();
    const Dims shape = pooled(x, a, Rank), strides = dense_like(shape, x.strides);
    out.push_back({x.dtype, shape, strides});
    out.push_back({std::int64_t{a.pool.kernel[0]} * a.pool.kernel[1] <= 256 ? MPT_U8 : MPT_I32, shape, strides});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &dy = *call.in[0];
    const Dims shape = unpooled(dy.shape, call.attrs.as<PoolAttrs>());
    out.push_back({dy.dtype, shape, dense_like(shape, call.in[1]->strides)});
}
constexpr Op kGrad{.name = "max_pool2d_grad", .kernel = "max_pool2d_grad", .infer = infer_grad, .arrange = arrange_pool};

void max_pool_gradient(GradRule &g) {
    g.give(0, emit1(g.ctx(), kGrad, {g.dout(0), g.out(1)}, gradient_attrs(g.attrs().as<PoolAttrs>(), g.in_form(0))));
}

constexpr Op pool_op(const char *name, void (*infer)(const Call &, std::vector<Spec> &)) {
    Op op{};
    op.name = name;
    op.kernel = "max_pool2d";
    op.infer = infer;
    op.arrange = arrange_pool;
    op.gradient = max_pool_gradient;
    op.saves_out = 2;
    return op;
}
constexpr Op kMaxPool2d = pool_op("max_pool2d", infer_max_pool<kImage>), kMaxPool1d = pool_op("max_pool1d", infer_max_pool<kSignal>),
             kAdaptive = pool_op("adaptive_max_pool2d", infer_max_pool<kImage>);
const RegisteredOps registered_0(kMaxPool2d), registered_1(kMaxPool1d), registered_2(kAdaptive), registered_3(kGrad);

}  // namespace

Ref<Tensor> ops::max_pool2d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs) { return emit1(*x->ctx, kMaxPool2d, {x}, PoolAttrs{attrs, {}, 0}); }
Ref<Tensor> ops::max_pool1d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs) { return emit1(*x->ctx, kMaxPool1d, {x}, PoolAttrs{attrs, {}, 0}); }
Ref<Tensor> ops::adaptive_max_pool2d(const Ref<Tensor> &x, std::int64_t height, std::int64_t width) {
    return emit1(*x->ctx, kAdaptive, {x}, adaptive_windows(*x, height, width));
}

}  // namespace mpt
