#include "ops/attention.h"

#include <cmath>

#include "core/error.h"
#include "device/attrs/data.h"
#include "ops/ops.h"
#include "ops/random.h"
#include "ops/registry.h"

namespace mpt {

namespace {

constexpr std::int64_t kLanes = 4;  // numbers per Philox block

// The kernel of the gradient sees the first member.
struct GradAttrs {
    mpt_attrs_attention attention;
    std::int64_t wanted;  // of dq, dk, dv, as bits
};

// Strides of a logical [B,H,T,E] that lies in memory as [B,T,H,E].
Dims heads_inside(const Dims &shape) {
    const std::int64_t h = shape[1], t = shape[2], e = shape[3];
    return {t * h * e, e, h * e, 1};
}

void infer_attention(const Call &call, std::vector<Spec> &out) {
    const Tensor &q = *call.in[0], &k = *call.in[1], &v = *call.in[2];
    for (const auto &[x, name] : {std::pair{&q, "q"}, std::pair{&k, "k"}, std::pair{&v, "v"}}) {
        if (x->shape.n != 4) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", x->shape, ": it is [batch, heads, positions, features], reshape it");
        if (!is_floating(x->dtype)) fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x->dtype), ", which is not a floating type: cast it first");
        if (x->dtype != q.dtype) fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x->dtype), " but 'q' is ", dtype_name(q.dtype), ": cast one of them");
        if (x->shape[0] != q.shape[0] || x->shape[1] != q.shape[1])
            fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", x->shape, ": batch and heads must be those of 'q' ", q.shape, ", expand it");
    }
    if (q.shape[3] < 1) fail(MPT_ERROR_SHAPE, "argument 'q' has shape ", q.shape, ": it needs at least one feature");
    if (k.shape[3] != q.shape[3]) fail(MPT_ERROR_SHAPE, "argument 'k' has shape ", k.shape, ": its last extent must be ", q.shape[3], ", that of 'q' ", q.shape);
    if (v.shape[2] != k.shape[2]) fail(MPT_ERROR_SHAPE, "argument 'v' has shape ", v.shape, ": its third extent must be ", k.shape[2], ", that of 'k' ", k.shape);
    const Dims rows{q.shape[0], q.shape[1], q.shape[2]}, shape{q.shape[0], q.shape[1], q.shape[2], v.shape[3]};
    if (const Tensor *mask = call.in[3].get()) {
        const Dims scores{q.shape[0], q.shape[1], q.shape[2], k.shape[2]};
        Dims both;
        if (!broadcast(mask->shape, scores, both) || !(both == scores))
            fail(MPT_ERROR_SHAPE, "argument 'mask' has shape ", mask->shape, ": it must broadcast to ", scores, ", batch, heads, positions of 'q' and of 'k'");
        if (mask->dtype != MPT_BOOL && mask->dtype != q.dtype && mask->dtype != wide(q.dtype))
            fail(MPT_ERROR_DTYPE, "argument 'mask' is ", dtype_name(mask->dtype), ": with 'q' of ", dtype_name(q.dtype), " it is bool, that, or ", dtype_name(wide(q.dtype)));
    }
    out.push_back({q.dtype, shape, heads_inside(shape)});
    out.push_back({wide(q.dtype), rows, contiguous(rows)});
    out.push_back({call.in[4] ? MPT_I64 : MPT_DTYPE_NONE, Dims{2}, Dims{1}});
}

// The kernel sees the mask in the scores' shape.
void arrange_mask(const Call &call, KernelCall &kernel) {
    const Tensor *mask = call.in[3].get();
    if (!mask) return;
    const Dims &q = call.in[0]->shape, scores{q[0], q[1], q[2], call.in[1]->shape[2]};
    kernel.in[3] = form_of(mask->dtype, scores, broadcast_strides(mask->shape, mask->strides, scores));
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    for (int i = 0; i < 3; ++i) {
        const Tensor &x = *call.in[static_cast<std::size_t>(i)];
        const bool wanted = call.attrs.as<GradAttrs>().wanted >> i & 1;
        out.push_back({wanted ? x.dtype : MPT_DTYPE_NONE, x.shape, heads_inside(x.shape)});
    }
}
void arrange_grad(const Call &call, KernelCall &kernel) {
    arrange_mask(call, kernel);
    kernel.attrs_bytes = sizeof(mpt_attrs_attention);
}
// In the forward's formats whatever a policy says of the gradient's role: it reads the forward's log-sum-exp, which fits the scores of
// the forward's operands alone.
constexpr Op kGrad{.name = "attention_grad", .kernel = "attention_grad", .infer = infer_grad, .arrange = arrange_grad};

void attention_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    GradAttrs attrs{g.attrs().as<mpt_attrs_attention>(), 0};
    for (int i = 0; i < 3; ++i) attrs.wanted |= std::int64_t{g.needs(i)} << i;
    const Ref<Tensor> mask = g.in_form(3).dtype == MPT_DTYPE_NONE ? nullptr : g.in(3);
    const Ref<Tensor> state = g.in_form(4).dtype == MPT_DTYPE_NONE ? nullptr : g.out(2);
    Call call{&kGrad, {g.in(0), g.in(1), g.in(2), mask, g.out(0), g.out(1), g.dout(0), state}, {}, attrs};
    emit(g.ctx(), call);
    for (int i = 0; i < 3; ++i)
        if (g.needs(i)) g.give(i, call.out[static_cast<std::size_t>(i)]);
}

constexpr Op kAttention{.name = "attention",
                        .kernel = "attention",
                        .precision = Precision::Lower,
                        .cast = 7,  // the mask is added in f32 as it is
                        .infer = infer_attention,
                        .arrange = arrange_mask,
                        .gradient = attention_gradient,
                        .saves_in = 15,
                        .saves_out = 7};
const RegisteredOps registered_0(kAttention), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::attention(const Ref<Tensor> &q, const Ref<Tensor> &k, const Ref<Tensor> &v, const Ref<Tensor> &mask,
                           const mpt_attrs_attention &attrs) {
    Context &ctx = *q->ctx;
    mpt_attrs_attention given = attrs;
    if (given.scale == 0 && q->shape.n == 4) given.scale = 1 / std::sqrt(static_cast<double>(q->shape[3]));
    const Ref<Tensor> state = attrs.dropout > 0 ? random_state(ctx) : nullptr;
    Ref<Tensor> out = emit1(ctx, kAttention, {q, k, v, mask, state}, given);
    if (state) {
        const std::int64_t rows = q->shape[0] * q->shape[1] * q->shape[2];
        const std::int64_t blocks = rows * ((k->shape[2] + kLanes - 1) / kLanes);
        advance_random(ctx, blocks * kLanes);
    }
    return out;
}

}  // namespace mpt
