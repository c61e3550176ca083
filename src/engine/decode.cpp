#include "engine/decode.h"

#include <algorithm>
#include <utility>

#include "ops/fp8.h"
#include "ops/ops.h"

namespace mpt {

Ref<Tensor> Decode::decoded(const Ref<Tensor> &x) const { return x && is_f8(x->dtype) ? ops::cast(x, MPT_F32) : x; }

void Decode::emit(Call &call) {
    // What autocast has quantized; an fp8 tensor of the host's own is refused by the op.
    const auto quantized = [](const Ref<Tensor> &x) { return x && is_f8(x->dtype) && x->scaling; };
    if (call.op->precision != Precision::Lower || call.in.size() < 2 || !(quantized(call.in[0]) || quantized(call.in[1]))) return next_->emit(call);
    // What is emitted here is part of the product: no policy and no graph.
    ScopeGuard guard(ctx_);
    ctx_.scope.policy = nullptr;
    ctx_.scope.grad = false;
    if (call.op->scaled) {
        if (Ref<Tensor> y = call.op->scaled(call)) {
            call.out.resize(std::max<std::size_t>(call.out.size(), 1));
            call.out[0] = std::move(y);
            return;
        }
    }
    // The inner product accumulates in f32, unscaled; the bias comes behind the scales.
    Call inner{call.op, call.in, {}, call.attrs};
    for (Ref<Tensor> &x : inner.in) x = decoded(x);
    const Ref<Tensor> bias = inner.in.size() > 2 ? inner.in[2] : nullptr;
    if (bias) inner.in[2] = nullptr;
    next_->emit(inner);

    // A bias lies along the channels: the last dimension behind a matrix, the second behind filters.
    const Ref<Tensor> &acc = inner.out[0];
    Ref<Tensor> along = bias;
    if (bias && call.in[1]->shape.n > 2) {
        Dims shape{bias->shape[0]};
        for (int i = 2; i < acc->shape.n; ++i) shape.push(1);
        along = ops::reshape(bias, shape);
    }
    call.out.resize(inner.out.size());
    call.out[0] = ops::rescale(acc, call.in[0]->inverse_scale, call.in[1]->inverse_scale, along, call.result, call.out[0].get());
}

}  // namespace mpt
