#include "core/error.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "ops/registry.h"

namespace mpt {

namespace {

bool same_kind(const Tensor &a, const Tensor &b) { return a.dtype == b.dtype && a.shape == b.shape; }

void infer_lstm_cell(const Call &call, std::vector<Spec> &out) {
    const Tensor &gates = *call.in[0], &cell = *call.in[1];
    for (const auto &[x, name] : {std::pair{&gates, "gates"}, std::pair{&cell, "cell"}}) {
        if (x->shape.n != 2) fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", x->shape, ": it has 2 dimensions, reshape it");
        if (!is_floating(x->dtype)) fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x->dtype), ", which is not a floating type: cast it first");
    }
    if (!(gates.shape == Dims{cell.shape[0], 4 * cell.shape[1]}))
        fail(MPT_ERROR_SHAPE, "argument 'gates' has shape ", gates.shape, ": with 'cell' of ", cell.shape, " it must be [", cell.shape[0], ", ", 4 * cell.shape[1], "]");
    if (const Tensor *more = call.in[2].get(); more && !same_kind(*more, gates))
        fail(MPT_ERROR_INTERNAL, "gates of ", more->shape, " in ", dtype_name(more->dtype), " are added to those of ", gates.shape, " in ", dtype_name(gates.dtype));
    if (cell.dtype != gates.dtype && cell.dtype != wide(gates.dtype))
        fail(MPT_ERROR_DTYPE, "argument 'cell' is ", dtype_name(cell.dtype), ": with 'gates' of ", dtype_name(gates.dtype), " it is that or ", dtype_name(wide(gates.dtype)));
    out.push_back({gates.dtype, cell.shape, contiguous(cell.shape)});
    out.push_back({cell.dtype, cell.shape, contiguous(cell.shape)});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    for (int i = 0; i < 2; ++i) {
        const Tensor &x = *call.in[static_cast<std::size_t>(i)];
        const bool wanted = call.attrs.as<std::int64_t>() >> i & 1;
        out.push_back({wanted ? x.dtype : MPT_DTYPE_NONE, x.shape, contiguous(x.shape)});
    }
}
void arrange_grad(const Call &, KernelCall &kernel) { kernel.attrs_bytes = 0; }
constexpr Op kGrad{.name = "lstm_cell_grad", .kernel = "lstm_cell_grad", .infer = infer_grad, .arrange = arrange_grad};

// The gates are worked out again: that costs less than keeping them.
void lstm_cell_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
    const bool more = g.needs(2);
    const std::int64_t wanted = std::int64_t{g.needs(0) || more} | std::int64_t{g.needs(1)} << 1;
    Call call{&kGrad, {g.in(0), g.in(1), g.dout(0), g.dout(1), g.in_form(2).dtype == MPT_DTYPE_NONE ? nullptr : g.in(2)}, {}, wanted};
    emit(g.ctx(), call);
    if (g.needs(0)) g.give(0, call.out[0]);
    if (g.needs(1)) g.give(1, call.out[1]);
    if (more) g.give(2, call.out[0]);
}

constexpr Op kLstmCell{.name = "lstm_cell",
                       .kernel = "lstm_cell",
                       .precision = Precision::Lower,
                       .cast = 5,  // the cell state may stay wide: it carries what many steps add
                       .infer = infer_lstm_cell,
                       .gradient = lstm_cell_gradient,
                       .saves_in = 7,
                       .differentiable = 3};
const RegisteredOps registered_0(kLstmCell), registered_1(kGrad);

}  // namespace

std::pair<Ref<Tensor>, Ref<Tensor>> ops::lstm_cell(const Ref<Tensor> &gates, const Ref<Tensor> &cell, const Ref<Tensor> &more) {
    Call call{&kLstmCell, {gates, cell, more}, {}, {}};
    emit(*gates->ctx, call);
    return {std::move(call.out[0]), std::move(call.out[1])};
}

}  // namespace mpt
