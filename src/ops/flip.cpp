// A view with negative strides, which no tensor outside of this file has, and a copy of it.
#include "ops/checks.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/shape.h"

namespace mpt {

namespace {

struct FlipAttrs {
    std::int64_t dims;
};

void infer_flip(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    refuse_fp8(x, "x");
    Spec spec{x.dtype, x.shape, x.strides, x.offset};
    for (int i = 0; i < x.shape.n; ++i) {
        if (!(call.attrs.as<FlipAttrs>().dims >> i & 1) || x.shape[i] == 0) continue;
        spec.offset += (x.shape[i] - 1) * x.strides[i];
        spec.strides[i] = -x.strides[i];
    }
    out.push_back(spec);
}
void flip_gradient(GradRule &g) {
    g.give(0, ops::flip(g.dout(0), static_cast<unsigned>(g.attrs().as<FlipAttrs>().dims)));
}

constexpr Op kFlip{.name = "flip", .infer = infer_flip, .gradient = flip_gradient};
const RegisteredOps registered(kFlip);

}  // namespace

Ref<Tensor> ops::flip(const Ref<Tensor> &x, unsigned dims) {
    return clone(emit1(*x->ctx, kFlip, {x}, FlipAttrs{dims}));
}

}  // namespace mpt
