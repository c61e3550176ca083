// What the update rules have in common: all tensors of a group in one pass that reads the gradients, updates parameters and
// state, and writes the low-precision copies while the values are in the first-level cache.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chunks.h"
#include "grad_scale.h"
#include "isa.h"
#include "kernel.h"
#include "rounding.h"
#include "rows.h"
#include "update_tensor.h"

namespace mpt::cpu {

// Rule: has the attributes, how many states there are, and
//   template <class C> using Constants
//   template <class C> Constants<C> constants(double lr, std::int64_t t, float inv, float clip) const
//   template <class C> void update(const UpdateRow<C> &, const Constants<C> &) const
// A rule with kByNorms sees all of a parameter before it is updated:
//   template <class C> void measure(const UpdateRow<C> &, const Constants<C> &, Norms &) const    updates the states
//   template <class C> void update(const UpdateRow<C> &, const Constants<C> &, C ratio) const     has no gradient
template <class Rule>
class Optimizer final : public Kernel {
public:
    Optimizer(Pool &pool, const mpt_mod_call &call, const Rule &rule) : pool_(pool), rule_(rule), chunks_(kGrain) {
        const mpt_attrs_update &a = rule_.attrs.common;
        const bool kahan = a.rounding == MPT_ROUNDING_KAHAN;
        const int lists = 1 + rule_.states + kahan + a.copies;
        if (a.n < 0 || a.copies < 0 || call.n_in != kGradients + a.n || call.n_out != kParameters + a.n * lists)
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": another number of operands than the attributes say"};
        for (int i = 0; i < kGradients; i++) present_[i] = call.in[i].dtype != MPT_DTYPE_NONE;
        for (int i = 0; i < a.n; i++) {
            tensors_.push_back(update_tensor(call, a, i, kGradients, kParameters, rule_.states));
            if (call.in[kGradients + i].dtype == MPT_DTYPE_NONE) continue;  // left as it is
            const std::int64_t count = numel(call.out[kParameters + i]);
            chunks_.add(i, count);
            tensors_.back().first_block = blocks_;
            if (a.rounding == MPT_ROUNDING_STOCHASTIC) blocks_ += (count + kDrawsPerBlock - 1) / kDrawsPerBlock;
        }
        if constexpr (Rule::kByNorms)
            workspace_bytes = static_cast<std::size_t>(chunks_.count()) * sizeof(Norms) + tensors_.size() * sizeof(double);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        const mpt_attrs_update &a = rule_.attrs.common;
        auto &count = *static_cast<std::int64_t *>(out[0]);
        auto *counts = static_cast<std::int64_t *>(out[1]);
        Run run{in, out, 0, 0};
        if (a.rounding == MPT_ROUNDING_STOCHASTIC) {
            auto *state = static_cast<std::uint64_t *>(out[3]);
            run.seed = state[0];
            run.counter = state[1];
            state[1] += static_cast<std::uint64_t>(blocks_);  // skipped or not
        }
        if (present_[1] && *static_cast<const float *>(in[1]) != 0.0f) {
            counts[1]++;
            return;
        }
        const float rate = *static_cast<const float *>(in[0]);
        const double lr = static_cast<double>(rate) * a.lr_scale;
        run.inv = inverse_scale(present_[2] ? in[2] : nullptr);
        const float inv = a.max_value > 0 ? 1.0f : run.inv;  // clipping by value has applied it already
        const float clip = clip_factor(present_[3] ? in[3] : nullptr, static_cast<float>(a.max_norm));
        const auto narrow = rule_.template constants<float>(lr, count + 1, inv, clip);
        const auto wide = rule_.template constants<double>(lr, count + 1, inv, clip);
        if constexpr (Rule::kByNorms) {
            auto *norms = static_cast<Norms *>(workspace);
            auto *ratios = reinterpret_cast<double *>(norms + chunks_.count());
            measure(run, norms, ratios, narrow, wide);
            each_chunk([&](const Chunk &chunk, std::int64_t, auto zero) {
                using C = decltype(zero);
                const auto &constants = pick<C>(narrow, wide);
                const C ratio = static_cast<C>(ratios[chunk.tensor]);
                each_row<C, false>(run, chunk, [&](const UpdateRow<C> &row) { rule_.template update<C>(row, constants, ratio); });
            });
        } else {
            each_chunk([&](const Chunk &chunk, std::int64_t, auto zero) {
                using C = decltype(zero);
                const auto &constants = pick<C>(narrow, wide);
                each_row<C, true>(run, chunk, [&](const UpdateRow<C> &row) { rule_.template update<C>(row, constants); });
            });
        }
        *static_cast<float *>(out[2]) = rate;
        count++;
        counts[0]++;
    }

