// What "adam" and "sgd" have in common: all tensors of a group in one pass that reads the gradients, updates masters
// and state, and writes the low-precision copies while the values are in the first-level cache.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chunks.h"
#include "grad_scale.h"
#include "kernels.h"
#include "rows.h"

namespace mpt::cpu {

// One run of elements. first and second are the states; nullptr where the rule has none.
template <class C>
struct UpdateRow {
    C *master, *first, *second;
    const C *gradient;
    std::int64_t n;
};

// Rule: has the attributes, how many states there are, and
//   template <class C> using Constants
//   template <class C> Constants<C> constants(double lr, std::int64_t t, float inv, float clip) const
//   template <class C> void update(const UpdateRow<C> &, const Constants<C> &) const
template <class Rule>
class Optimizer final : public Kernel {
public:
    Optimizer(Pool &pool, const mpt_mod_call &call, const Rule &rule)
        : pool_(pool), rule_(rule), chunks_(kGrain), kernel_(call.kernel) {
        const int n = rule_.attrs.n, copies = rule_.attrs.copies;
        if (n < 0 || copies < 0 || call.n_in != kGradients + n || call.n_out != kMasters + n * (1 + rule_.states + copies))
            throw Failure{MPT_ERROR_INTERNAL, kernel_ + ": another number of operands than the attributes say"};
        for (int i = 0; i < kGradients; i++) present_[i] = call.in[i].dtype != MPT_DTYPE_NONE;
        for (int i = 0; i < n; i++) add(call, i);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        auto &count = *static_cast<std::int64_t *>(out[0]);
        auto *counts = static_cast<std::int64_t *>(out[1]);
        if (present_[1] && *static_cast<const float *>(in[1]) != 0.0f) {
            counts[1]++;
            return;
        }
        const double lr = static_cast<double>(*static_cast<const float *>(in[0])) * rule_.attrs.lr_scale;
        const float inv = inverse_scale(present_[2] ? in[2] : nullptr);
        const float clip = clip_factor(present_[3] ? in[3] : nullptr, static_cast<float>(rule_.attrs.max_norm));
        const auto narrow = rule_.template constants<float>(lr, count + 1, inv, clip);
        const auto wide = rule_.template constants<double>(lr, count + 1, inv, clip);
        chunks_.run(pool_, [&](const Chunk &chunk, std::int64_t) {
            if (tensors_[static_cast<std::size_t>(chunk.tensor)].wide)
                update<double>(chunk, in, out, wide);
            else
                update<float>(chunk, in, out, narrow);
        });
        count++;
        counts[0]++;
    }

    const char *name() const override { return Rule::kName; }

private:
    static constexpr int kGradients = 4, kMasters = 2;
    static constexpr std::int64_t kTile = 1024;

    // A function for each type that is computed in; the other is not used.
    struct Copy {
        std::int64_t bytes = 0;
        Store<float> narrow = nullptr;
        Store<double> wide = nullptr;
        template <class C>
        Store<C> store() const {
            if constexpr (sizeof(C) == 8)
                return wide;
            else
                return narrow;
        }
    };
    struct Tensor {
        bool wide = false;    // f64
        bool direct = false;  // the gradient has the masters' dtype
        std::int64_t gradient_bytes = 0;
        Load<float> load_narrow = nullptr;
        Load<double> load_wide = nullptr;
        std::vector<Copy> copies;
        template <class C>
        Load<C> load() const {
            if constexpr (sizeof(C) == 8)
                return load_wide;
            else
                return load_narrow;
        }
    };

