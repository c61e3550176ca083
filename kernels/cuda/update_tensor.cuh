// What the update rules have in common: all tensors of a group in one pass that reads the gradients, updates parameters and states,
// and writes the low-precision copies. A first kernel of one warp reads what the step depends on, works out the rule's constants
// and moves the counters; all blocks of the second read what it left.
//
// Rule: has kName, kStates, the attributes and
//   Constants    __device__ Constants constants(double lr, std::int64_t t) const    by all lanes of a warp
//   static __device__ void update(const Constants &, Single &p, Single g, Single (&state)[])
// A rule with kByNorms sees all of a parameter before it is updated:
//   static __device__ void moments(const Constants &, Single g, Single (&state)[])
//   static __device__ Single direction(const Constants &, Single p, const Single (&state)[])
//   static __device__ Single step(const Constants &, Single ratio)    what the direction is multiplied by
#pragma once

#include <cstddef>
#include <cstdint>

#include "reduction.cuh"
#include "rounding.cuh"
#include "single.cuh"
#include "update_tensor.h"

namespace mpt::cuda {

// What all blocks of a launch read.
template <class Rule>
struct alignas(16) UpdateRun {
    typename Rule::Constants constants;
    float inv, clip;
    std::uint64_t seed, counter;
    std::int32_t skipped;
};

struct UpdateScalars {
    const float *lr, *found, *scale, *norm;  // all but lr may be nullptr
    std::int64_t *step, *counts;
    float *rate;
    std::uint64_t *random;
};

// One warp, all lanes alike. What is read is asked for together.
template <class Rule>
__global__ void begin_update(Rule rule, UpdateScalars of, std::uint64_t blocks, UpdateRun<Rule> *runs) {
    const mpt_attrs_update &a = rule.attrs.common;
    const bool random = a.rounding == MPT_ROUNDING_STOCHASTIC;
    const float rate = *of.lr, found = of.found ? *of.found : 0.0f, norm = of.norm ? *of.norm : 0.0f, inv = inverse_scale(of.scale);
    const std::int64_t t = *of.step + 1, stepped = of.counts[0], skipped = of.counts[1];
    UpdateRun<Rule> run{};
    run.seed = random ? of.random[0] : 0;
    run.counter = random ? of.random[1] : 0;
    run.skipped = found != 0.0f;
    run.inv = inv;
    run.clip = 1;
    if (of.norm) {  // NaN stays
        const float factor = static_cast<float>(a.max_norm) / (norm + 1e-6f);
        run.clip = factor > 1.0f ? 1.0f : factor;
    }
    if (!run.skipped) run.constants = rule.constants(static_cast<double>(rate) * a.lr_scale, t);
    if (threadIdx.x != 0) return;
    *runs = run;
    if (random) of.random[1] = run.counter + blocks;  // skipped or not
    if (run.skipped) {
        of.counts[1] = skipped + 1;
        return;
    }
    *of.rate = rate;
    *of.step = t;
    of.counts[0] = stepped + 1;
}

struct UpdateForm {
    float max_value;  // 0: no clipping
    std::int32_t rounding, copies;
};

// Sums of squares.
struct Norms {
    double parameter, direction;
};

// What is done in one launch: all, or for a rule with kByNorms the states and sums of squares, then the parameters.
enum class Pass { kWhole, kMeasure, kApply };

// Blocks of a multiprocessor: more registers for rules that hold much.
template <class Rule>
inline constexpr int kUpdateBlocks = Rule::kByNorms || Rule::kStates == 3 ? 3 : 4;

inline constexpr int kUpdatePack = 4, kUpdatePacks = 2;  // elements of one access, and accesses to each operand at once

template <class Rule, Pass P, bool Rounded, class Table>
struct Update {
    static constexpr int kStates = Rule::kStates, kSlots = kStates > 0 ? kStates : 1;

    const Table &table;
    const Piece &piece;
    const UpdateForm &form;
    const UpdateRun<Rule> &run;
    float ratio;
    Norms norms;