    const char *name() const override { return Rule::kName; }

private:
    static constexpr int kGradients = 4, kParameters = 4;
    static constexpr std::int64_t kTile = 1024;
    static_assert(kGrain % kTile == 0 && kTile == kRoundingTile, "a row's random numbers are whole blocks of its tensor");

    struct Run {
        const void *const *in;
        void *const *out;
        std::uint64_t seed, counter;
        float inv = 1;
    };

    template <class C, class N, class W>
    static const auto &pick(const N &narrow, const W &wide) {
        if constexpr (sizeof(C) == 8)
            return wide;
        else
            return narrow;
    }

    // f(chunk, its index, a zero of the type that its tensor is computed in)
    template <class F>
    void each_chunk(F &&f) const {
        chunks_.run(pool_, [&](const Chunk &chunk, std::int64_t index) {
            if (tensors_[static_cast<std::size_t>(chunk.tensor)].wide)
                f(chunk, index, double{});
            else
                f(chunk, index, float{});
        });
    }

    template <class N, class W>
    void measure(const Run &run, Norms *norms, double *ratios, const N &narrow, const W &wide) const {
        each_chunk([&](const Chunk &chunk, std::int64_t index, auto zero) {
            using C = decltype(zero);
            norms[index] = {};
            const auto &constants = pick<C>(narrow, wide);
            each_row<C, true, false>(run, chunk,
                                     [&](const UpdateRow<C> &row) { rule_.template measure<C>(row, constants, norms[index]); });
        });
        std::size_t at = 0;
        for (std::size_t i = 0; i < tensors_.size(); i++) {
            Norms total;
            for (; at < chunks_.list().size() && static_cast<std::size_t>(chunks_.list()[at].tensor) == i; at++) {
                total.parameter += norms[at].parameter;
                total.direction += norms[at].direction;
            }
            const bool nothing = total.parameter == 0 || total.direction == 0;
            ratios[i] = nothing ? 1.0 : std::sqrt(total.parameter) / std::sqrt(total.direction);
        }
    }

    // The rows of a chunk through visit. Gradients: the rule looks at them. Update: it changes the parameter.
    template <class C, bool Gradients, bool Update = true, class Visit>
    void each_row(const Run &run, const Chunk &chunk, Visit &&visit) const {
        const mpt_attrs_update &a = rule_.attrs.common;
        const int n = a.n, i = chunk.tensor;
        const UpdateTensor &tensor = tensors_[static_cast<std::size_t>(i)];
        const auto *gradient = static_cast<const std::byte *>(run.in[kGradients + i]);
        auto *parameter = static_cast<std::byte *>(run.out[kParameters + i]);
        const auto list = [&](int number) { return run.out[kParameters + number * n + i]; };
        void *rest = a.rounding == MPT_ROUNDING_KAHAN ? list(1 + rule_.states) : nullptr;
        alignas(64) C gradients[kTile], values[kTile];
        for (std::int64_t done = 0; done < chunk.count; done += kTile) {
            const std::int64_t at = chunk.begin + done;
            UpdateRow<C> row{};
            row.n = std::min(kTile, chunk.count - done);
            row.parameter = tensor.rounded ? values : reinterpret_cast<C *>(parameter) + at;
            if constexpr (sizeof(C) == 4)
                if (tensor.rounded) load_parameter(tensor, parameter, static_cast<const std::byte *>(rest), at, row);
            for (int s = 0; s < rule_.states; s++) row.state[s] = static_cast<C *>(list(1 + s)) + at;
            if constexpr (Gradients) {
                const std::byte *from = gradient + at * tensor.gradient_bytes;
                const bool direct = tensor.direct && a.max_value == 0;
                row.gradient = direct ? reinterpret_cast<const C *>(from) : gradients;
                if (!direct) tensor.load<C>()(from, 1, row.n, row.n, 1, gradients);
                if (a.max_value > 0) clip_row<C>()(gradients, row.n, static_cast<C>(run.inv), static_cast<C>(a.max_value));
            }
            visit(row);
            if constexpr (Update) {
                if constexpr (sizeof(C) == 4)
                    if (tensor.rounded) store_parameter(run, tensor, parameter, static_cast<std::byte *>(rest), at, row);
                const int first_copy = 1 + rule_.states + (a.rounding == MPT_ROUNDING_KAHAN);
                for (std::size_t c = 0; c < tensor.copies.size(); c++) {
                    const UpdateTensor::Copy &copy = tensor.copies[c];
                    if (copy.bytes == 0) continue;
                    auto *to = static_cast<std::byte *>(list(first_copy + static_cast<int>(c)));
                    copy.store<C>()(row.parameter, to + at * copy.bytes, 1, row.n, row.n, 1);
                }
            }
        }
    }

