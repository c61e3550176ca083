#include "device/attrs/data.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// The kernel sees the first member; the shape is for a tensor made on the way.
struct FullAttrs {
    mpt_attrs_fill fill;
    Dims shape;
};

void infer_full(const Call &call, std::vector<Spec> &out) {
    const Dims &shape = call.attrs.as<FullAttrs>().shape;
    out.push_back({call.result, shape, contiguous(shape)});
}
void arrange_full(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_fill); }

constexpr Op kFill{.name = "fill", .kernel = "fill"};
constexpr Op kFull{.name = "full", .kernel = "fill", .infer = infer_full, .arrange = arrange_full};
const RegisteredOps registered_0(kFill), registered_1(kFull);

}  // namespace

void ops::fill(const Ref<Tensor> &x, double value) { emit1(*x->ctx, kFill, {}, mpt_attrs_fill{value}, x.get()); }

void ops::fill_now(const Ref<Tensor> &x, double value) {
    Call call{&kFill, {}, {x}, mpt_attrs_fill{value}};
    run_now(*x->ctx, call);
}

Ref<Tensor> ops::full(Context &ctx, mpt_dtype dtype, const Dims &shape, double value) {
    return emit1(ctx, kFull, {}, FullAttrs{{value}, shape}, nullptr, dtype);
}

}  // namespace mpt
