// "gru_cell" and "gru_cell_grad" of device/attrs/.
#include "gru_rows.h"
#include "kernel.h"
#include "recurrent.h"

namespace mpt::cpu {
namespace {

template <class C>
class GruCell final : public Kernel {
public:
    GruCell(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          state_(call.in[2]),
          x_(call.kernel, call.in[0]),
          y_(call.kernel, call.in[1]),
          hidden_(call.kernel, call.in[2]),
          out_(call.kernel, call.out[0]) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t width = state_.shape[1];
        for_cells(pool_, state_, [&](std::int64_t row, std::int64_t column, std::int64_t n) {
            alignas(64) C buffer[8][kCellTile];
            const C *x[3], *y[3];
            for (int k = 0; k < 3; k++) {
                x[k] = x_.read(in[0], row, k * width + column, n, buffer[k]);
                y[k] = y_.read(in[1], row, k * width + column, n, buffer[3 + k]);
            }
            C *to = out_.place(out[0], row, column, buffer[7]);
            row_(x, y, hidden_.read(in[2], row, column, n, buffer[6]), to, n);
            out_.write(to, out[0], row, column, n);
        });
    }

    const char *name() const override { return "cpu:gru_cell"; }

private:
    Pool &pool_;
    mpt_mod_operand state_;
    CellOperand<C> x_, y_, hidden_, out_;
    void (*row_)(const C *const *, const C *const *, const C *, C *, std::int64_t) = Versions<&gru_row<C>>::best();
};

template <class C>
class GruCellGrad final : public Kernel {
public:
    GruCellGrad(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          state_(call.in[2]),
          x_(call.kernel, call.in[0]),
          y_(call.kernel, call.in[1]),
          hidden_(call.kernel, call.in[2]),
          dout_(call.kernel, call.in[3]),
          dx_(call.kernel, call.out[0]),
          dy_(call.kernel, call.out[1]),
          dhidden_(call.kernel, call.out[2]) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t width = state_.shape[1];
        for_cells(pool_, state_, [&](std::int64_t row, std::int64_t column, std::int64_t n) {
            alignas(64) C buffer[13][kCellTile];
            const C *x[3], *y[3];
            for (int k = 0; k < 3; k++) {
                x[k] = x_.read(in[0], row, k * width + column, n, buffer[k]);
                y[k] = y_.read(in[1], row, k * width + column, n, buffer[3 + k]);
            }
            // Both sums have the gradients of r and z, so these are stored twice.
            C *const d[4] = {buffer[6], buffer[7], buffer[8], buffer[9]};
            C *dhidden = dhidden_.place(out[2], row, column, buffer[10]);
            row_(x, y, hidden_.read(in[2], row, column, n, buffer[11]), dout_.read(in[3], row, column, n, buffer[12]), d, dhidden,
                 n);
            for (int k = 0; k < 3; k++) {
                dx_.copy(d[k], out[0], row, k * width + column, n);
                dy_.copy(d[k < 2 ? k : 3], out[1], row, k * width + column, n);
            }
            dhidden_.write(dhidden, out[2], row, column, n);
        });
    }

    const char *name() const override { return "cpu:gru_cell_grad"; }

private:
    Pool &pool_;
    mpt_mod_operand state_;
    CellOperand<C> x_, y_, hidden_, dout_, dx_, dy_, dhidden_;
    void (*row_)(const C *const *, const C *const *, const C *, const C *, C *const *, C *,
                 std::int64_t) = Versions<&gru_grad_row<C>>::best();
};

const RegisteredKernel registered_cell("gru_cell", prepare_cell<GruCell>);
const RegisteredKernel registered_grad("gru_cell_grad", prepare_cell<GruCellGrad>);

}  // namespace
}  // namespace mpt::cpu
