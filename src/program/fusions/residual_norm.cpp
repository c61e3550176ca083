// What stands around a layer or RMS norm of an f32 residual stream in a network of low precision: the branch's result is widened and added to the
// stream, and the norm's result is rounded for the next product; backward the same the other way round.
#include "core/dtype.h"
#include "core/shape.h"
#include "device/attrs/elementwise.h"
#include "device/attrs/norm.h"
#include "program/fusions/fusion.h"

namespace mpt {

namespace {

constexpr Op kNorm{.name = "residual_norm", .kernel = "residual_norm"}, kGrad{.name = "residual_norm_grad", .kernel = "residual_norm_grad"};

using Parts = std::vector<std::size_t>;

bool whole(const Tensor &t) { return is_contiguous(t.shape, t.strides); }
bool alike(const Tensor &a, const Tensor &b) { return a.shape == b.shape && whole(a) && whole(b); }

bool is_copy(const Fuser &fuser, std::size_t i) { return fuser.runs(i, "copy") && !fuser[i].updates && alike(*fuser[i].in[0], *fuser[i].out[0]); }
bool is_add(const Fuser &fuser, std::size_t i) {
    return fuser.runs(i, "binary") && fuser[i].attrs.as<mpt_attrs_binary>().kind == MPT_BINARY_ADD && !fuser[i].updates &&
           alike(*fuser[i].in[0], *fuser[i].in[1]) && alike(*fuser[i].in[0], *fuser[i].out[0]) && same_form(*fuser[i].in[0], *fuser[i].in[1]);
}

// The step that widens a 16-bit tensor to t, which nobody else reads.
std::optional<std::size_t> widened(const Fuser &fuser, const Tensor &t) {
    const std::optional<std::size_t> made = fuser.maker(t);
    return made && is_copy(fuser, *made) && is_low(fuser[*made].in[0]->dtype) && fuser.read_once(t) ? made : std::nullopt;
}
// The first step behind another that rounds t to 16 bits.
std::optional<std::size_t> rounded(const Fuser &fuser, const Tensor &t, std::size_t behind, mpt_dtype wanted) {
    for (const std::size_t i : fuser.readers(t))
        if (i > behind && is_copy(fuser, i) && same_view(*fuser[i].in[0], t)) {
            const mpt_dtype dtype = fuser[i].out[0]->dtype;
            if (is_low(dtype) && (wanted == MPT_F32 || wanted == dtype)) return i;
        }
    return std::nullopt;
}

FusedCall call_of(const Op &op, const Step &norm, std::vector<Ref<Tensor>> in, std::vector<Ref<Tensor>> out) {
    FusedCall call{&op, std::move(in), std::move(out), {}, {}, norm.attrs.as<mpt_attrs_row_norm>()};
    for (const Ref<Tensor> &t : call.in) call.in_forms.push_back(form_of(t.get()));
    for (const Ref<Tensor> &t : call.out) call.out_forms.push_back(form_of(t.get()));
    return call;
}

void fuse_norm(Fuser &fuser, std::size_t i) {
    if (!fuser.runs(i, "row_norm")) return;
    const Step norm = fuser[i];
    const Ref<Tensor> x = norm.in[0], y = norm.out[0];
    if (x->dtype != MPT_F32 || !alike(*x, *y)) return;

    Parts sum;
    Ref<Tensor> stream = x, added;
    if (const std::optional<std::size_t> add = fuser.maker(*x); add && is_add(fuser, *add) && same_view(*fuser[*add].out[0], *x)) {
        sum = {*add};
        stream = fuser[*add].in[0], added = fuser[*add].in[1];
        for (std::size_t side = 0; side < 2; ++side)
            if (const std::optional<std::size_t> made = widened(fuser, *fuser[*add].in[side])) {
                sum = {*made, *add};
                stream = fuser[*add].in[1 - side], added = fuser[*made].in[0];
                break;
            }
    }
    Parts result;
    Ref<Tensor> low = y;
    if (const std::optional<std::size_t> copy = rounded(fuser, *y, i, added ? added->dtype : MPT_F32); copy && fuser.maker(*y) == i && fuser.read_once(*y)) {
        result = {*copy};
        low = fuser[*copy].out[0];
    }
    const auto replace = [&](const Parts &before, const Ref<Tensor> &from, const Ref<Tensor> &other) {
        if (before.empty() && result.empty()) return false;
        Parts parts = before;
        parts.push_back(i);
        parts.insert(parts.end(), result.begin(), result.end());
        return fuser.replace(parts, i, call_of(kNorm, norm, {from, other, norm.in[1], norm.in[2]}, {low, norm.out[1], norm.out[2], other ? x : nullptr}));
    };
    if (!added || !replace(sum, stream, added)) replace({}, x, nullptr);
}

void fuse_gradient(Fuser &fuser, std::size_t i) {
    if (!fuser.runs(i, "row_norm_grad")) return;
    const Step gradient = fuser[i];
    Ref<Tensor> dy = gradient.in[0], sum = gradient.out[0], other, low;
    const Ref<Tensor> x = gradient.in[1];
    if (!sum || x->dtype != MPT_F32 || !alike(*x, *dy) || !alike(*x, *sum)) return;

    Parts parts;
    if (const std::optional<std::size_t> made = widened(fuser, *dy)) {
        parts.push_back(*made);
        dy = fuser[*made].in[0];
    }
    parts.push_back(i);
    std::size_t last = i;
    if (fuser.maker(*sum) == i && fuser.read_once(*sum)) {
        const std::size_t reader = fuser.readers(*sum)[0];
        if (is_add(fuser, reader))
            for (std::size_t side = 0; side < 2; ++side)
                if (same_view(*fuser[reader].in[side], *sum)) {
                    parts.push_back(last = reader);
                    other = fuser[reader].in[1 - side];
                    sum = fuser[reader].out[0];
                    break;
                }
    }
    if (fuser.maker(*sum) == last)
        if (const std::optional<std::size_t> copy = rounded(fuser, *sum, last, dy->dtype)) {
            parts.push_back(*copy);
            low = fuser[*copy].out[0];
        }
    if (parts.size() == 1) return;
    const FusedCall call = call_of(kGrad, gradient, {dy, x, gradient.in[2], gradient.in[3], gradient.in[4], other}, {sum, gradient.out[1], gradient.out[2], low});
    if (!fuser.replace(parts, i, call)) fuser.replace(parts, last, call);
}

const RegisteredFusion registered(fuse_norm), registered_gradient(fuse_gradient);

}  // namespace

}  // namespace mpt
