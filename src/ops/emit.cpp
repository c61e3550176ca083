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
