// The product that a recurrent layer makes at each step with the same weight. The weight's gradient is the sum of the steps': it is made
// of all of them at once, behind the last of the walk, which is the first of the sequence.
#include "core/dtype.h"
#include "ops/linear.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "ops/shape.h"

namespace mpt {

namespace {

void gradient(GradRule &g) {
    auto &steps = static_cast<ops::Steps &>(*g.keep());
    const Ref<Tensor> dy = g.dout(0);
    give_input_gradient(g, dy);
    if (!g.needs(1) && !g.needs(2)) return;
    const Ref<Tensor> x = g.in(0);
    if (is_f8(x->dtype)) return give_weight_gradients(g, x, dy);  // each step may have a scale of its own
    steps.inputs.push_back(ops::cast(x, (steps.inputs.empty() ? x : steps.inputs[0])->dtype));
    steps.gradients.push_back(dy);
    if (g.attrs().as<std::int64_t>() != 0) return;
    const ops::Steps all{std::move(steps.inputs), std::move(steps.gradients)};
    steps.inputs.clear();
    steps.gradients.clear();
    give_weight_gradients(g, ops::concat(all.inputs, 0), ops::concat(all.gradients, 0));
}

}  // namespace

Ref<Tensor> ops::step_linear(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const Ref<Steps> &steps, std::int64_t number) {
    static const Op op = linear_op(gradient);
    Call call{&op, {x, weight, bias}, {}, number};
    call.keep = steps;
    emit(*x->ctx, call);
    return std::move(call.out[0]);
}

}  // namespace mpt
