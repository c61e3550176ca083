#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_cast(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({call.result, x.shape, dense_like(x.shape, x.strides)});
}
void infer_contiguous(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({x.dtype, x.shape, contiguous(x.shape)});
}
// A copy into a given tensor; the source is broadcast.
void arrange_copy(const Call &call, KernelCall &kernel) {
    const Tensor &x = *call.in[0];
    kernel.in[0] = form_of(x.dtype, call.out[0]->shape, broadcast_strides(x.shape, x.strides, call.out[0]->shape));
}

constexpr Op copy_op(const char *name, void (*infer)(const Call &, std::vector<Spec> &), bool passes_gradient) {
    Op op{};
    op.name = name;
    op.kernel = "copy";
    op.infer = infer;
    op.arrange = arrange_copy;
    op.passes_gradient = passes_gradient;
    return op;
}
constexpr Op kCast = copy_op("cast", infer_cast, true);
constexpr Op kContiguous = copy_op("contiguous", infer_contiguous, true);
constexpr Op kCopy = copy_op("copy", nullptr, false);
const RegisteredOps registered_0(kCast), registered_1(kContiguous), registered_2(kCopy);

}  // namespace

Ref<Tensor> ops::cast(const Ref<Tensor> &x, mpt_dtype dtype) {
    return x->dtype == dtype ? x : emit1(*x->ctx, kCast, {x}, {}, nullptr, dtype);
}

Ref<Tensor> ops::contiguous(const Ref<Tensor> &x) { return x->contiguous() ? x : emit1(*x->ctx, kContiguous, {x}); }

Ref<Tensor> ops::clone(const Ref<Tensor> &x) { return emit1(*x->ctx, kCast, {x}, {}, nullptr, x->dtype); }

void ops::copy_into(const Ref<Tensor> &to, const Ref<Tensor> &from) {
    Dims shape;
    if (!broadcast(to->shape, from->shape, shape) || !(shape == to->shape))
        fail(MPT_ERROR_SHAPE, "argument 'src' has shape ", from->shape, ", which does not broadcast to ", to->shape);
    emit1(*to->ctx, kCopy, {from}, {}, to.get());
}

}  // namespace mpt
