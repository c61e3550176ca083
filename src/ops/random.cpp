#include "device/attrs/data.h"
#include "ops/ops.h"
#include "ops/random.h"
#include "ops/registry.h"
#include "ops/together.h"

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
    settle(ctx);
    ctx.device->to_device(ctx.random->data(), state, sizeof state, ctx.stream());
    ++ctx.random->version;
}

void ops::random(const Ref<Tensor> &x, int kind, double a, double b) {
    Context &ctx = *x->ctx;
    const Ref<Tensor> state = random_state(ctx);
    emit1(ctx, kRandom, {state}, mpt_attrs_random{kind, 0, a, b}, x.get());
    advance_random(ctx, x->numel());
}

void ops::advance_random(Context &ctx, std::int64_t numbers) {
    emit1(ctx, kAdvance, {}, mpt_attrs_random_advance{(numbers + kLanes - 1) / kLanes}, random_state(ctx).get());
}

}  // namespace mpt
