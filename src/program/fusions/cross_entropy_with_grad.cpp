// Cross entropy and its gradient, where the loss's own gradient is known before the loss is: then the scores are read once.
#include "device/attrs/loss.h"
#include "program/fusions/fusion.h"

namespace mpt {

namespace {

constexpr Op kWithGrad{.name = "cross_entropy_with_grad", .kernel = "cross_entropy_with_grad"};

bool same(const Ref<Tensor> &a, const Ref<Tensor> &b) { return a && b ? same_view(*a, *b) : !a && !b; }

bool same_attrs(const Step &a, const Step &b) {
    const auto &x = a.attrs.as<mpt_attrs_cross_entropy>(), &y = b.attrs.as<mpt_attrs_cross_entropy>();
    return x.reduction == y.reduction && x.ignore_index == y.ignore_index && x.smoothing == y.smoothing;
}

void fuse(Fuser &fuser, std::size_t last) {
    if (!fuser.runs(last, "cross_entropy_grad")) return;
    const Step &gradient = fuser[last];
    const std::optional<std::size_t> made = fuser.maker(*gradient.in[3]);
    if (!made || !fuser.runs(*made, "cross_entropy")) return;
    const Step &loss = fuser[*made];
    for (std::size_t i = 0; i < 3; ++i)
        if (!same(loss.in[i], gradient.in[i])) return;
    if (!same(loss.out[1], gradient.in[3]) || !same(loss.out[2], gradient.in[4]) || !same_attrs(loss, gradient)) return;
    // A loss that scales its own gradient.
    if (gradient.in[5]->storage == loss.out[0]->storage) return;

    FusedCall call{&kWithGrad, {loss.in[0], loss.in[1], loss.in[2], gradient.in[5]}, {loss.out[0], loss.out[1], loss.out[2], gradient.out[0]},
                   {},         {},                                                   loss.attrs.as<mpt_attrs_cross_entropy>()};
    for (const Ref<Tensor> &t : call.in) call.in_forms.push_back(form_of(t.get()));
    for (const Ref<Tensor> &t : call.out) call.out_forms.push_back(form_of(t.get()));
    // Where the gradient stands, unless the loss is read before; else where the loss stands, if its gradient is known there.
    if (!fuser.replace({*made, last}, last, call)) fuser.replace({*made, last}, *made, call);
}
const RegisteredFusion registered(fuse);

}  // namespace

}  // namespace mpt
