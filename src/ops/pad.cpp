#include <algorithm>
#include <limits>

#include "device/attrs/shape.h"
#include "ops/checks.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/shape.h"

namespace mpt {

namespace {

void infer_pad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &attrs = call.attrs.as<mpt_attrs_pad>();
    refuse_fp8(x, "x");
    Dims shape = x.shape;
    for (int i = 0; i < shape.n; ++i)
        if (__builtin_add_overflow(shape[i], std::int64_t{attrs.before[i]} + attrs.after[i], &shape[i]))
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": dimension ", i, " would be longer than 2^63");
    checked_bytes(shape, x.dtype);
    out.push_back({x.dtype, shape, dense_like(shape, x.strides)});
}

void pad_gradient(GradRule &g) {
    const auto &attrs = g.attrs().as<mpt_attrs_pad>();
    Ref<Tensor> dx = g.dout(0);
    for (int i = 0; i < dx->shape.n; ++i) dx = ops::slice(dx, i, attrs.before[i], g.in_form(0).shape[i]);
    g.give(0, dx);
}

constexpr Op kPad{.name = "pad", .kernel = "pad", .infer = infer_pad, .gradient = pad_gradient};
const RegisteredOps registered(kPad);

std::int32_t margin(std::int64_t n, const char *name) {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    if (n > kMost) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' has ", n, ": at most ", kMost, " elements can be added at once");
    return static_cast<std::int32_t>(std::max<std::int64_t>(n, 0));
}

}  // namespace

Ref<Tensor> ops::pad(const Ref<Tensor> &x, const Dims &before, const Dims &after, double value) {
    mpt_attrs_pad attrs = {};
    attrs.value = value;
    Ref<Tensor> rest = x;
    for (int i = 0; i < x->shape.n; ++i) {
        attrs.before[i] = margin(before[i], "before");
        attrs.after[i] = margin(after[i], "after");
        const std::int64_t extent = x->shape[i];
        // Cut amounts are compared before they are negated or added: each may be as low as -2^63.
        const std::int64_t front = std::min<std::int64_t>(before[i], 0), back = std::min<std::int64_t>(after[i], 0);
        if (front < -extent || back < -extent || front + back < -extent)
            fail(MPT_ERROR_SHAPE, "arguments 'before' and 'after' cut ", before[i], " and ", after[i], " from dimension ", i,
                 ", which has ", extent, " elements");
        if (front + back < 0) rest = slice(rest, i, -front, extent + front + back);
    }
    return emit1(*x->ctx, kPad, {rest}, attrs);
}

}  // namespace mpt