    void add(const mpt_mod_call &call, int i) {
        const int n = rule_.attrs.n;
        const mpt_mod_operand &gradient = call.in[kGradients + i], &master = call.out[kMasters + i];
        Tensor tensor;
        if (gradient.dtype == MPT_DTYPE_NONE) {  // left as it is
            tensors_.push_back(tensor);
            return;
        }
        const auto check = [&](const mpt_mod_operand &x, const char *what) {
            if (same_layout(x, master) && is_dense(x)) return;
            throw Failure{MPT_ERROR_UNSUPPORTED, kernel_ + ": the " + what + " of parameter " + std::to_string(i) +
                                                     " is not dense in its master's layout: make it contiguous in that layout"};
        };
        check(master, "master");
        check(gradient, "gradient");
        if (master.dtype != MPT_F32 && master.dtype != MPT_F64) unsupported_dtype((kernel_ + "'s master").c_str(), master.dtype);
        tensor.wide = master.dtype == MPT_F64;
        tensor.direct = gradient.dtype == master.dtype;
        tensor.gradient_bytes = static_cast<std::int64_t>(bytes_of(gradient.dtype));
        tensor.load_narrow = loader<float>(gradient.dtype);
        tensor.load_wide = loader<double>(gradient.dtype);
        if (!(tensor.wide ? tensor.load_wide != nullptr : tensor.load_narrow != nullptr))
            unsupported_dtype((kernel_ + "'s gradient").c_str(), gradient.dtype);
        for (int s = 0; s < rule_.states; s++) {
            const mpt_mod_operand &state = call.out[kMasters + (1 + s) * n + i];
            check(state, "state");
            if (state.dtype != master.dtype) unsupported_dtype((kernel_ + "'s state").c_str(), state.dtype);
        }
        for (int c = 0; c < rule_.attrs.copies; c++) {
            const mpt_mod_operand &copy = call.out[kMasters + (1 + rule_.states + c) * n + i];
            tensor.copies.emplace_back();
            if (copy.dtype == MPT_DTYPE_NONE) continue;
            check(copy, "copy");
            if (!is_float(copy.dtype)) unsupported_dtype((kernel_ + "'s copy").c_str(), copy.dtype);
            tensor.copies.back() = {static_cast<std::int64_t>(bytes_of(copy.dtype)), storer<float>(copy.dtype),
                                    storer<double>(copy.dtype)};
        }
        tensors_.push_back(std::move(tensor));
        chunks_.add(i, numel(master));
    }

    template <class C>
    void update(const Chunk &chunk, const void *const *in, void *const *out,
                const typename Rule::template Constants<C> &constants) const {
        const int n = rule_.attrs.n, i = chunk.tensor;
        const Tensor &tensor = tensors_[static_cast<std::size_t>(i)];
        const auto *gradient = static_cast<const std::byte *>(in[kGradients + i]) + chunk.begin * tensor.gradient_bytes;
        C *values[3] = {};
        for (int s = 0; s <= rule_.states; s++) values[s] = static_cast<C *>(out[kMasters + s * n + i]) + chunk.begin;
        alignas(64) C buffer[kTile];
        for (std::int64_t done = 0; done < chunk.count; done += kTile) {
            UpdateRow<C> row{};
            row.n = std::min(kTile, chunk.count - done);
            row.master = values[0] + done;
            row.first = rule_.states > 0 ? values[1] + done : nullptr;
            row.second = rule_.states > 1 ? values[2] + done : nullptr;
            const std::byte *at = gradient + done * tensor.gradient_bytes;
            row.gradient = tensor.direct ? reinterpret_cast<const C *>(at) : buffer;
            if (!tensor.direct) tensor.template load<C>()(at, 1, row.n, row.n, 1, buffer);
            rule_.template update<C>(row, constants);
            for (std::size_t c = 0; c < tensor.copies.size(); c++) {
                const Copy &copy = tensor.copies[c];
                if (copy.bytes == 0) continue;
                auto *to = static_cast<std::byte *>(out[kMasters + (1 + rule_.states + static_cast<int>(c)) * n + i]);
                copy.template store<C>()(row.master, to + (chunk.begin + done) * copy.bytes, 1, row.n, row.n, 1);
            }
        }
    }

    Pool &pool_;
    Rule rule_;
    Chunks chunks_;
    std::string kernel_;
    bool present_[kGradients];
    std::vector<Tensor> tensors_;
};

}  // namespace mpt::cpu
