#include "device/attrs/index.h"
#include "ops/checks.h"
#include "ops/index.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// The kernel has no attributes of its own.
struct OneHotAttrs {
    std::int64_t classes;
};

void infer_one_hot(const Call &call, std::vector<Spec> &out) {
    const Tensor &index = *call.in[0];
    need_index(index, "index");
    if (is_f8(call.result))
        fail(MPT_ERROR_DTYPE, "argument 'dtype' is ", dtype_name(call.result), ", which only products and casts take");
    Dims shape = index.shape;
    if (shape.n == MPT_MAX_DIMS)
        fail(MPT_ERROR_SHAPE, "argument 'index' has shape ", shape, ": the result would have more than ",
             static_cast<int>(MPT_MAX_DIMS), " dimensions");
    shape.push(call.attrs.as<OneHotAttrs>().classes);
    checked_bytes(shape, call.result);
    out.push_back({call.result, shape, contiguous(shape)});
}
void arrange_one_hot(const Call &, KernelCall &kernel) {
    kernel.attrs_bytes = 0;
}

constexpr Op kOneHot{.name = "one_hot", .kernel = "one_hot", .infer = infer_one_hot, .arrange = arrange_one_hot};
const RegisteredOps registered(kOneHot);

}  // namespace

Ref<Tensor> ops::one_hot(const Ref<Tensor> &index, std::int64_t classes, mpt_dtype dtype) {
    return emit1(*index->ctx, kOneHot, {index}, OneHotAttrs{classes}, nullptr, dtype);
}

}  // namespace mpt
