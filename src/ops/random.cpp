#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {
constexpr Op kRandom{.name = "random", .kernel = "random"};
constexpr Op kAdvance{.name = "random_advance", .kernel = "random_advance", .updates = true};
const RegisteredOps registered_0(kRandom), registered_1(kAdvance);
constexpr std::int64_t kLanes = 4;  // numbers per Philox block
}  // namespace

Ref<Tensor> ops::random_state(Context &ctx) {
    return make<Tensor>(ctx, ctx.random, MPT_I64, Dims{2}, Dims{1}, 0);
}

void ops::seed(Context &ctx, std::uint64_t seed) {
    const std::int64_t state[2] = {static_cast<std::int64_t>(seed), 0};
    ctx.device->to_device(ctx.random->data(), state, sizeof state, nullptr);
    ++ctx.random->version;
}

void ops::random(const Ref<Tensor> &x, int kind, double a, double b) {
    Context &ctx = *x->ctx;
    const Ref<Tensor> state = random_state(ctx);
    emit1(ctx, kRandom, {state}, mpt_attrs_random{kind, 0, a, b}, x.get());
    emit1(ctx, kAdvance, {}, mpt_attrs_random_advance{(x->numel() + kLanes - 1) / kLanes}, state.get());
}

}  // namespace mpt
