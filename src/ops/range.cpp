#include "device/attrs/shape.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/shape.h"

namespace mpt {

namespace {

constexpr Op kRange{.name = "range", .kernel = "range"};
const RegisteredOps registered(kRange);

}  // namespace

void ops::fill_range(const Ref<Tensor> &x, double start, double step) {
    emit1(*x->ctx, kRange, {}, mpt_attrs_range{start, step}, x.get());
}

}  // namespace mpt
