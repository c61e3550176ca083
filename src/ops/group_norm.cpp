#include "core/error.h"
#include "device/attrs/norm.h"
#include "ops/norm.h"
#include "ops/norm_op.h"
#include "ops/registry.h"

namespace mpt {

namespace {

constexpr Op norm_op(const char *name) {
    Op op{};
    op.name = name;
    op.kernel = "channel_norm";
    op.cast = 1;
    op.infer = infer_channel_norm;
    op.gradient = channel_norm_gradient;
    op.saves_in = 3;
    op.saves_out = 6;
    return op;
}
constexpr Op kGroupNorm = norm_op("group_norm"), kInstanceNorm = norm_op("instance_norm");
const RegisteredOps registered_0(kGroupNorm), registered_1(kInstanceNorm);

Ref<Tensor> per_image(const Op &op, const Ref<Tensor> &x, std::int64_t groups, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps) {
    check_eps(eps);
    return emit1(*x->ctx, op, {x, weight, bias, nullptr, nullptr}, mpt_attrs_channel_norm{eps, 0, groups, 1, 0});
}

void check_rank(const Tensor &x) {
    if (x.shape.n < 2) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": it is [N, C, ...]");
}

}  // namespace

Ref<Tensor> ops::group_norm(const Ref<Tensor> &x, std::int64_t groups, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps) {
    check_rank(*x);
    if (groups < 1) fail(MPT_ERROR_ARGUMENT, "argument 'groups' is ", groups, ": it must be at least 1");
    if (x->shape[1] % groups != 0) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": its second extent is not a multiple of groups = ", groups);
    return per_image(kGroupNorm, x, groups, weight, bias, eps);
}

Ref<Tensor> ops::instance_norm(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps) {
    check_rank(*x);
    return per_image(kInstanceNorm, x, x->shape[1], weight, bias, eps);
}

}  // namespace mpt
