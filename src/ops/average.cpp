#include "device/attrs/average.h"
#include "ops/optimizer.h"
#include "ops/registry.h"

namespace mpt {

namespace {

constexpr Op kAverage{.name = "average", .kernel = "average", .updates = true};
constexpr Op kSwap{.name = "average_swap", .kernel = "average_swap", .updates = true};
const RegisteredOps registered_0(kAverage), registered_1(kSwap);

}  // namespace

void ops::average(const Ref<Tensor> &step, const std::vector<Ref<Tensor>> &parameters, const Ref<Tensor> &last,
                  const std::vector<Ref<Tensor>> &averages, double decay) {
    mpt_attrs_average attrs = {};
    attrs.decay = decay;
    attrs.n = static_cast<std::int32_t>(parameters.size());
    Call call{&kAverage, {step}, {last}, attrs};
    ops::append(call.in, parameters);
    ops::append(call.out, averages);
    emit(*step->ctx, call);
}

void ops::average_swap(const std::vector<Ref<Tensor>> &parameters, const std::vector<Ref<Tensor>> &averages, const std::vector<Ref<Tensor>> &rests,
                       const std::vector<Ref<Tensor>> &copies) {
    mpt_attrs_average_swap attrs = {};
    attrs.n = static_cast<std::int32_t>(parameters.size());
    attrs.copies = static_cast<std::int32_t>(copies.size() / parameters.size());
    Call call{&kSwap, {}, parameters, attrs};
    ops::append(call.out, averages);
    ops::append(call.out, rests);
    ops::append(call.out, copies);
    emit(*parameters[0]->ctx, call);
}

}  // namespace mpt
