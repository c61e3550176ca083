// "lstm_cell" and "lstm_cell_grad" of device/attrs/.
#include "isa.h"
#include "kernel.h"
#include "lstm_rows.h"
#include "recurrent.h"

namespace mpt::cpu {
namespace {

// Gates as the functions see them: where they lie, or the sum with more of them in the buffer.
template <class C>
const C *read_gates(const CellOperand<C> &gates, const CellOperand<C> &more, const void *from, const void *more_from, std::int64_t row, std::int64_t column,
                    std::int64_t n, C *buffer) {
    const C *x = gates.read(from, row, column, n, buffer);
    if (!more.present()) return x;
    alignas(64) C other[kCellTile];
    const C *y = more.read(more_from, row, column, n, other);
    for (std::int64_t k = 0; k < n; k++) buffer[k] = x[k] + y[k];
    return buffer;
}

template <class C>
class LstmCell final : public Kernel {
public:
    LstmCell(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          state_(call.in[1]),
          gates_(call.kernel, call.in[0]),
          cell_(call.kernel, call.in[1]),
          more_(call.kernel, call.in[2]),
          h_(call.kernel, call.out[0]),
          c_(call.kernel, call.out[1]) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t width = state_.shape[1];
        for_cells(pool_, state_, [&](std::int64_t row, std::int64_t column, std::int64_t n) {
            alignas(64) C buffer[7][kCellTile];
            const C *gates[4];
            for (int k = 0; k < 4; k++) gates[k] = read_gates(gates_, more_, in[0], in[2], row, k * width + column, n, buffer[k]);
            C *h = h_.place(out[0], row, column, buffer[5]), *c = c_.place(out[1], row, column, buffer[6]);
            row_(gates, cell_.read(in[1], row, column, n, buffer[4]), h, c, n);
            h_.write(h, out[0], row, column, n);
            c_.write(c, out[1], row, column, n);
        });
    }

    const char *name() const override { return "cpu:lstm_cell"; }

private:
    Pool &pool_;
    mpt_mod_operand state_;
    CellOperand<C> gates_, cell_, more_, h_, c_;
    void (*row_)(const C *const *, const C *, C *, C *, std::int64_t) = Versions<&lstm_row<C>>::best();
};

template <class C>
class LstmCellGrad final : public Kernel {
public:
    LstmCellGrad(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          state_(call.in[1]),
          gates_(call.kernel, call.in[0]),
          cell_(call.kernel, call.in[1]),
          dh_(call.kernel, call.in[2]),
          dc_(call.kernel, call.in[3]),
          more_(call.kernel, call.in[4]),
          dgates_(call.kernel, call.out[0]),
          dcell_(call.kernel, call.out[1]) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t width = state_.shape[1];
        for_cells(pool_, state_, [&](std::int64_t row, std::int64_t column, std::int64_t n) {
            alignas(64) C buffer[12][kCellTile];
            const C *gates[4];
            C *dgates[4];
            for (int k = 0; k < 4; k++) {
                gates[k] = read_gates(gates_, more_, in[0], in[4], row, k * width + column, n, buffer[k]);
                dgates[k] = dgates_.place(out[0], row, k * width + column, buffer[4 + k]);
            }
            C *dcell = dcell_.place(out[1], row, column, buffer[8]);
            row_(gates, cell_.read(in[1], row, column, n, buffer[9]), dh_.read(in[2], row, column, n, buffer[10]),
                 dc_.read(in[3], row, column, n, buffer[11]), dgates, dcell, n);
            for (int k = 0; k < 4; k++) dgates_.write(dgates[k], out[0], row, k * width + column, n);
            dcell_.write(dcell, out[1], row, column, n);
        });
    }

    const char *name() const override { return "cpu:lstm_cell_grad"; }

private:
    Pool &pool_;
    mpt_mod_operand state_;
    CellOperand<C> gates_, cell_, dh_, dc_, more_, dgates_, dcell_;
    void (*row_)(const C *const *, const C *, const C *, const C *, C *const *, C *,
                 std::int64_t) = Versions<&lstm_grad_row<C>>::best();
};

const RegisteredKernel registered_cell("lstm_cell", prepare_cell<LstmCell>);
const RegisteredKernel registered_grad("lstm_cell_grad", prepare_cell<LstmCellGrad>);

}  // namespace
}  // namespace mpt::cpu
