// Multi-tensor updates: one call for all tensors of a group, in place, outside of the gradient's graph.
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

constexpr Op kGradNorm{.name = "grad_norm", .kernel = "grad_norm"};
constexpr Op kUnscale{.name = "unscale", .kernel = "unscale", .updates = true};
constexpr Op kAdam{.name = "adam", .kernel = "adam", .updates = true};
constexpr Op kSgd{.name = "sgd", .kernel = "sgd", .updates = true};
const RegisteredOps registered_0(kGradNorm), registered_1(kUnscale), registered_2(kAdam), registered_3(kSgd);

void append(std::vector<Ref<Tensor>> &list, const std::vector<Ref<Tensor>> &more) { list.insert(list.end(), more.begin(), more.end()); }

void update(const Op &op, const ops::UpdateOperands &o, const Attrs &attrs) {
    Call call{&op, {o.lr, o.found, o.scale, o.norm}, {o.step, o.counts}, attrs};
    append(call.in, o.grads);
    append(call.out, o.masters);
    append(call.out, o.first);
    append(call.out, o.second);
    append(call.out, o.copies);
    emit(*o.lr->ctx, call);
}

}  // namespace

void ops::grad_norm(const Ref<Tensor> &scale, const std::vector<Ref<Tensor>> &grads, const Ref<Tensor> &found, const Ref<Tensor> &norm) {
    Call call{&kGradNorm, {scale}, {found, norm}, {}};
    append(call.in, grads);
    emit(*found->ctx, call);
}

void ops::unscale(const Ref<Tensor> &scale, const std::vector<Ref<Tensor>> &grads) {
    Call call{&kUnscale, {scale}, grads, {}};
    emit(*scale->ctx, call);
}

void ops::adam(const UpdateOperands &o, mpt_attrs_adam attrs) {
    attrs.n = static_cast<std::int32_t>(o.grads.size());
    attrs.copies = static_cast<std::int32_t>(o.copies.size() / o.grads.size());
    update(kAdam, o, attrs);
}

void ops::sgd(const UpdateOperands &o, mpt_attrs_sgd attrs) {
    attrs.n = static_cast<std::int32_t>(o.grads.size());
    attrs.copies = static_cast<std::int32_t>(o.copies.size() / o.grads.size());
    update(kSgd, o, attrs);
}

}  // namespace mpt
