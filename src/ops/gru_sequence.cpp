// All steps of a GRU as one call, on a device that can keep the state's weight where it computes.
#include "device/attrs/recurrent.h"
#include "ops/ops.h"
#include "ops/recurrent.h"
#include "ops/registry.h"
#include "ops/sequence.h"

namespace mpt {

namespace {

struct GradAttrs {
    mpt_attrs_recurrent_sequence sequence;
    std::int64_t wants_hidden;
};

void infer_sequence(const Call &call, std::vector<Spec> &out) {
    const Tensor &gates = *call.in[0], &hidden = *call.in[3];
    out.push_back(states_like(hidden.dtype, gates.shape, gates.strides, 3));
    out.push_back(states_like(call.in[4] ? gates.dtype : MPT_DTYPE_NONE, gates.shape, gates.strides, 3));
    out.push_back({gates.dtype, gates.shape, dense_like(gates.shape, gates.strides)});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &sums = *call.in[0], &hidden = *call.in[3];
    for (int i = 0; i < 2; ++i) out.push_back({sums.dtype, sums.shape, sums.strides});
    out.push_back({call.attrs.as<GradAttrs>().wants_hidden ? hidden.dtype : MPT_DTYPE_NONE, hidden.shape, contiguous(hidden.shape)});
}
void arrange_grad(const Call &, KernelCall &kernel) { kernel.attrs_bytes = sizeof(mpt_attrs_recurrent_sequence); }
// In the forward's formats whatever a policy says of the gradient's role: it reads the forward's sums.
constexpr Op kGrad{.name = "gru_sequence_grad", .kernel = "gru_sequence_grad", .infer = infer_grad, .arrange = arrange_grad};

void gradient(GradRule &g) {
    const auto sequence = g.attrs().as<mpt_attrs_recurrent_sequence>();
    const bool widens = g.in_form(4).dtype != MPT_DTYPE_NONE;
    Call call{&kGrad, {g.out(2), g.in(1), g.in(0), g.in(3), g.out(0), in_packs(g.dout(0))}, {}, GradAttrs{sequence, g.needs(3)}};
    {
        RoleScope role(g.ctx(), MPT_ROLE_INPUT_GRADIENT);
        emit(g.ctx(), call);
    }
    g.give(0, call.out[0]);
    if (g.needs(3)) g.give(3, call.out[2]);
    give_state_weight_gradients(g, g.in(widens ? 4 : 3), g.out(widens ? 1 : 0), call.out[1], sequence.reverse != 0);
}

constexpr Op kSequence{.name = "gru_sequence",
                       .kernel = "gru_sequence",
                       .precision = Precision::Lower,
                       .cast = 19,    // gates, weight and the hidden state that is multiplied; the other may stay wide
                       .follows = 4,  // the bias
                       .infer = infer_sequence,
                       .gradient = gradient,
                       .saves_in = 27,
                       .saves_out = 7};
const RegisteredOps registered_0(kSequence), registered_1(kGrad);

// Whether the device takes such a sequence and its gradient, with operands in dtype.
bool is_taken(const Tensor &gates, const Tensor &weight, const Tensor *bias, const Tensor &hidden, const mpt_attrs_recurrent_sequence &attrs, mpt_dtype dtype) {
    const auto dense = [](const Spec &spec) { return form_of(spec.dtype, spec.shape, spec.strides); };
    const mpt_dtype low = hidden.dtype == dtype ? MPT_DTYPE_NONE : dtype;
    const auto first_in = [&](mpt_dtype type) { return type == MPT_DTYPE_NONE ? mpt_mod_operand{} : form_of(type, hidden.shape, contiguous(hidden.shape)); };
    const auto states_in = [&](mpt_dtype type) {
        return type == MPT_DTYPE_NONE ? mpt_mod_operand{} : dense(states_like(type, gates.shape, gates.strides, 3));
    };
    const mpt_mod_operand all = form_of(dtype, gates.shape, dense_like(gates.shape, gates.strides)), w = form_of(dtype, weight.shape, contiguous(weight.shape)),
                          first = first_in(hidden.dtype), y = states_in(hidden.dtype),
                          b = bias ? form_of(bias->dtype, bias->shape, bias->strides) : mpt_mod_operand{};
    Device &device = *gates.ctx->device;
    return device.try_prepare({kSequence.kernel, {all, w, b, first, first_in(low)}, {y, states_in(low), all}, &attrs, sizeof attrs}) &&
           device.try_prepare({kGrad.kernel, {all, w, all, first, y, y}, {all, all, first}, &attrs, sizeof attrs});
}

}  // namespace

Ref<Tensor> ops::gru_sequence(const Ref<Tensor> &gates, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const Ref<Tensor> &hidden, bool reverse,
                              mpt_dtype dtype) {
    const mpt_attrs_recurrent_sequence attrs{reverse};
    if (hidden->dtype != dtype && (hidden->dtype != wide(dtype) || !gates->ctx->scope.policy)) return nullptr;
    if (numel(gates->shape) == 0 || !is_taken(*gates, *weight, bias.get(), *hidden, attrs, dtype)) return nullptr;
    const Ref<Tensor> low = hidden->dtype == dtype ? nullptr : cast(hidden, dtype);
    Call call{&kSequence, {gates, weight, bias, contiguous(hidden), low ? contiguous(low) : nullptr}, {}, attrs};
    emit(*gates->ctx, call);
    return std::move(call.out[0]);
}

}  // namespace mpt
