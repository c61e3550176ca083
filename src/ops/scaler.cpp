#include "device/attrs/scaler.h"
#include "ops/optimizer.h"
#include "ops/registry.h"

namespace mpt {

namespace {
constexpr Op kScalerUpdate{.name = "scaler_update", .kernel = "scaler_update", .updates = true};
const RegisteredOps registered(kScalerUpdate);
}  // namespace

void ops::scaler_update(const std::vector<Ref<Tensor>> &found, const Ref<Tensor> &scale, const Ref<Tensor> &tracker, const Ref<Tensor> &counts,
                        const mpt_attrs_scaler &attrs) {
    Call call{&kScalerUpdate, found, {scale, tracker, counts}, attrs};
    emit(*scale->ctx, call);
}

}  // namespace mpt