    template <class C>
    auto clip_row() const {
        if constexpr (sizeof(C) == 8)
            return clip_wide_;
        else
            return clip_narrow_;
    }

    // rest: the compensation, where rounding is KAHAN.
    void load_parameter(const UpdateTensor &tensor, const std::byte *parameter, const std::byte *rest, std::int64_t at,
                        const UpdateRow<float> &row) const {
        const std::int64_t n = row.n, offset = at * tensor.parameter_bytes;
        tensor.load_parameter(parameter + offset, 1, n, n, 1, row.parameter);
        if (rule_.attrs.common.rounding != MPT_ROUNDING_KAHAN) return;
        alignas(64) float lost[kTile], halfway[kTile];
        alignas(64) std::uint16_t low[kTile];
        tensor.load_parameter(rest + offset, 1, n, n, 1, lost);
        halfway_(row.parameter, lost, halfway, n);
        tensor.store_parameter(halfway, low, 1, n, n, 1);
        tensor.load_parameter(low, 1, n, n, 1, halfway);
        add_(row.parameter, lost, halfway, n);
    }

    void store_parameter(const Run &run, const UpdateTensor &tensor, std::byte *parameter, std::byte *rest, std::int64_t at,
                         const UpdateRow<float> &row) const {
        const std::int64_t n = row.n, offset = at * tensor.parameter_bytes;
        std::byte *to = parameter + offset;
        const int rounding = rule_.attrs.common.rounding;
        if (rounding == MPT_ROUNDING_STOCHASTIC)
            stochastic_(row.parameter, reinterpret_cast<std::uint16_t *>(to), n, run.seed,
                        run.counter + static_cast<std::uint64_t>(tensor.first_block + at / kDrawsPerBlock));
        else
            tensor.store_parameter(row.parameter, to, 1, n, n, 1);
        if (rounding != MPT_ROUNDING_KAHAN && tensor.copies.empty()) return;
        alignas(64) float stored[kTile], lost[kTile];
        tensor.load_parameter(to, 1, n, n, 1, stored);
        if (rounding == MPT_ROUNDING_KAHAN) {
            keep_(row.parameter, stored, lost, n);
            tensor.store_parameter(lost, rest + offset, 1, n, n, 1);
        }
        std::copy_n(stored, n, row.parameter);  // copies are of what the parameter now is
    }

    Pool &pool_;
    Rule rule_;
    Chunks chunks_;
    bool present_[kGradients];
    std::vector<UpdateTensor> tensors_;
    std::int64_t blocks_ = 0;
    void (*clip_narrow_)(float *, std::int64_t, float, float) = Versions<&clip_values<float>>::best();
    void (*clip_wide_)(double *, std::int64_t, double, double) = Versions<&clip_values<double>>::best();
    void (*halfway_)(const float *, const float *, float *, std::int64_t) = Versions<&go_halfway>::best();
    void (*add_)(float *, const float *, const float *, std::int64_t) = Versions<&add_own_rest>::best();
    void (*keep_)(const float *, const float *, float *, std::int64_t) = Versions<&keep_rest>::best();
    void (*stochastic_)(const float *, std::uint16_t *, std::int64_t, std::uint64_t,
                        std::uint64_t) = Versions<&round_stochastic>::best();
};

// The prepare function of a rule.
template <class Rule>
std::unique_ptr<Kernel> prepare_rule(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Optimizer<Rule>>(pool, call, Rule(attrs_of<typename Rule::Attrs>(call)));
}

}  // namespace mpt::cpu
