// A norm of channels, what is added to it, and the ReLU behind both: a residual network's.
#include "device/attrs/elementwise.h"
#include "device/attrs/norm.h"
#include "program/fusions/fusion.h"

namespace mpt {

namespace {

constexpr Op kNormRelu{.name = "norm_relu", .kernel = "channel_norm_relu"};

FusedCall call_of(const Step &norm, const Ref<Tensor> &added, const Ref<Tensor> &y) {
    FusedCall call{&kNormRelu, norm.in, norm.out, {}, {}, norm.attrs.as<mpt_attrs_channel_norm>(), norm.updates};
    call.in.resize(5);
    call.in.push_back(added);
    call.out.resize(5);
    call.out[0] = y;
    for (const Ref<Tensor> &t : call.in) call.in_forms.push_back(form_of(t.get()));
    for (const Ref<Tensor> &t : call.out) call.out_forms.push_back(form_of(t.get()));
    return call;
}

// The norm that alone makes t, which is read once.
std::optional<std::size_t> norm_behind(const Fuser &fuser, const Tensor &t) {
    const std::optional<std::size_t> norm = fuser.maker(t);
    return norm && fuser.runs(*norm, "channel_norm") && fuser.read_once(t) && same_view(*fuser[*norm].out[0], t) ? norm : std::nullopt;
}

void fuse(Fuser &fuser, std::size_t relu) {
    if (!fuser.runs(relu, "unary") || fuser[relu].attrs.as<mpt_attrs_unary>().kind != MPT_UNARY_RELU) return;
    const Tensor &x = *fuser[relu].in[0];
    const Ref<Tensor> y = fuser[relu].out[0];
    if (!same_form(x, *y)) return;
    if (const std::optional<std::size_t> norm = norm_behind(fuser, x)) {
        fuser.replace({*norm, relu}, relu, call_of(fuser[*norm], nullptr, y));
        return;
    }
    const std::optional<std::size_t> add = fuser.maker(x);
    if (!add || !fuser.runs(*add, "binary") || fuser[*add].attrs.as<mpt_attrs_binary>().kind != MPT_BINARY_ADD || !fuser.read_once(x)) return;
    for (std::size_t side = 0; side < 2; ++side) {
        const Tensor &normed = *fuser[*add].in[side];
        const Ref<Tensor> added = fuser[*add].in[1 - side];
        if (!same_form(normed, x) || !same_form(*added, x)) continue;
        const std::optional<std::size_t> norm = norm_behind(fuser, normed);
        if (norm && fuser.replace({*norm, *add, relu}, relu, call_of(fuser[*norm], added, y))) return;
    }
}
const RegisteredFusion registered(fuse);

}  // namespace

}  // namespace mpt