    // Packs of V elements: number base + threadIdx.x of the piece, and those kThreads and so on further, as far as they are below
    // end. Elements begin at first. False: nothing is to be written.
    template <int V, int U>
    __device__ __forceinline__ bool packs(std::int64_t first, int base, int end) {
        bool within[U];
        std::int64_t at[U];
#pragma unroll
        for (int u = 0; u < U; ++u) {
            const int i = base + u * kThreads + static_cast<int>(threadIdx.x);
            within[u] = i < end;
            at[u] = first + V * (i < end ? i : end - 1);  // loads need no branch
        }
        float p[U][V], g[U][V], s[kSlots][U][V], rest[U][V];
        void *parameter = table.template address<void>(piece, 1);
        if constexpr (Rounded)
            load_low<V, U>(parameter, at, p);
        else
            load_packs(MPT_F32, parameter, at, p);
#pragma unroll
        for (int k = 0; k < kStates; ++k) load_packs(MPT_F32, table.template address<void>(piece, 2 + k), at, s[k]);
        const bool kahan = Rounded && form.rounding == MPT_ROUNDING_KAHAN;
        void *rests = kahan ? table.template address<void>(piece, 2 + kStates) : nullptr;
        if (kahan) load_low<V, U>(rests, at, rest);
        if constexpr (P != Pass::kApply) load_packs(piece.dtype(0), table.template address<void>(piece, 0), at, g);
        loads_are_asked_for();
        if (run.skipped) return false;

        const std::int32_t dtype = piece.dtype(1);
#pragma unroll
        for (int u = 0; u < U; ++u) {
            if (kahan) {
#pragma unroll
                for (int v = 0; v < V; ++v) p[u][v] = with_own_rest(p[u][v], rest[u][v], dtype);
            }
#pragma unroll
            for (int v = 0; v < V; ++v) {
                Single state[kSlots];
#pragma unroll
                for (int k = 0; k < kStates; ++k) state[k] = s[k][u][v];
                element(p[u][v], g[u][v], state, within[u]);
#pragma unroll
                for (int k = 0; k < kStates; ++k) s[k][u][v] = state[k].value;
            }
            if (!within[u]) continue;
            if constexpr (P != Pass::kApply) {
#pragma unroll
                for (int k = 0; k < kStates; ++k) store_pack<F32>(table.template address<void>(piece, 2 + k), at[u], s[k][u]);
            }
            if constexpr (P != Pass::kMeasure) {
                if constexpr (Rounded)
                    store_low(parameter, rests, dtype, at[u], p[u]);
                else
                    store_pack<F32>(parameter, at[u], p[u]);
                const int first_copy = 2 + kStates + kahan;
                for (int c = first_copy; c < first_copy + form.copies; ++c)
                    if (piece.dtype(c) != MPT_DTYPE_NONE)
                        store_pack(piece.dtype(c), table.template address<void>(piece, c), at[u], p[u]);
            }
        }
        return true;
    }

private:
    __device__ __forceinline__ void element(float &p, float gradient, Single (&state)[kSlots], bool within) {
        Single g;
        if constexpr (P != Pass::kApply) {
            g = Single(gradient) * run.inv;
            if (form.max_value > 0) {  // NaN stays
                const float low = g.value < -form.max_value ? -form.max_value : g.value;
                g = low > form.max_value ? form.max_value : low;
            }
            g = g * run.clip;
        }
        Single parameter = p;
        if constexpr (P == Pass::kWhole) {
            Rule::update(run.constants, parameter, g, state);
        } else if constexpr (P == Pass::kMeasure) {
            Rule::moments(run.constants, g, state);
            const double a = static_cast<double>(p),
                         d = static_cast<double>(Rule::direction(run.constants, parameter, state).value);
            norms.parameter += within ? a * a : 0.0;
            norms.direction += within ? d * d : 0.0;
        } else {
            parameter = parameter - Rule::step(run.constants, ratio) * Rule::direction(run.constants, parameter, state);
        }
        p = parameter.value;
    }

