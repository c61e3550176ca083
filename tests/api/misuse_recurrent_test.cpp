#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

mpt_status lstm(misuse::World &w, mpt_dtype gates, const std::vector<std::int64_t> &gates_shape, mpt_dtype cell, const std::vector<std::int64_t> &cell_shape) {
    const net::Tensor g = of(w, gates, gates_shape), c = of(w, cell, cell_shape);
    return mpt_lstm_cell(g, c, w.out(), w.out());
}
mpt_status gru(misuse::World &w, mpt_dtype x, const std::vector<std::int64_t> &x_shape, mpt_dtype y, const std::vector<std::int64_t> &y_shape,
               mpt_dtype hidden, const std::vector<std::int64_t> &hidden_shape) {
    const net::Tensor a = of(w, x, x_shape), b = of(w, y, y_shape), h = of(w, hidden, hidden_shape);
    return mpt_gru_cell(a, b, h, w.out());
}

const misuse::Rows rows{
    ROW(Null, "gates", "", mpt_lstm_cell, nullptr, w.x, w.out(), w.out()),
    ROW(Null, "cell", "", mpt_lstm_cell, w.x, nullptr, w.out(), w.out()),
    ROW(Null, "hidden_out", "", mpt_lstm_cell, w.x, w.x, nullptr, w.out()),
    ROW(Null, "cell_out", "", mpt_lstm_cell, w.x, w.x, w.out(), nullptr),
    ROW(Foreign, "cell", "", mpt_lstm_cell, w.x, w.other.x, w.out(), w.out()),
    ROW(State, "gates", "", mpt_lstm_cell, w.output, w.x, w.out(), w.out()),
    ROW(State, "cell", "", mpt_lstm_cell, w.x, w.output, w.out(), w.out()),
    ROW(Shape, "gates", "[4]", mpt_lstm_cell, w.row, w.x, w.out(), w.out()),
    ROW(Shape, "cell", "[4]", mpt_lstm_cell, w.x, w.row, w.out(), w.out()),
    ROW(Shape, "gates", "must be [2, 12]", mpt_lstm_cell, w.x, w.x, w.out(), w.out()),
    STEPS("mpt_lstm_cell", Shape, "gates", "[3, 12]", return lstm(w, MPT_F32, {3, 12}, MPT_F32, {2, 3})),
    STEPS("mpt_lstm_cell", Dtype, "gates", "is i32", return lstm(w, MPT_I32, {2, 12}, MPT_F32, {2, 3})),
    STEPS("mpt_lstm_cell", Dtype, "cell", "is i32", return lstm(w, MPT_F32, {2, 12}, MPT_I32, {2, 3})),
    STEPS("mpt_lstm_cell", Taken, "cell", "", return lstm(w, MPT_BF16, {2, 12}, MPT_F32, {2, 3})),
    STEPS("mpt_lstm_cell", Taken, "cell", "", return lstm(w, MPT_F32, {2, 12}, MPT_F16, {2, 3})),
    STEPS("mpt_lstm_cell", Taken, "gates", "", return lstm(w, MPT_F32, {0, 12}, MPT_F32, {0, 3})),
    STEPS("mpt_lstm_cell", Taken, "gates", "", return lstm(w, MPT_F32, {2, 0}, MPT_F32, {2, 0})),

    ROW(Null, "input_gates", "", mpt_gru_cell, nullptr, w.x, w.x, w.out()),
    ROW(Null, "hidden_gates", "", mpt_gru_cell, w.x, nullptr, w.x, w.out()),
    ROW(Null, "hidden", "", mpt_gru_cell, w.x, w.x, nullptr, w.out()),
    ROW(Null, "out", "", mpt_gru_cell, w.x, w.x, w.x, nullptr),
    ROW(Foreign, "hidden_gates", "", mpt_gru_cell, w.x, w.other.x, w.x, w.out()),
    ROW(Foreign, "hidden", "", mpt_gru_cell, w.x, w.x, w.other.x, w.out()),
    ROW(State, "input_gates", "", mpt_gru_cell, w.output, w.x, w.x, w.out()),
    ROW(Shape, "input_gates", "[4]", mpt_gru_cell, w.row, w.x, w.x, w.out()),
    ROW(Shape, "hidden_gates", "[4]", mpt_gru_cell, w.x, w.row, w.x, w.out()),
    ROW(Shape, "hidden", "[4]", mpt_gru_cell, w.x, w.x, w.row, w.out()),
    ROW(Shape, "input_gates", "must be [2, 9]", mpt_gru_cell, w.x, w.x, w.x, w.out()),
    STEPS("mpt_gru_cell", Shape, "hidden_gates", "must be [2, 9]", return gru(w, MPT_F32, {2, 9}, MPT_F32, {2, 12}, MPT_F32, {2, 3})),
    STEPS("mpt_gru_cell", Dtype, "input_gates", "is i32", return gru(w, MPT_I32, {2, 9}, MPT_F32, {2, 9}, MPT_F32, {2, 3})),
    STEPS("mpt_gru_cell", Dtype, "hidden_gates", "is bool", return gru(w, MPT_F32, {2, 9}, MPT_BOOL, {2, 9}, MPT_F32, {2, 3})),
    STEPS("mpt_gru_cell", Dtype, "hidden", "is i64", return gru(w, MPT_F32, {2, 9}, MPT_F32, {2, 9}, MPT_I64, {2, 3})),
    STEPS("mpt_gru_cell", Taken, "hidden", "", return gru(w, MPT_F16, {2, 9}, MPT_F16, {2, 9}, MPT_F32, {2, 3})),
    STEPS("mpt_gru_cell", Taken, "hidden_gates", "", return gru(w, MPT_F16, {2, 9}, MPT_F32, {2, 9}, MPT_F32, {2, 3})),
    STEPS("mpt_gru_cell", Taken, "hidden", "", return gru(w, MPT_F32, {2, 0}, MPT_F32, {2, 0}, MPT_F32, {2, 0})),
};

}  // namespace
