#include "core/error.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_gru_cell(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &y = *call.in[1], &hidden = *call.in[2];
    for (const auto &[t, name] : {std::pair{&x, "input_gates"}, std::pair{&y, "hidden_gates"}, std::pair{&hidden, "hidden"}}) {
        if (t->shape.n != 2) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", t->shape, ": it has 2 dimensions, reshape it");
        if (!is_floating(t->dtype)) fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(t->dtype), ", which is not a floating type: cast it first");
    }
    const Dims gates{hidden.shape[0], 3 * hidden.shape[1]};
    for (const auto &[t, name] : {std::pair{&x, "input_gates"}, std::pair{&y, "hidden_gates"}})
        if (!(t->shape == gates)) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", t->shape, ": with 'hidden' of ", hidden.shape, " it must be ", gates);
    if (y.dtype != x.dtype) fail(MPT_ERROR_DTYPE, "argument 'hidden_gates' is ", dtype_name(y.dtype), " but 'input_gates' is ", dtype_name(x.dtype), ": cast one of them");
    if (hidden.dtype != x.dtype && hidden.dtype != wide(x.dtype))
        fail(MPT_ERROR_DTYPE, "argument 'hidden' is ", dtype_name(hidden.dtype), ": with 'input_gates' of ", dtype_name(x.dtype), " it is that or ", dtype_name(wide(x.dtype)));
    out.push_back({hidden.dtype, hidden.shape, contiguous(hidden.shape)});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    for (int i = 0; i < 3; ++i) {
        const Tensor &x = *call.in[static_cast<std::size_t>(i)];
        const bool wanted = call.attrs.as<std::int64_t>() >> i & 1;
        out.push_back({wanted ? x.dtype : MPT_DTYPE_NONE, x.shape, contiguous(x.shape)});
    }
}
void arrange_grad(const Call &, KernelCall &kernel) { kernel.attrs_bytes = 0; }
constexpr Op kGrad{.name = "gru_cell_grad", .kernel = "gru_cell_grad", .infer = infer_grad, .arrange = arrange_grad};

// The gates are worked out again: that costs less than keeping them.
void gru_cell_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    std::int64_t wanted = 0;
    for (int i = 0; i < 3; ++i) wanted |= std::int64_t{g.needs(i)} << i;
    Call call{&kGrad, {g.in(0), g.in(1), g.in(2), g.dout(0)}, {}, wanted};
    emit(g.ctx(), call);
    for (int i = 0; i < 3; ++i)
        if (g.needs(i)) g.give(i, call.out[static_cast<std::size_t>(i)]);
}

constexpr Op kGruCell{.name = "gru_cell",
                      .kernel = "gru_cell",
                      .precision = Precision::Lower,
                      .cast = 3,  // the hidden state may stay wide: it carries what many steps add
                      .infer = infer_gru_cell,
                      .gradient = gru_cell_gradient,
                      .saves_in = 7};
const RegisteredOps registered_0(kGruCell), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::gru_cell(const Ref<Tensor> &input_gates, const Ref<Tensor> &hidden_gates, const Ref<Tensor> &hidden) {
    return emit1(*hidden->ctx, kGruCell, {input_gates, hidden_gates, hidden});
}

}  // namespace mpt
