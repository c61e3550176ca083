#include "device/attrs/schedule.h"
#include "ops/optimizer.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer(const Call &, std::vector<Spec> &out) { out = {{MPT_F32, {}, {}}}; }

constexpr Op kSchedule{.name = "schedule", .kernel = "schedule", .infer = infer};
const RegisteredOps registered(kSchedule);

}  // namespace

Ref<Tensor> ops::schedule(const Ref<Tensor> &base, const Ref<Tensor> &step, const mpt_attrs_schedule &attrs) {
    return emit1(*base->ctx, kSchedule, {base, step}, attrs);
}

}  // namespace mpt
