// Recurrent layers: the products of all inputs at once, then a cell per step. Names, gate order and initial values as
// torch.nn.RNN, LSTM and GRU.
#include "ops/recurrent.h"

#include <cmath>
#include <string>
#include <tuple>

#include "core/error.h"
#include "device/attrs/data.h"
#include "device/attrs/elementwise.h"
#include "nn/layers.h"
#include "ops/dropout.h"
#include "ops/ops.h"
#include "ops/shape.h"
#include "precision/policy.h"

namespace mpt {

namespace {

class Recurrent final : public mpt_layer {
public:
    Recurrent(Context &context, const mpt_recurrent_desc &desc) : mpt_layer(context), desc_(desc) {
        const std::int64_t hidden = desc.hidden_size, rows = gates() * hidden;
        for (int layer = 0; layer < desc.layers; ++layer)
            for (int direction = 0; direction < directions(); ++direction) {
                const std::string tail = "_l" + std::to_string(layer) + (direction ? "_reverse" : "");
                Weights w;
                w.input = parameter("weight_ih" + tail, {rows, layer == 0 ? desc.input_size : hidden * directions()});
                w.hidden = parameter("weight_hh" + tail, {rows, hidden});
                if (!desc.no_bias) {
                    w.input_bias = parameter("bias_ih" + tail, {rows});
                    w.hidden_bias = parameter("bias_hh" + tail, {rows});
                }
                weights_.push_back(w);
            }
    }

private:
    struct Weights {
        Ref<Tensor> input, hidden, input_bias, hidden_bias;
    };
    struct State {
        Ref<Tensor> hidden, cell;
    };

    bool lstm() const { return desc_.kind == MPT_RECURRENT_LSTM; }
    std::int64_t gates() const { return lstm() ? 4 : desc_.kind == MPT_RECURRENT_GRU ? 3 : 1; }
    int directions() const { return desc_.bidirectional ? 2 : 1; }

    Ref<Tensor> parameter(const std::string &name, const Dims &shape) {
        const Ref<Tensor> p = new_tensor(*ctx, desc_.dtype, shape);
        const double bound = 1 / std::sqrt(static_cast<double>(desc_.hidden_size));
        ops::random(p, MPT_RANDOM_UNIFORM, -bound, bound);
        own(name, p);
        return p;
    }

    Tensors forward(const Tensors &inputs, std::size_t wanted) override {
        const std::size_t states = lstm() ? 2 : 1;
        check(inputs, wanted, states);
        Ref<Tensor> x = desc_.batch_first ? ops::transpose(inputs[0], {1, 0, 2}) : inputs[0];
        Tensors last_hidden, last_cell;
        for (int layer = 0; layer < desc_.layers; ++layer) {
            if (layer > 0 && training && desc_.dropout > 0) x = ops::dropout(x, desc_.dropout);
            Tensors sides;
            for (int direction = 0; direction < directions(); ++direction) {
                const int index = layer * directions() + direction;
                State state = first_state(inputs, index, *x);
                sides.push_back(run_direction(x, weights_[static_cast<std::size_t>(index)], state, direction == 1));
                last_hidden.push_back(state.hidden);
                last_cell.push_back(state.cell);
            }
            x = sides.size() == 1 ? sides[0] : ops::concat(sides, 2);
        }
        Tensors outputs{desc_.batch_first ? ops::transpose(x, {1, 0, 2}) : x};
        // States have the input's type, as first states that are given have.
        if (wanted > 1) outputs.push_back(ops::cast(ops::stack(last_hidden, 0), inputs[0]->dtype));
        if (wanted > 2) outputs.push_back(ops::cast(ops::stack(last_cell, 0), inputs[0]->dtype));
        return outputs;
    }

    void check(const Tensors &inputs, std::size_t wanted, std::size_t states) const {
        if (inputs.size() != 1 && inputs.size() != 1 + states)
            fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", inputs.size(), ": this layer takes x, or x and its first state, ", 1 + states, " tensors");
        if (wanted > 1 + states)
            fail(MPT_ERROR_ARGUMENT, "argument 'n_outputs' is ", wanted, ": this layer gives y and its last state, ", 1 + states, " tensors");
        const Dims &shape = inputs[0]->shape;
        if (shape.n != 3 || shape[2] != desc_.input_size)
            fail(MPT_ERROR_SHAPE, "input 0 has shape ", shape, ": it must be ", desc_.batch_first ? "[N, T, " : "[T, N, ", desc_.input_size, "]");
        if (shape[desc_.batch_first ? 1 : 0] < 1) fail(MPT_ERROR_SHAPE, "input 0 has shape ", shape, ": a sequence has at least one step");
        const Dims state{desc_.layers * directions(), shape[desc_.batch_first ? 0 : 1], desc_.hidden_size};
        for (std::size_t i = 1; i < inputs.size(); ++i)
            if (!(inputs[i]->shape == state)) fail(MPT_ERROR_SHAPE, "input ", i, " has shape ", inputs[i]->shape, ": the first state is ", state);
    }

