// "lstm_sequence" and "lstm_sequence_grad" of device/attrs/recurrent.h in f32 and f64.
#include "lstm_rows.h"
#include "recurrent_sequence.h"

namespace mpt::cpu {
namespace {

template <class T>
class LstmSequence final : public SequenceForward<T> {
public:
    LstmSequence(Pool &pool, const mpt_mod_call &call) : SequenceForward<T>(pool, call, 4) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto gates = steps_of<T>(in_[0], in[0]), hidden = steps_of<T>(in_[3], in[3]), cell = steps_of<T>(in_[4], in[4]),
                   y = steps_of<T>(out_[0], out[0]), cells = steps_of<T>(out_[1], out[1]), sums = steps_of<T>(out_[2], out[2]);
        const Sequence<T> &s = sequence_;
        auto *const packed = static_cast<T *>(workspace);
        const T *const bias = this->fill(in, workspace);
        for (std::int64_t i = 0; i < s.steps; ++i) {
            const std::int64_t t = s.at(i), before = i == 0 ? 0 : s.at(i - 1);
            const Steps<T> &states = i == 0 ? hidden : y, &memory = i == 0 ? cell : cells;
            s.for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
                alignas(64) T products[kMostRows * 4 * kMostPanel];
                s.for_rows([&](std::int64_t n, std::int64_t rows) {
                    for (int g = 0; g < 4; ++g)
                        s.multiply(states.at(before, n), states.row, rows, s.packed(packed, g, k), products + g * s.panel,
                                   4 * s.panel);
                    for (std::int64_t r = 0; r < rows; ++r) {
                        const T *x[4];
                        for (int g = 0; g < 4; ++g) {
                            T *const sum = sums.at(t, n + r) + g * s.hidden + unit;
                            const T *const from = gates.at(t, n + r) + g * s.hidden + unit, *const product =
                                                                                                products + (r * 4 + g) * s.panel;
                            sum_(sum, from, bias + g * s.hidden + unit, product, units);
                            x[g] = sum;
                        }
                        row_(x, memory.at(before, n + r) + unit, y.at(t, n + r) + unit, cells.at(t, n + r) + unit, units);
                    }
                });
            });
        }
    }

    const char *name() const override { return "cpu:lstm_sequence"; }

private:
    using SequenceKernel<T>::sequence_, SequenceKernel<T>::in_, SequenceKernel<T>::out_;
    void (*row_)(const T *const *, const T *, T *, T *, std::int64_t) = Versions<&lstm_row<T>>::best();
    void (*sum_)(T *, const T *, const T *, const T *, std::int64_t) = Versions<&sum_row<T>>::best();
};

template <class T>
class LstmSequenceGrad final : public SequenceBackward<T> {
public:
    LstmSequenceGrad(Pool &pool, const mpt_mod_call &call) : SequenceBackward<T>(pool, call, call.in[3], 4) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto sums = steps_of<T>(in_[0], in[0]), cell = steps_of<T>(in_[2], in[2]), cells = steps_of<T>(in_[3], in[3]),
                   dy = steps_of<T>(in_[4], in[4]), dcells = steps_of<T>(in_[5], in[5]), dgates = steps_of<T>(out_[0], out[0]),
                   dhidden = steps_of<T>(out_[1], out[1]), dcell = steps_of<T>(out_[2], out[2]);
        const Sequence<T> &s = sequence_;
        auto *const packed = static_cast<T *>(workspace);
        const Steps<T> carried = this->fill(in, workspace);
        for (std::int64_t i = 0; i < s.steps; ++i) {
            const bool is_first = i + 1 == s.steps;
            const std::int64_t t = s.at(s.steps - 1 - i), behind = i == 0 ? 0 : s.at(s.steps - i),
                               before = is_first ? 0 : s.at(s.steps - 2 - i);
            const Steps<T> &memory = is_first ? cell : cells;
            s.for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
                alignas(64) T dh[kMostRows * kMostPanel], dc[kMostPanel];
                s.for_rows([&](std::int64_t n, std::int64_t rows) {
                    if (i > 0)
                        s.multiply(dgates.at(behind, n), dgates.row, rows, s.packed(packed, 0, k), dh, s.panel);
                    else
                        std::fill_n(dh, rows * s.panel, T{});
                    for (std::int64_t r = 0; r < rows; ++r) {
                        T *const d = dh + r * s.panel, *const kept = carried.at(0, n + r) + unit;
                        const T *x[4];
                        T *dx[4];
                        for (int g = 0; g < 4; ++g) {
                            x[g] = sums.at(t, n + r) + g * s.hidden + unit;
                            dx[g] = dgates.at(t, n + r) + g * s.hidden + unit;
                        }
                        if (dy.base)
                            for (std::int64_t v = 0; v < units; ++v) d[v] += dy.at(t, n + r)[unit + v];
                        for (std::int64_t v = 0; v < units; ++v)
                            dc[v] = kept[v] + (dcells.base ? dcells.at(t, n + r)[unit + v] : T{});
                        row_(x, memory.at(before, n + r) + unit, d, dc, dx, kept, units);
                    }
                });
            });
        }
        if (s.steps == 0) return;
        s.for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
            alignas(64) T dh[kMostRows * kMostPanel];
            s.for_rows([&](std::int64_t n, std::int64_t rows) {
                if (dhidden.base) s.multiply(dgates.at(s.at(0), n), dgates.row, rows, s.packed(packed, 0, k), dh, s.panel);
                for (std::int64_t r = 0; r < rows; ++r) {
                    if (dhidden.base) std::copy_n(dh + r * s.panel, units, dhidden.at(0, n + r) + unit);
                    if (dcell.base) std::copy_n(carried.at(0, n + r) + unit, units, dcell.at(0, n + r) + unit);
                }
            });
        });
    }

    const char *name() const override { return "cpu:lstm_sequence"; }

private:
    using SequenceKernel<T>::sequence_, SequenceKernel<T>::in_, SequenceKernel<T>::out_;
    void (*row_)(const T *const *, const T *, const T *, const T *, T *const *, T *,
                 std::int64_t) = Versions<&lstm_grad_row<T>>::best();
};

const RegisteredKernel registered("lstm_sequence", prepare_sequence<LstmSequence>),
    registered_grad("lstm_sequence_grad", prepare_sequence<LstmSequenceGrad>);

}  // namespace
}  // namespace mpt::cpu