    template <int V, int U>
    __device__ __forceinline__ void load_low(const void *from, const std::int64_t (&at)[U], float (&x)[U][V]) const {
        load_packs(piece.dtype(1) == MPT_BF16 ? MPT_BF16 : MPT_F16, from, at, x);
    }

    // x becomes what is stored.
    template <int V>
    __device__ __forceinline__ void store_low(void *to, void *rests, std::int32_t dtype, std::int64_t at, float (&x)[V]) const {
        float stored[V];
        if (form.rounding == MPT_ROUNDING_STOCHASTIC) {
            std::uint32_t draws[V];
            draw_bits(run.seed, run.counter + table.words[piece.record + kFirstBlock], at, draws);
#pragma unroll
            for (int v = 0; v < V; ++v) stored[v] = stored_stochastic(x[v], draws[v]);
        } else {
#pragma unroll
            for (int v = 0; v < V; ++v) stored[v] = stored_nearest(x[v], dtype);
        }
        store_pack(dtype == MPT_BF16 ? MPT_BF16 : MPT_F16, to, at, stored);
        if (form.rounding == MPT_ROUNDING_KAHAN) {
#pragma unroll
            for (int v = 0; v < V; ++v) x[v] = lost(x[v], stored[v]);
            store_pack(dtype == MPT_BF16 ? MPT_BF16 : MPT_F16, rests, at, x);
        }
#pragma unroll
        for (int v = 0; v < V; ++v) x[v] = stored[v];
    }
};

// norms: one for each piece of the list. ratios: one for each of its tensors.
template <class Rule, Pass P, bool Rounded, class Table>
__global__ void __launch_bounds__(kThreads, kUpdateBlocks<Rule>)
    update_tensors(const __grid_constant__ Table table, UpdateForm form, const UpdateRun<Rule> *runs, Norms *norms,
                   const float *ratios) {
    const UpdateRun<Rule> run = *runs;
    const Piece piece = table.piece(blockIdx.x);
    Update<Rule, P, Rounded, Table> update{table, piece, form, run, 0.0f, {}};
    if constexpr (P == Pass::kApply) update.ratio = ratios[table.first_tensor + piece.tensor];
    const int packed = piece.packed() ? piece.count / kUpdatePack : 0, rest = piece.count - packed * kUpdatePack;
    for (int base = 0; base < packed; base += kUpdatePacks * kThreads)
        if (!update.template packs<kUpdatePack, kUpdatePacks>(piece.begin, base, packed)) return;
    for (int base = 0; base < rest; base += kThreads)
        if (!update.template packs<1, 1>(piece.begin + packed * kUpdatePack, base, rest)) return;
    if constexpr (P == Pass::kMeasure) {
        __shared__ double scratch[32];
        const double parameter = block_reduce(update.norms.parameter, Add{}, 0.0, scratch);
        const double direction = block_reduce(update.norms.direction, Add{}, 0.0, scratch);
        if (threadIdx.x == 0) norms[table.first_piece + blockIdx.x] = {parameter, direction};
    }
}

// A block for each tensor.
template <class Table>
__global__ void trust_ratios(const __grid_constant__ Table table, const Norms *norms, float *ratios) {
    __shared__ double scratch[32];
    const std::uint64_t *record = table.words + blockIdx.x * table.record_words;
    const std::uint64_t pieces = (record[kCount] + table.piece_elements - 1) / table.piece_elements;
    Norms total{};
    for (std::uint64_t i = threadIdx.x; i < pieces; i += kThreads) {
        const Norms &part = norms[table.first_piece + record[kFirstPiece] + i];
        total.parameter += part.parameter;
        total.direction += part.direction;
    }
    const double parameter = block_reduce(total.parameter, Add{}, 0.0, scratch),
                 direction = block_reduce(total.direction, Add{}, 0.0, scratch);
    if (threadIdx.x == 0)
        ratios[table.first_tensor + blockIdx.x] =
            parameter == 0 || direction == 0 ? 1.0f : static_cast<float>(sqrt(parameter) / sqrt(direction));
}

template <class Rule>
class Optimizer final : public Kernel {
public:
    Optimizer(Device &device, const mpt_mod_call &call, const Rule &rule)
        : rule_(rule),
          operands_(update_operands(call, rule.attrs.common, Rule::kStates)),
          list_(device, operands_.addresses, kUpdatePack, kUpdatePack * kUpdatePacks * kThreads, 2, operands_.tensors) {
        workspace_bytes = norms_at();
        if constexpr (Rule::kByNorms)
            workspace_bytes += static_cast<std::size_t>(list_.pieces()) * sizeof(Norms) +
                               static_cast<std::size_t>(list_.tensors()) * sizeof(float);
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        auto *run = static_cast<UpdateRun<Rule> *>(workspace);
        const auto scalar = [&](int i) { return operands_.present[i] ? static_cast<const float *>(in[i]) : nullptr; };
        const UpdateScalars scalars{scalar(0),
                                    scalar(1),
                                    scalar(2),
                                    scalar(3),
                                    static_cast<std::int64_t *>(out[0]),
                                    static_cast<std::int64_t *>(out[1]),
                                    static_cast<float *>(out[2]),
                                    static_cast<std::uint64_t *>(out[3])};
        begin_update<<<1, 32, 0, stream>>>(rule_, scalars, static_cast<std::uint64_t>(operands_.blocks), run);
        check_launch(Rule::kName);
        if constexpr (Rule::kByNorms) {
            auto *norms = reinterpret_cast<Norms *>(static_cast<std::byte *>(workspace) + norms_at());
            auto *ratios = reinterpret_cast<float *>(norms + list_.pieces());
            run_pass<Pass::kMeasure>(in, out, run, norms, ratios, stream);
            run_pass<Pass::kApply>(in, out, run, norms, ratios, stream);
        } else {
            run_pass<Pass::kWhole>(in, out, run, nullptr, nullptr, stream);
        }
    }

