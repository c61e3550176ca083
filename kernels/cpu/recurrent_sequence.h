// Whole sequences of recurrent layers in f32 and f64. The state's weight is packed once for all steps, and a step, products and
// cells, is one round of the threads, each of which has some of the units.
#pragma once

#include <algorithm>
#include <vector>

#include "device/attrs/recurrent.h"
#include "gemm_micro.h"
#include "isa.h"
#include "kernel.h"

namespace mpt::cpu {

inline constexpr double kSequenceWork = 2e6;  // operations that are worth waking a thread for
inline constexpr int kMostRows = 12, kMostPanel = 32;
inline constexpr std::int64_t kSingleK = 640, kBlockK = 384;  // sums of products are chains of so many, as in other products

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
    // y: [L,N,H].
    Sequence(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &y, const mpt_mod_operand &weight, int gate_count,
             bool backward)
        : steps(y.shape[0]),
          batch(y.shape[1]),
          hidden(y.shape[2]),
          gates(gate_count),
          pool_(pool),
          backward_(backward),
          reverse_(attrs_of<mpt_attrs_recurrent_sequence>(call).reverse != 0),
          weight_row_(weight.strides[0]) {
        if (weight.strides[1] != 1) refuse(call);
        for (std::int32_t i = 0; i < call.n_in + call.n_out; ++i) {
            const mpt_mod_operand &x = i < call.n_in ? call.in[i] : call.out[i - call.n_in];
            if (x.dtype == MPT_DTYPE_NONE) continue;
            if (x.dtype != y.dtype || (x.ndim > 1 && x.strides[x.ndim - 1] != 1 && x.shape[x.ndim - 1] != 1)) refuse(call);
        }
        panel = 2 * micro_.lanes;
        panels = (hidden + panel - 1) / panel;
        depth = backward ? gates * hidden : hidden;
        rows_ = batch == 0 ? 1 : (batch + (batch + micro_.rows - 1) / micro_.rows - 1) / ((batch + micro_.rows - 1) / micro_.rows);
        const double operations =
            2.0 * gates * static_cast<double>(batch) * static_cast<double>(hidden) * static_cast<double>(hidden);
        const auto most = static_cast<double>(std::min<std::int64_t>(pool.threads(), panels));
        parts_ = static_cast<int>(std::clamp(operations / kSequenceWork, 1.0, std::max(most, 1.0)));
    }

    std::int64_t at(std::int64_t i) const { return reverse_ ? steps - 1 - i : i; }
    std::int64_t packed_elements() const { return (backward_ ? 1 : gates) * panels * panel * depth; }

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
            for (int g = 0; g < (backward_ ? 1 : gates); ++g) {
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
    int gates;

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

// A kernel of sequences: what all of them keep of a call, and the workspace, which has the packed weight and `more` elements
// behind.
template <class T>
class SequenceKernel : public Kernel {
protected:
    SequenceKernel(const mpt_mod_call &call, const Sequence<T> &sequence, std::int64_t more)
        : sequence_(sequence), in_(call.in, call.in + call.n_in), out_(call.out, call.out + call.n_out) {
        workspace_bytes = static_cast<std::size_t>(sequence_.packed_elements() + more) * sizeof(T);
    }
    T *behind_weight(void *workspace) const { return static_cast<T *>(workspace) + sequence_.packed_elements(); }

    const Sequence<T> sequence_;
    const std::vector<mpt_mod_operand> in_, out_;
};

// Forward; behind the weight: the biases of all gates.
template <class T>
class SequenceForward : public SequenceKernel<T> {
protected:
    SequenceForward(Pool &pool, const mpt_mod_call &call, int gates)
        : SequenceForward(call, Sequence<T>(pool, call, call.out[0], call.in[1], gates, false)) {}
    // The weight, and the biases, which are 0 where there are none.
    const T *fill(const void *const *in, void *workspace) const {
        const auto &s = this->sequence_;
        const mpt_mod_operand &form = this->in_[2];
        T *const bias = this->behind_weight(workspace);
        for (std::int64_t k = 0; k < s.gates * s.hidden; ++k)
            bias[k] = form.dtype == MPT_DTYPE_NONE ? T{} : static_cast<const T *>(in[2])[k * form.strides[0]];
        s.pack(static_cast<const T *>(in[1]), static_cast<T *>(workspace));
        return bias;
    }

private:
    SequenceForward(const mpt_mod_call &call, const Sequence<T> &s) : SequenceKernel<T>(call, s, s.gates * s.hidden) {}
};

// Backward; behind the weight: what goes from step to step besides products.
template <class T>
class SequenceBackward : public SequenceKernel<T> {
protected:
    // y: [L,N,H].
    SequenceBackward(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &y, int gates)
        : SequenceBackward(call, Sequence<T>(pool, call, y, call.in[1], gates, true)) {}
    // The weight, and what is carried, which is 0 at first.
    Steps<T> fill(const void *const *in, void *workspace) const {
        const auto &s = this->sequence_;
        const Steps<T> carried{this->behind_weight(workspace), 0, s.hidden};
        std::fill_n(carried.base, s.batch * s.hidden, T{});
        s.pack(static_cast<const T *>(in[1]), static_cast<T *>(workspace));
        return carried;
    }

private:
    SequenceBackward(const mpt_mod_call &call, const Sequence<T> &s) : SequenceKernel<T>(call, s, s.batch * s.hidden) {}
};

template <class T>
inline void sum_row(T *sum, const T *gates, const T *bias, const T *products, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t k = 0; k < n; k++) sum[k] = gates[k] + bias[k] + products[k];
}

template <template <class> class K>
std::unique_ptr<Kernel> prepare_sequence(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<K<double>>(pool, call);
    if (call.in[0].dtype == MPT_F32) return std::make_unique<K<float>>(pool, call);
    throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": 16 bits, whose products have instructions of their own"};
}

}  // namespace mpt::cpu
