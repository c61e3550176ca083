// The gradient of an activation and the bias gradient of the layer in front of it, which is its sum over the batch.
#include "core/shape.h"
#include "device/attrs/fused.h"
#include "device/attrs/reduce.h"
#include "program/fusions/fusion.h"

namespace mpt {

namespace {

constexpr Op kActivationGradSum{.name = "activation_grad_sum", .kernel = "activation_grad_sum"};

std::optional<mpt_attrs_activation_grad_sum> activation_of(const Fuser &fuser, std::size_t i) {
    if (fuser.runs(i, "binary") && fuser[i].attrs.as<mpt_attrs_binary>().kind == MPT_BINARY_RELU_GRAD) return mpt_attrs_activation_grad_sum{1, {}};
    if (fuser.runs(i, "unary_grad")) return mpt_attrs_activation_grad_sum{0, fuser[i].attrs.as<mpt_attrs_unary>()};
    return std::nullopt;
}

// Rows that are added up into one.
bool sums_rows(const Step &reduce) {
    const auto &attrs = reduce.attrs.as<mpt_attrs_reduce>();
    const Tensor &x = *reduce.in[0], &y = *reduce.out[0];
    return attrs.kind == MPT_REDUCE_SUM && attrs.dims == 1 && x.shape.n == 2 && is_contiguous(x.shape, x.strides) && is_contiguous(y.shape, y.strides);
}

void fuse(Fuser &fuser, std::size_t sum) {
    if (!fuser.runs(sum, "reduce") || !sums_rows(fuser[sum])) return;
    const Tensor &rows = *fuser[sum].in[0];
    // The rows may be a view of the gradient's more dimensions.
    for (std::size_t i = sum; i-- > 0;) {
        const std::optional<mpt_attrs_activation_grad_sum> activation = activation_of(fuser, i);
        if (!activation || fuser[i].out[0]->storage != rows.storage) continue;
        const Tensor &dy = *fuser[i].in[0], &y = *fuser[i].in[1], &dx = *fuser[i].out[0];
        if (fuser.maker(dx) != i || dx.offset != rows.offset || dx.numel() != rows.numel()) return;
        for (const Tensor *t : {&dy, &y, &dx})
            if (!is_contiguous(t->shape, t->strides) || !(t->shape == dx.shape)) return;
        const mpt_mod_operand form = form_of(&rows);
        fuser.replace({i, sum}, i,
                      {&kActivationGradSum, fuser[i].in, {fuser[i].out[0], fuser[sum].out[0]}, {form, form}, {form, form_of(fuser[sum].out[0].get())}, *activation});
        return;
    }
}
const RegisteredFusion registered(fuse);

}  // namespace

}  // namespace mpt
