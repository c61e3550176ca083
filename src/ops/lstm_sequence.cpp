// All steps of an LSTM as one call, on a device that can keep the state's weight where it computes.
#include "device/attrs/recurrent.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "ops/registry.h"
#include "ops/sequence.h"

namespace mpt {

namespace {

struct GradAttrs {
    mpt_attrs_recurrent_sequence sequence;
    std::int64_t wanted;  // of hidden and cell, as bits
};

void infer_sequence(const Call &call, std::vector<Spec> &out) {
    const Tensor &gates = *call.in[0];
    out.push_back(states_like(gates.dtype, gates.shape, gates.strides, 4));
    out.push_back(states_like(call.in[4]->dtype, gates.shape, gates.strides, 4));
    out.push_back({gates.dtype, gates.shape, dense_like(gates.shape, gates.strides)});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &sums = *call.in[0], &cell = *call.in[2];
    const std::int64_t wanted = call.attrs.as<GradAttrs>().wanted;
    out.push_back({sums.dtype, sums.shape, sums.strides});
    out.push_back({wanted & 1 ? sums.dtype : MPT_DTYPE_NONE, cell.shape, contiguous(cell.shape)});
    out.push_back({wanted & 2 ? cell.dtype : MPT_DTYPE_NONE, cell.shape, contiguous(cell.shape)});
}
void arrange_grad(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_recurrent_sequence); }
// In the forward's formats whatever a policy says of the gradient's role: it reads the forward's sums.
constexpr Op kGrad{.name = "lstm_sequence_grad", .kernel = "lstm_sequence_grad", .infer = infer_grad, .arrange = arrange_grad};

void gradient(GradRule &g) {
    const auto sequence = g.attrs().as<mpt_attrs_recurrent_sequence>();
    const GradAttrs attrs{sequence, std::int64_t{g.needs(3)} | std::int64_t{g.needs(4)} << 1};
    Call call{&kGrad, {g.out(2), g.in(1), g.in(4), g.out(1), in_packs(g.dout(0)), in_packs(g.dout(1))}, {}, attrs};
    {
        RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
        emit(g.ctx(), call);
    }
    const Ref<Tensor> &dgates = call.out[0];
    g.give(0, dgates);
    if (g.needs(3)) g.give(3, call.out[1]);
    if (g.needs(4)) g.give(4, call.out[2]);
    give_state_weight_gradients(g, g.in(3), g.out(0), dgates, sequence.reverse != 0);
}

constexpr Op kSequence{.name = "lstm_sequence",
                       .kernel = "lstm_sequence",
                       .precision = Precision::Lower,
                       .cast = 11,    // gates, weight and hidden; the cell state may stay wide
                       .follows = 4,  // the bias
                       .infer = infer_sequence,
                       .gradient = gradient,
                       .saves_in = 26,
                       .saves_out = 7,
                       .differentiable = 3};
const RegisteredOps registered_0(kSequence), registered_1(kGrad);

// Whether the device takes such a sequence and its gradient, with operands in dtype.
bool is_taken(const Tensor &gates, const Tensor &weight, const Tensor *bias, const Tensor &cell, const mpt_attrs_recurrent_sequence &attrs, mpt_dtype dtype) {
    const auto dense = [](const Spec &spec) { return form_of(spec.dtype, spec.shape, spec.strides); };
    const mpt_mod_operand none{}, all = form_of(dtype, gates.shape, dense_like(gates.shape, gates.strides)),
                          hidden = form_of(dtype, cell.shape, contiguous(cell.shape)), first = form_of(cell.dtype, cell.shape, contiguous(cell.shape)),
                          w = form_of(dtype, weight.shape, contiguous(weight.shape)), y = dense(states_like(dtype, gates.shape, gates.strides, 4)),
                          cells = dense(states_like(cell.dtype, gates.shape, gates.strides, 4));
    Device &device = *gates.ctx->device;
    return device.try_prepare({kSequence.kernel, {all, w, bias ? form_of(bias->dtype, bias->shape, bias->strides) : none, hidden, first}, {y, cells, all}, &attrs, sizeof attrs}) &&
           device.try_prepare({kGrad.kernel, {all, w, first, cells, y, none}, {all, hidden, first}, &attrs, sizeof attrs});
}

}  // namespace

std::pair<Ref<Tensor>, Ref<Tensor>> ops::lstm_sequence(const Ref<Tensor> &gates, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const Ref<Tensor> &hidden,
                                                       const Ref<Tensor> &cell, bool reverse, mpt_dtype dtype) {
    const mpt_attrs_recurrent_sequence attrs{reverse};
    // What no policy will make of that type would make the whole call another one.
    if (hidden->dtype != dtype && (!gates->ctx->scope.policy || hidden->dtype == MPT_F64)) return {};
    if (numel(gates->shape) == 0 || !is_taken(*gates, *weight, bias.get(), *cell, attrs, dtype)) return {};
    Call call{&kSequence, {gates, weight, bias, contiguous(hidden), contiguous(cell)}, {}, attrs};
    emit(*gates->ctx, call);
    return {std::move(call.out[0]), std::move(call.out[1])};
}

}  // namespace mpt
