#include "ops/sequence.h"

#include "ops/linear.h"
#include "ops/ops.h"
#include "ops/shape.h"

namespace mpt {

Spec states_like(mpt_dtype dtype, const Dims &gates, const Dims &strides, std::int64_t count) {
    const Dims shape{gates[0], gates[1], gates[2] / count};
    return {dtype, shape, dense_like(shape, strides)};
}

Ref<Tensor> in_packs(const Ref<Tensor> &x) {
    if (!x || (x->strides[2] == 1 && x->strides[0] % 8 == 0 && x->strides[1] % 8 == 0)) return x;
    return ops::contiguous(x);
}

void give_state_weight_gradients(GradRule &g, const Ref<Tensor> &first, const Ref<Tensor> &states, const Ref<Tensor> &dgates, bool reverse) {
    if (!g.needs(1) && !g.needs(2)) return;
    // The states before the steps, as rows in the gates' order of memory.
    const bool turned = dgates->strides[0] < dgates->strides[1];
    const auto view = [&](const Ref<Tensor> &t) { return turned ? ops::transpose(t, {1, 0, 2}) : t; };
    const int steps = turned ? 1 : 0;
    const std::int64_t count = dgates->shape[0];
    Ref<Tensor> before = view(ops::unsqueeze(first, 0));
    if (count > 1) {
        const Ref<Tensor> others = ops::slice(view(states), steps, reverse ? 1 : 0, count - 1);
        before = reverse ? ops::concat({others, before}, steps) : ops::concat({before, others}, steps);
    }
    give_weight_gradients(g, ops::reshape(before, rows_of(before->shape)), ops::reshape(view(dgates), rows_of(dgates->shape)));
}

}  // namespace mpt
