#include "device/attrs/scan.h"
#include "ops/checks.h"
#include "ops/registry.h"
#include "ops/statistics.h"

namespace mpt {

namespace {

void infer_cumsum(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    need_floating(x, "x");
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}

void cumsum_gradient(GradRule &g) {
    const auto &attrs = g.attrs().as<mpt_attrs_scan>();
    g.give(0, ops::cumsum(g.dout(0), attrs.dim, attrs.reverse == 0));
}

constexpr Op kCumsum{
    .name = "cumsum", .kernel = "cumsum", .precision = Precision::F32, .infer = infer_cumsum, .gradient = cumsum_gradient};
const RegisteredOps registered(kCumsum);

}  // namespace

Ref<Tensor> ops::cumsum(const Ref<Tensor> &x, int dim, bool reverse) {
    return emit1(*x->ctx, kCumsum, {x}, mpt_attrs_scan{dim, reverse ? 1 : 0});
}

}  // namespace mpt
