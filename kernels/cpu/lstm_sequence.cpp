// "lstm_sequence" and "lstm_sequence_grad" of device/attrs/recurrent.h in f32 and f64. The state's weight is packed once for all
// steps, and a step, products and cells, is one round of the threads, each of which has some of the units.
#include <algorithm>
#include <vector>

#include "device/attrs/recurrent.h"
#include "gemm_micro.h"
#include "kernel.h"
#include "lstm_rows.h"
#include "recurrent.h"

namespace mpt::cpu {
namespace {

constexpr double kWorkPerThread = 2e6;  // operations that are worth waking a thread for
constexpr int kMostRows = 12, kMostPanel = 32;
constexpr std::int64_t kSingleK = 640, kBlockK = 384;  // sums of products are chains of so many, as in other products

// [L,N,*], or [N,*] with a step of 0.
template <class T>
struct Steps {
    T *base = nullptr;  // null: absent
    std::int64_t step = 0, row = 0;
    T *at(std::int64_t t, std::int64_t n) const { return base + t * step + n * row; }
};
template <class T>
Steps<T> steps_of(const mpt_mod_operand &x, const void *base) {
    if (x.dtype == MPT_DTYPE_NONE) return {};
    auto *at = static_cast<T *>(const_cast<void *>(base));
    return x.ndim == 3 ? Steps<T>{at, x.strides[0], x.strides[1]} : Steps<T>{at, 0, x.strides[0]};
}

template <class T>
class Sequence {
public:
    // y: [L,N,H]. gates: of a product's result, in the forward.
    Sequence(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &y, const mpt_mod_operand &weight, bool backward)
        : steps(y.shape[0]),
          batch(y.shape[1]),
          hidden(y.shape[2]),
          pool_(pool),
          backward_(backward),
          reverse_(attrs_of<mpt_attrs_lstm_sequence>(call).reverse != 0),
          weight_row_(weight.strides[0]) {
        if (weight.strides[1] != 1) refuse(call);
        for (std::int32_t i = 0; i < call.n_in + call.n_out; ++i) {
            const mpt_mod_operand &x = i < call.n_in ? call.in[i] : call.out[i - call.n_in];
            if (x.dtype == MPT_DTYPE_NONE) continue;
            if (x.dtype != y.dtype || (x.ndim > 1 && x.strides[x.ndim - 1] != 1 && x.shape[x.ndim - 1] != 1)) refuse(call);
        }
        panel = 2 * micro_.lanes;
        panels = (hidden + panel - 1) / panel;
        depth = backward ? 4 * hidden : hidden;
        rows_ = batch == 0 ? 1 : (batch + (batch + micro_.rows - 1) / micro_.rows - 1) / ((batch + micro_.rows - 1) / micro_.rows);
        const double operations = 8.0 * static_cast<double>(batch) * static_cast<double>(hidden) * static_cast<double>(hidden);
        const auto most = static_cast<double>(std::min<std::int64_t>(pool.threads(), panels));
        parts_ = static_cast<int>(std::clamp(operations / kWorkPerThread, 1.0, std::max(most, 1.0)));
    }

    std::int64_t at(std::int64_t i) const { return reverse_ ? steps - 1 - i : i; }
    std::int64_t packed_elements() const { return (backward_ ? 1 : 4) * panels * panel * depth; }

    // f(first unit, units, panel) for all panels, by the threads.
    template <class F>
    void for_panels(F &&f) const {
        struct Arg {
            const Sequence &s;
            F &f;
        } arg{*this, f};
        pool_.run(
            parts_,
            [](std::int32_t part, std::int32_t parts, void *p) {
                auto &a = *static_cast<Arg *>(p);
                for (std::int64_t k = a.s.panels * part / parts; k < a.s.panels * (part + 1) / parts; ++k)
                    a.f(k * a.s.panel, std::min(a.s.panel, a.s.hidden - k * a.s.panel), k);
            },
            &arg);
    }
    // f(first row, rows) for all rows, in as many as a tile of products has.
    template <class F>
    void for_rows(F &&f) const {
        for (std::int64_t n = 0; n < batch; n += rows_) f(n, std::min(rows_, batch - n));
    }

    // Panels of units, a row for each of the depth: those of gate after gate, or of the transposed weight.
    void pack(const T *weight, T *to) const {
        for_panels([&](std::int64_t unit, std::int64_t units, std::int64_t k) {
            for (int g = 0; g < (backward_ ? 1 : 4); ++g) {
                T *const block = packed(to, g, k);
                if (units < panel) std::fill_n(block, panel * depth, T{});
                for (std::int64_t d = 0; d < depth; ++d)
                    for (std::int64_t v = 0; v < units; ++v)
                        block[d * panel + v] =
                            backward_ ? weight[d * weight_row_ + unit + v] : weight[(g * hidden + unit + v) * weight_row_ + d];
            }
        });
    }
    T *packed(T *all, int gate, std::int64_t k) const { return all + (gate * panels + k) * panel * depth; }