    const char *name() const override { return Rule::kName; }

private:
    static constexpr std::size_t norms_at() { return (sizeof(UpdateRun<Rule>) + 63) / 64 * 64; }

    template <Pass P>
    void run_pass(const void *const *in, void *const *out, const UpdateRun<Rule> *run, Norms *norms, float *ratios,
                  cudaStream_t stream) const {
        const mpt_attrs_update &a = rule_.attrs.common;
        const UpdateForm form{static_cast<float>(a.max_value), a.rounding, a.copies};
        const auto address = [&](int i, int number) -> const void * {
            return number == 0 ? in[kGradients + i] : out[kParameters + (number - 1) * a.n + i];
        };
        list_.launch(address, [&]<class Table>(const Table &table) {
            if constexpr (P == Pass::kApply) {
                trust_ratios<<<table.tensors, kThreads, 0, stream>>>(table, norms, ratios);
                check_launch(Rule::kName);
            }
            if (a.rounding == MPT_ROUNDING_MASTER)
                update_tensors<Rule, P, false><<<table.pieces, kThreads, 0, stream>>>(table, form, run, norms, ratios);
            else
                update_tensors<Rule, P, true><<<table.pieces, kThreads, 0, stream>>>(table, form, run, norms, ratios);
            check_launch(Rule::kName);
        });
    }

    Rule rule_;
    UpdateOperands operands_;
    TensorList list_;
};

// The prepare function of a rule.
template <class Rule>
std::unique_ptr<Kernel> prepare_rule(Device &device, const mpt_mod_call &call) {
    return std::make_unique<Optimizer<Rule>>(device, call, Rule{attrs_of<decltype(Rule::attrs)>(call)});
}

}  // namespace mpt::cuda
