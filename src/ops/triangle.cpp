#include "device/attrs/shape.h"
#include "ops/checks.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/shape.h"

namespace mpt {

namespace {

void infer_triangle(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    need_floating(x, "x");
    if (x.shape.n < 2) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": a triangle needs 2 dimensions");
    out.push_back({x.dtype, x.shape, contiguous(x.shape)});
}

void triangle_gradient(GradRule &g) {
    const auto &attrs = g.attrs().as<mpt_attrs_triangle>();
    g.give(0, ops::triangle(g.dout(0), attrs.diagonal, attrs.upper != 0));
}

constexpr Op kTriangle[] = {{.name = "tril", .kernel = "triangle", .infer = infer_triangle, .gradient = triangle_gradient},
                            {.name = "triu", .kernel = "triangle", .infer = infer_triangle, .gradient = triangle_gradient}};
const RegisteredOps registered(kTriangle);

}  // namespace

Ref<Tensor> ops::triangle(const Ref<Tensor> &x, std::int64_t diagonal, bool upper) {
    return emit1(*x->ctx, kTriangle[upper ? 1 : 0], {x}, mpt_attrs_triangle{diagonal, upper ? 1 : 0});
}

}  // namespace mpt
