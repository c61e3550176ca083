#include "api/guard.h"
#include "ops/recurrent.h"

using namespace mpt;

mpt_status MPT_CALL mpt_lstm_cell(mpt_tensor *gates, mpt_tensor *cell, mpt_tensor **hidden_out, mpt_tensor **cell_out) {
    return api::call("mpt_lstm_cell", gates, "gates", [&](Context &c) {
        api::need(hidden_out, "hidden_out");
        api::need(cell_out, "cell_out");
        const Ref<Tensor> g = api::tensor(c, gates, "gates"), state = api::tensor(c, cell, "cell");
        auto [h, next] = ops::lstm_cell(g, state);
        *hidden_out = h.detach();
        *cell_out = next.detach();
    });
}

mpt_status MPT_CALL mpt_gru_cell(mpt_tensor *input_gates, mpt_tensor *hidden_gates, mpt_tensor *hidden, mpt_tensor **out) {
    return api::call("mpt_gru_cell", input_gates, "input_gates", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> x = api::tensor(c, input_gates, "input_gates"), y = api::tensor(c, hidden_gates, "hidden_gates");
        const Ref<Tensor> h = api::tensor(c, hidden, "hidden");
        *out = ops::gru_cell(x, y, h).detach();
    });
}
