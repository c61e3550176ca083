// "gru_sequence" and "gru_sequence_grad" of device/attrs/recurrent.h in f32 and f64.
#include "gru_rows.h"
#include "recurrent_sequence.h"

namespace mpt::cpu {
namespace {

template <class T>
class GruSequence final : public SequenceForward<T> {
public:
    GruSequence(Pool &pool, const mpt_mod_call &call) : SequenceForward<T>(pool, call, 3) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto gates = steps_of<T>(in_[0], in[0]), hidden = steps_of<T>(in_[3], in[3]), y = steps_of<T>(out_[0], out[0]),
                   sums = steps_of<T>(out_[2], out[2]);
        const Sequence<T> &s = sequence_;
        auto *const packed = static_cast<T *>(workspace);
        const T *const bias = this->fill(in, workspace);
        for (std::int64_t i = 0; i < s.steps; ++i) {
            const std::int64_t t = s.at(i), before = i == 0 ? 0 : s.at(i - 1);
            const Steps<T> &states = i == 0 ? hidden : y;
            s.for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
                alignas(64) T products[kMostRows * 3 * kMostPanel];
                const T none[kMostPanel] = {};
                s.for_rows([&](std::int64_t n, std::int64_t rows) {
                    for (int g = 0; g < 3; ++g)
                        s.multiply(states.at(before, n), states.row, rows, s.packed(packed, g, k), products + g * s.panel,
                                   3 * s.panel);
                    for (std::int64_t r = 0; r < rows; ++r) {
                        const T *const from = gates.at(t, n + r) + unit;
                        T *const sum = sums.at(t, n + r) + unit;
                        for (int g = 0; g < 3; ++g)
                            sum_(sum + g * s.hidden, g < 2 ? from + g * s.hidden : none, bias + g * s.hidden + unit,
                                 products + (r * 3 + g) * s.panel, units);
                        const T *const x[] = {none, none, from + 2 * s.hidden}, *const own[] = {sum, sum + s.hidden,
                                                                                                sum + 2 * s.hidden};
                        row_(x, own, states.at(before, n + r) + unit, y.at(t, n + r) + unit, units);
                    }
                });
            });
        }
    }

    const char *name() const override { return "cpu:gru_sequence"; }

private:
    using SequenceKernel<T>::sequence_, SequenceKernel<T>::in_, SequenceKernel<T>::out_;
    void (*row_)(const T *const *, const T *const *, const T *, T *, std::int64_t) = Versions<&gru_row<T>>::best();
    void (*sum_)(T *, const T *, const T *, const T *, std::int64_t) = Versions<&sum_row<T>>::best();
};

template <class T>
class GruSequenceGrad final : public SequenceBackward<T> {
public:
    GruSequenceGrad(Pool &pool, const mpt_mod_call &call) : SequenceBackward<T>(pool, call, call.in[4], 3) {}

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto sums = steps_of<T>(in_[0], in[0]), gates = steps_of<T>(in_[2], in[2]), hidden = steps_of<T>(in_[3], in[3]),
                   y = steps_of<T>(in_[4], in[4]), dy = steps_of<T>(in_[5], in[5]), dgates = steps_of<T>(out_[0], out[0]),
                   passed = steps_of<T>(out_[1], out[1]), dhidden = steps_of<T>(out_[2], out[2]);
        const Sequence<T> &s = sequence_;
        auto *const packed = static_cast<T *>(workspace);
        const Steps<T> carried = this->fill(in, workspace);
        for (std::int64_t i = 0; i < s.steps; ++i) {
            const std::int64_t t = s.at(s.steps - 1 - i), behind = i == 0 ? 0 : s.at(s.steps - i);
            const Steps<T> &states = i + 1 == s.steps ? hidden : y;
            const std::int64_t before = i + 1 == s.steps ? 0 : s.at(s.steps - 2 - i);
            s.for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
                alignas(64) T dh[kMostRows * kMostPanel];
                const T none[kMostPanel] = {};
                s.for_rows([&](std::int64_t n, std::int64_t rows) {
                    if (i > 0)
                        s.multiply(passed.at(behind, n), passed.row, rows, s.packed(packed, 0, k), dh, s.panel);
                    else
                        std::fill_n(dh, rows * s.panel, T{});
                    for (std::int64_t r = 0; r < rows; ++r) {
                        T *const d = dh + r * s.panel, *const kept = carried.at(0, n + r) + unit;
                        const T *const from = dy.at(t, n + r) + unit;
                        for (std::int64_t v = 0; v < units; ++v) d[v] = from[v] + kept[v] + d[v];
                        const T *const sum = sums.at(t, n + r) + unit;
                        T *const of_input = dgates.at(t, n + r) + unit, *const of_state = passed.at(t, n + r) + unit;
                        const T *const x[] = {none, none, gates.at(t, n + r) + 2 * s.hidden + unit}, *const own[] = {
                                                                                                         sum, sum + s.hidden,
                                                                                                         sum + 2 * s.hidden};
                        T *const to[] = {of_input, of_input + s.hidden, of_input + 2 * s.hidden, of_state + 2 * s.hidden};
                        row_(x, own, states.at(before, n + r) + unit, d, to, kept, units);
                        for (int g = 0; g < 2; ++g) std::copy_n(to[g], units, of_state + g * s.hidden);
                    }
                });
            });
        }
        if (!dhidden.base || s.steps == 0) return;
        s.for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
            alignas(64) T dh[kMostRows * kMostPanel];
            s.for_rows([&](std::int64_t n, std::int64_t rows) {
                s.multiply(passed.at(s.at(0), n), passed.row, rows, s.packed(packed, 0, k), dh, s.panel);
                for (std::int64_t r = 0; r < rows; ++r)
                    for (std::int64_t v = 0; v < units; ++v)
                        dhidden.at(0, n + r)[unit + v] = carried.at(0, n + r)[unit + v] + dh[r * s.panel + v];
            });
        });
    }

    const char *name() const override { return "cpu:gru_sequence"; }

private:
    using SequenceKernel<T>::sequence_, SequenceKernel<T>::in_, SequenceKernel<T>::out_;
    void (*row_)(const T *const *, const T *const *, const T *, const T *, T *const *, T *,
                 std::int64_t) = Versions<&gru_grad_row<T>>::best();
};
const RegisteredKernel registered("gru_sequence", prepare_sequence<GruSequence>),
    registered_grad("gru_sequence_grad", prepare_sequence<GruSequenceGrad>);

}  // namespace
}  // namespace mpt::cpu
