// Multi-tensor updates: one call for all tensors of a group, in place, outside of the gradient's graph.
#include "ops/optimizer.h"

#include "device/attrs/optimizer.h"
#include "ops/registry.h"

namespace mpt {

namespace {

constexpr Op kGradNorm{.name = "grad_norm", .kernel = "grad_norm"};
constexpr Op kUnscale{.name = "unscale", .kernel = "unscale", .updates = true};
constexpr Op kRules[] = {
    {.name = "sgd", .kernel = "sgd", .updates = true},
    {.name = "adam", .kernel = "adam", .updates = true},
    {.name = "lamb", .kernel = "lamb", .updates = true},
    {.name = "adagrad", .kernel = "adagrad", .updates = true},
    {.name = "adadelta", .kernel = "adadelta", .updates = true},
    {.name = "rmsprop", .kernel = "rmsprop", .updates = true},
};
enum Rule { kSgd, kAdam, kLamb, kAdagrad, kAdadelta, kRmsprop };
const RegisteredOps registered_0(kGradNorm), registered_1(kUnscale), registered_2(kRules);

template <class A>
void update(Rule rule, const ops::UpdateOperands &o, const A &given) {
    A attrs = given;
    attrs.common.n = static_cast<std::int32_t>(o.grads.size());
    attrs.common.copies = static_cast<std::int32_t>(o.copies.size() / o.grads.size());
    Call call{&kRules[rule], {o.lr, o.found, o.scale, o.norm}, {o.step, o.counts, o.rate, o.random}, attrs};
    ops::append(call.in, o.grads);
    ops::append(call.out, o.parameters);
    ops::append(call.out, o.states);
    ops::append(call.out, o.compensations);
    ops::append(call.out, o.copies);
    emit(*o.lr->ctx, call);
}

}  // namespace

void ops::grad_norm(const Ref<Tensor> &scale, const std::vector<Ref<Tensor>> &grads, const Ref<Tensor> &found, const Ref<Tensor> &norm,
                    const Ref<Tensor> &clipped, double max_value) {
    Call call{&kGradNorm, {scale}, {found, norm, clipped}, mpt_attrs_grad_norm{max_value}};
    ops::append(call.in, grads);
    emit(*found->ctx, call);
}

void ops::unscale(const Ref<Tensor> &scale, const std::vector<Ref<Tensor>> &grads) {
    Call call{&kUnscale, {scale}, grads, {}};
    emit(*scale->ctx, call);
}

void ops::sgd(const UpdateOperands &o, const mpt_attrs_sgd &a) { update(kSgd, o, a); }
void ops::adam(const UpdateOperands &o, const mpt_attrs_adam &a) { update(kAdam, o, a); }
void ops::lamb(const UpdateOperands &o, const mpt_attrs_adam &a) { update(kLamb, o, a); }
void ops::adagrad(const UpdateOperands &o, const mpt_attrs_adagrad &a) { update(kAdagrad, o, a); }
void ops::adadelta(const UpdateOperands &o, const mpt_attrs_adadelta &a) { update(kAdadelta, o, a); }
void ops::rmsprop(const UpdateOperands &o, const mpt_attrs_rmsprop &a) { update(kRmsprop, o, a); }

}  // namespace mpt
