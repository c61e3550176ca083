// The gradient of a ReLU and that of the norm in front of it, with the sum of the gradient's two parts where a residual branch gave one.
#include "device/attrs/elementwise.h"
#include "device/attrs/norm.h"
#include "program/fusions/fusion.h"

namespace mpt {

namespace {

constexpr Op kNormReluGrad{.name = "norm_relu_grad", .kernel = "channel_norm_relu_grad"};

bool is_binary(const Fuser &fuser, std::optional<std::size_t> i, std::int64_t kind) {
    return i && fuser.runs(*i, "binary") && fuser[*i].attrs.as<mpt_attrs_binary>().kind == kind;
}

// The step that normalised and nothing was added to before the ReLU that made y; x and the statistics are a gradient's.
std::optional<std::size_t> norm_alone(const Fuser &fuser, const Tensor &y, std::size_t last) {
    const std::optional<std::size_t> made = fuser.maker(y);
    if (!made || !fuser.runs(*made, "channel_norm_relu") || fuser[*made].in[5]) return std::nullopt;
    const Step &norm = fuser[*made], &gradient = fuser[last];
    // The sign is computed again with the bias, which the graph does not keep from being changed meanwhile.
    if (norm.in[2] && fuser.written(*norm.in[2], *made, last)) return std::nullopt;
    const bool same_weight = norm.in[1] && gradient.in[2] ? same_view(*norm.in[1], *gradient.in[2]) : !norm.in[1] && !gradient.in[2];
    const bool same = same_weight && same_view(*norm.in[0], *gradient.in[1]) && same_view(*norm.out[1], *gradient.in[3]) && same_view(*norm.out[2], *gradient.in[4]);
    return same ? made : std::nullopt;
}

void fuse(Fuser &fuser, std::size_t last) {
    if (!fuser.runs(last, "channel_norm_grad")) return;
    const Step &gradient = fuser[last];
    const Tensor &masked = *gradient.in[0];
    const std::optional<std::size_t> relu = fuser.maker(masked);
    if (!is_binary(fuser, relu, MPT_BINARY_RELU_GRAD) || fuser.readers(masked).front() != last) return;
    const Ref<Tensor> y = fuser[*relu].in[1];
    Ref<Tensor> dy = fuser[*relu].in[0], other;
    if (!same_form(*dy, masked) || !same_form(*y, masked)) return;

    std::vector<std::size_t> parts{*relu, last};
    if (const std::optional<std::size_t> add = fuser.maker(*dy); is_binary(fuser, add, MPT_BINARY_ADD) && fuser.read_once(*dy)) {
        const Step &sum = fuser[*add];
        if (same_form(*sum.in[0], masked) && same_form(*sum.in[1], masked)) {
            parts.insert(parts.begin(), *add);
            dy = sum.in[0];
            other = sum.in[1];
        }
    }
    const std::optional<std::size_t> norm = fuser.read_once(masked) ? norm_alone(fuser, *y, last) : std::nullopt;
    FusedCall call{&kNormReluGrad,
                   {dy, other, gradient.in[1], gradient.in[2], norm ? fuser[*norm].in[2] : nullptr, gradient.in[3], gradient.in[4], y},
                   gradient.out,
                   {},
                   {},
                   gradient.attrs.as<mpt_attrs_channel_norm>()};
    call.out.resize(3);
    call.out.push_back(norm ? nullptr : fuser[*relu].out[0]);
    for (const Ref<Tensor> &t : call.in) call.in_forms.push_back(form_of(t.get()));
    for (const Ref<Tensor> &t : call.out) call.out_forms.push_back(form_of(t.get()));
    fuser.replace(parts, last, call);
}
const RegisteredFusion registered(fuse);

}  // namespace

}  // namespace mpt
