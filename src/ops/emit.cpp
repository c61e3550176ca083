#include "ops/emit.h"

namespace mpt {

void emit(Context &ctx, Call &call) { ctx.top->emit(call); }

Ref<Tensor> emit1(Context &ctx, const Op &op, std::vector<Ref<Tensor>> in, const Attrs &attrs, Tensor *into, mpt_dtype result) {
    Call call{&op, std::move(in), {}, attrs, result};
    if (into) call.out.emplace_back(into);
    emit(ctx, call);
    return std::move(call.out[0]);
}

void run_now(Context &ctx, Call &call) { ctx.run->emit(call); }

Spec rows_for_products(const Context &ctx, mpt_dtype dtype, const Dims &shape) {
    constexpr std::int64_t kLong = 256, kManyBytes = 1 << 20;
    const auto size = static_cast<std::int64_t>(dtype_size(dtype));
    const std::int64_t pack = ctx.device->row_bytes() / size, length = shape.n > 0 ? shape[shape.n - 1] : 0;
    Spec spec{dtype, shape, contiguous(shape)};
    if (pack == 0 || size != 2 || length < kLong || length % pack == 0 || numel(shape) * size < kManyBytes) return spec;
    Dims apart = shape;
    apart[shape.n - 1] = (length + pack - 1) / pack * pack;
    spec.strides = contiguous(apart);
    return spec;
}

mpt_mod_operand form_of(mpt_dtype dtype, const Dims &shape, const Dims &strides) {
    mpt_mod_operand form = {};
    form.dtype = dtype;
    form.ndim = shape.n;
    std::memcpy(form.shape, shape.v, sizeof form.shape);
    std::memcpy(form.strides, strides.v, sizeof form.strides);
    return form;
}

mpt_mod_operand form_of(const Tensor *tensor) {
    return tensor ? form_of(tensor->dtype, tensor->shape, tensor->strides) : mpt_mod_operand{};
}

}  // namespace mpt