    State first_state(const Tensors &inputs, int index, const Tensor &x) const {
        const auto pick = [&](std::size_t i) -> Ref<Tensor> {
            if (inputs.size() > i) return ops::reshape(ops::slice(inputs[i], 0, index, 1), {x.shape[1], desc_.hidden_size});
            return ops::full(*ctx, i == 2 ? wide(x.dtype) : x.dtype, {x.shape[1], desc_.hidden_size}, 0);  // a cell sums up over the steps
        };
        return {pick(1), lstm() ? pick(2) : nullptr};
    }

    // x [T,N,in] -> [T,N,hidden]; state is moved to the last one.
    Ref<Tensor> run_direction(const Ref<Tensor> &x, const Weights &w, State &state, bool backwards) const {
        const Ref<Tensor> all = gates_of(x, w);
        const mpt_dtype dtype = dtype_of_sequence(*all, w);
        const Ref<Tensor> y = dtype == MPT_DTYPE_NONE ? nullptr : run_sequence(all, w, state, backwards, dtype);
        return y ? y : run_steps(all, w, state, backwards);
    }

    // Of all inputs, in the order in which they lie.
    static Ref<Tensor> gates_of(const Ref<Tensor> &x, const Weights &w) {
        const auto turned = [](const Ref<Tensor> &t) { return ops::transpose(t, {1, 0, 2}); };
        if (x->strides[0] >= x->strides[1]) return ops::linear(x, w.input, w.input_bias);
        return turned(ops::linear(turned(x), w.input, w.input_bias));
    }

    // In one call, or null where the device has none such.
    Ref<Tensor> run_sequence(const Ref<Tensor> &all, const Weights &w, State &state, bool backwards, mpt_dtype dtype) const {
        Ref<Tensor> y, cells;
        if (lstm())
            std::tie(y, cells) = ops::lstm_sequence(all, w.hidden, w.hidden_bias, state.hidden, state.cell, backwards, dtype);
        else if (desc_.kind == MPT_RECURRENT_GRU)
            y = ops::gru_sequence(all, w.hidden, w.hidden_bias, state.hidden, backwards, dtype);
        if (!y) return nullptr;
        const auto last = [&](const Ref<Tensor> &states) {
            return ops::reshape(ops::slice(states, 0, backwards ? 0 : states->shape[0] - 1, 1), {states->shape[1], states->shape[2]});
        };
        state = {last(y), cells ? last(cells) : nullptr};
        return y;
    }

    // The type that a call of all steps would have, or NONE where the steps' ops are to have several.
    mpt_dtype dtype_of_sequence(const Tensor &all, const Weights &w) const {
        const bool precise = all.dtype == MPT_F64 || w.hidden->dtype == MPT_F64;  // which a policy leaves alone
        if (const auto *policy = static_cast<const mpt_policy *>(ctx->scope.policy.get()))
            return precise  ? MPT_DTYPE_NONE
                   : lstm() ? policy->shared_target({"linear", "lstm_cell", "lstm_sequence"}, ctx->scope.layer)
                            : policy->shared_target({"linear", "gru_cell", "gru_sequence"}, ctx->scope.layer);
        return all.dtype == w.hidden->dtype ? all.dtype : MPT_DTYPE_NONE;
    }

    Ref<Tensor> run_steps(const Ref<Tensor> &all, const Weights &w, State &state, bool backwards) const {
        const std::int64_t steps = all->shape[0], batch = all->shape[1];
        const Tensors inputs = ops::split(all, 0, std::vector<std::int64_t>(static_cast<std::size_t>(steps), 1));
        Tensors results(static_cast<std::size_t>(steps));
        const Ref<ops::Steps> together = make<ops::Steps>();
        for (std::int64_t i = 0; i < steps; ++i) {
            const std::int64_t at = backwards ? steps - 1 - i : i;
            const Ref<Tensor> from_input = ops::reshape(inputs[static_cast<std::size_t>(at)], {batch, gates() * desc_.hidden_size});
            step(from_input, ops::step_linear(state.hidden, w.hidden, w.hidden_bias, together, i), state);
            results[static_cast<std::size_t>(at)] = state.hidden;
        }
        return ops::stack(results, 0);
    }

    void step(const Ref<Tensor> &from_input, const Ref<Tensor> &from_state, State &state) const {
        if (desc_.kind == MPT_RECURRENT_GRU) {
            state.hidden = ops::gru_cell(from_input, from_state, state.hidden);
            return;
        }
        if (lstm()) {
            auto [hidden, cell] = ops::lstm_cell(from_input, state.cell, from_state);
            state = {hidden, cell};
        } else {
            const Ref<Tensor> sum = ops::binary(from_input, from_state, MPT_BINARY_ADD);
            state.hidden = ops::unary(sum, desc_.kind == MPT_RECURRENT_RELU ? MPT_UNARY_RELU : MPT_UNARY_TANH);
        }
    }

    const mpt_recurrent_desc desc_;
    std::vector<Weights> weights_;
};

}  // namespace

Ref<mpt_layer> new_recurrent(Context &ctx, const mpt_recurrent_desc &desc) { return make<Recurrent>(ctx, desc); }

}  // namespace mpt