    // c [rows, panel] at distances of pitch = rows of a, so far apart, times a packed panel.
    void multiply(const T *a, std::int64_t row_step, std::int64_t rows, const T *block, T *c, std::int64_t pitch) const {
        const auto tile = micro_.tiles[rows - 1][1];
        const std::int64_t size = depth <= kSingleK ? depth : kBlockK;
        for (std::int64_t d = 0; d < depth; d += size)
            tile(std::min(size, depth - d), a + d, row_step, 1, block + d * panel, c, pitch,
                 d == 0 ? TileStore::set : TileStore::add);
    }

    std::int64_t steps, batch, hidden, panel, panels, depth;

private:
    [[noreturn]] static void refuse(const mpt_mod_call &call) {
        throw Failure{MPT_ERROR_UNSUPPORTED,
                      std::string(call.kernel) + ": operands of one type, f32 or f64, whose rows are contiguous"};
    }

    Pool &pool_;
    const Micro<T> &micro_ = best_micro<T>();
    bool backward_, reverse_;
    std::int64_t weight_row_, rows_;
    int parts_;
};

template <class T>
void sum_row(T *sum, const T *gates, const T *bias, const T *products, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t k = 0; k < n; k++) sum[k] = gates[k] + bias[k] + products[k];
}

template <class T>
class LstmSequence final : public Kernel {
public:
    LstmSequence(Pool &pool, const mpt_mod_call &call)
        : sequence_(pool, call, call.out[0], call.in[1], false),
          in_(call.in, call.in + call.n_in),
          out_(call.out, call.out + call.n_out) {
        workspace_bytes = static_cast<std::size_t>(sequence_.packed_elements() + 4 * sequence_.hidden) * sizeof(T);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto gates = steps_of<T>(in_[0], in[0]), hidden = steps_of<T>(in_[3], in[3]), cell = steps_of<T>(in_[4], in[4]),
                   y = steps_of<T>(out_[0], out[0]), cells = steps_of<T>(out_[1], out[1]), sums = steps_of<T>(out_[2], out[2]);
        const Sequence<T> &s = sequence_;
        auto *const packed = static_cast<T *>(workspace);
        T *const bias = packed + s.packed_elements();
        for (std::int64_t k = 0; k < 4 * s.hidden; ++k)
            bias[k] = in_[2].dtype == MPT_DTYPE_NONE ? T{} : static_cast<const T *>(in[2])[k * in_[2].strides[0]];
        s.pack(static_cast<const T *>(in[1]), packed);
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
    Sequence<T> sequence_;
    std::vector<mpt_mod_operand> in_, out_;
    void (*row_)(const T *const *, const T *, T *, T *, std::int64_t) = Versions<&lstm_row<T>>::best();
    void (*sum_)(T *, const T *, const T *, const T *, std::int64_t) = Versions<&sum_row<T>>::best();
};

template <class T>
class LstmSequenceGrad final : public Kernel {
public:
    LstmSequenceGrad(Pool &pool, const mpt_mod_call &call)
        : sequence_(pool, call, call.in[3], call.in[1], true),
          in_(call.in, call.in + call.n_in),
          out_(call.out, call.out + call.n_out) {
        workspace_bytes = static_cast<std::size_t>(sequence_.packed_elements() + sequence_.batch * sequence_.hidden) * sizeof(T);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const auto sums = steps_of<T>(in_[0], in[0]), cell = steps_of<T>(in_[2], in[2]), cells = steps_of<T>(in_[3], in[3]),
                   dy = steps_of<T>(in_[4], in[4]), dcells = steps_of<T>(in_[5], in[5]), dgates = steps_of<T>(out_[0], out[0]),
                   dhidden = steps_of<T>(out_[1], out[1]), dcell = steps_of<T>(out_[2], out[2]);
        const Sequence<T> &s = sequence_;
        auto *const packed = static_cast<T *>(workspace);
        const Steps<T> carried{packed + s.packed_elements(), 0, s.hidden};
        s.pack(static_cast<const T *>(in[1]), packed);
        std::fill_n(carried.base, s.batch * s.hidden, T{});
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
    Sequence<T> sequence_;
    std::vector<mpt_mod_operand> in_, out_;
    void (*row_)(const T *const *, const T *, const T *, const T *, T *const *, T *,
                 std::int64_t) = Versions<&lstm_grad_row<T>>::best();
};

template <template <class> class K>
std::unique_ptr<Kernel> prepare(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    if (call.in[0].dtype == MPT_F32) return std::make_unique<K<float>>(pool, call);
    throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": 16 bits, whose products have instructions of their own"};
}
const RegisteredKernel registered("lstm_sequence", prepare<LstmSequence>),
    registered_grad("lstm_sequence_grad", prepare<LstmSequenceGrad>);

}  // namespace
}  // namespace mpt::cpu
