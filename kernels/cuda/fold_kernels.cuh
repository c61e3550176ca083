// Reductions over any dimensions, as two kernels. Where the fastest dimension is folded, a group of threads follows the packs of 16
// bytes of one output (fold_rows); where it is kept, a tile of threads follows neighbouring columns (fold_columns). Long folds are
// cut into segments, whose results lie in the workspace and are combined by a third kernel (fold_segments).
//
// Which thread adds what depends on shapes and strides alone, not on addresses and not on the GPU.
//
// An Op has Acc, Wide (what segments are combined in), start<A>(), centre(stored), take(Acc, x, centre, index), combine(a, b) for
// both types, and store(outcome, Wide, offset, stored centre, y). index: of the element, where one dimension is folded.
#pragma once

#include <cstdint>

#include "element.cuh"
#include "index.cuh"
#include "reduction.cuh"

namespace mpt::cuda {

struct FoldRows {
    Index<2> kept;
    Index<1> runs;      // the folded loops but the innermost, which is the run
    Divider run_packs;  // packs of a run
    std::int64_t outputs, packs, segment, inner, step;
    unsigned group;  // threads of one output, a power of 2: parts of a warp, or a block
    bool one_run, small_outputs, small_packs;
};

struct FoldColumns {
    Index<2> kept;  // but the innermost, which are the columns
    Index<1> rows;
    Divider tiles;  // across the columns
    std::int64_t outputs, units, count, segment, inner, step, out_step;
    unsigned log_x, log_y;  // threads of a tile: columns, rows
    bool one_step, small_units, small_rows;
};

// What columns are read through: raw fetches, value makes an element of it.
template <class T>
struct FoldInput {
    using Stored = typename T::Stored;
    const Stored *__restrict__ x;

    template <int V>
    using Raw = Pack<Stored, V>;
    template <int V>
    __device__ __forceinline__ Raw<V> raw(std::int64_t at) const {
        return *reinterpret_cast<const Pack<Stored, V> *>(x + at);
    }
    template <int V>
    __device__ __forceinline__ Pack<Stored, V> value(const Raw<V> &raw, std::int64_t) const {
        return raw;
    }
};

template <class Op>
struct Combine {
    template <class A>
    __device__ __forceinline__ A operator()(A a, A b) const {
        return Op::combine(a, b);
    }
};

// whole: how many packs lie in one piece at a multiple of 16 bytes.
template <class Op, class T, class Outcome>
__global__ void __launch_bounds__(256)
    fold_rows(const __grid_constant__ FoldRows plan, const __grid_constant__ Outcome outcome, std::int64_t whole,
              const typename T::Stored *__restrict__ x, const float *__restrict__ centres, void *y, typename Op::Acc *partial) {
    using Acc = typename Op::Acc;
    constexpr int V = 16 / sizeof(typename T::Stored), kBatch = 4;
    const unsigned group = plan.group, lane = threadIdx.x & (group - 1);
    const std::int64_t o = blockIdx.x * std::int64_t{blockDim.x / group} + threadIdx.x / group;
    const bool mine = o < plan.outputs;
    std::int64_t at[2] = {0, 0};
    Acc acc[V];
#pragma unroll
    for (int v = 0; v < V; ++v) acc[v] = Op::template start<Acc>();
    if (mine) {
        if (plan.small_outputs)
            plan.kept.locate(static_cast<std::uint32_t>(o), at);
        else
            plan.kept.locate(static_cast<std::uint64_t>(o), at);
        const float c = centres ? Op::centre(centres[at[1]]) : 0.0f;
        x += at[0];
        // Where pack p begins; column: in its run.
        const auto locate = [&](std::int64_t p, std::int64_t &column) {
            std::int64_t offset[1] = {0};
            if (plan.one_run) {
                column = p * V;
            } else if (plan.small_packs) {
                std::uint32_t run = static_cast<std::uint32_t>(p);
                column = std::int64_t{plan.run_packs.divide(run)} * V;
                plan.runs.locate(run, offset);
            } else {
                std::uint64_t run = static_cast<std::uint64_t>(p);
                column = static_cast<std::int64_t>(plan.run_packs.divide(run)) * V;
                plan.runs.locate(run, offset);
            }
            return offset[0] + column * plan.step;
        };
        const std::int64_t end = min((blockIdx.y + std::int64_t{1}) * plan.segment, plan.packs), whole_end = min(end, whole);
        std::int64_t p = blockIdx.y * plan.segment + lane, column;
        const auto take = [&](const Pack<typename T::Stored, V> &pack) {
#pragma unroll
            for (int v = 0; v < V; ++v) acc[v] = Op::take(acc[v], widen<T>(pack.at[v]), c, static_cast<std::uint32_t>(column + v));
        };
        for (; p + (kBatch - 1) * std::int64_t{group} < whole_end; p += kBatch * std::int64_t{group}) {
            Pack<typename T::Stored, V> packs[kBatch];
#pragma unroll
            for (int k = 0; k < kBatch; ++k)
                packs[k] = *reinterpret_cast<const Pack<typename T::Stored, V> *>(x + locate(p + k * std::int64_t{group}, column));
#pragma unroll
            for (int k = 0; k < kBatch; ++k) {
                column = (p + k * std::int64_t{group}) * V;  // an index is asked for in one run only
                take(packs[k]);
            }
        }
        for (; p < whole_end; p += group) take(*reinterpret_cast<const Pack<typename T::Stored, V> *>(x + locate(p, column)));
        for (; p < end; p += group) {
            const typename T::Stored *from = x + locate(p, column);
            float value[V];
#pragma unroll
            for (int v = 0; v < V; ++v) value[v] = widen<T>(column + v < plan.inner ? from[v * plan.step] : *from);
#pragma unroll
            for (int v = 0; v < V; ++v)
                if (column + v < plan.inner) acc[v] = Op::take(acc[v], value[v], c, static_cast<std::uint32_t>(column + v));
        }
    }
#pragma unroll
    for (int distance = V / 2; distance > 0; distance /= 2)
#pragma unroll
        for (int v = 0; v < distance; ++v) acc[v] = Op::combine(acc[v], acc[v + distance]);
    Acc total = acc[0];
    if (group > 32) {
        __shared__ Acc scratch[32];
        total = block_reduce(total, Combine<Op>{}, Op::template start<Acc>(), scratch);
    } else {
        for (unsigned distance = group / 2; distance > 0; distance /= 2)
            total = Op::combine(total, __shfl_xor_sync(~0u, total, distance));
    }
    if (!mine || lane != 0) return;
    if (partial)
        partial[blockIdx.y * plan.outputs + o] = total;
    else
        Op::store(outcome, static_cast<typename Op::Wide>(total), at[1], centres ? centres[at[1]] : 0.0f, y);
}

template <class Op, class T, class Outcome, class Input>
__global__ void __launch_bounds__(256)
    fold_columns(const __grid_constant__ FoldColumns plan, const __grid_constant__ Outcome outcome, bool packed,
                 const __grid_constant__ Input input, const float *__restrict__ centres, void *y, typename Op::Acc *partial) {
    using Acc = typename Op::Acc;
    constexpr int V = 16 / sizeof(typename T::Stored), kBatch = 4;
    __shared__ Acc shared[V][256];
    const unsigned log_tile = plan.log_x + plan.log_y, tid = threadIdx.x;
    const unsigned row = (tid >> plan.log_x) & ((1u << plan.log_y) - 1);
    const std::int64_t unit = blockIdx.x * std::int64_t{blockDim.x >> log_tile} + (tid >> log_tile);
    std::int64_t outer = 0, column = plan.inner, at[2] = {0, 0};
    if (unit < plan.units) {
        if (plan.small_units) {
            std::uint32_t o = static_cast<std::uint32_t>(unit);
            column = plan.tiles.divide(o);
            plan.kept.locate(o, at);
            outer = o;
        } else {
            std::uint64_t o = static_cast<std::uint64_t>(unit);
            column = static_cast<std::int64_t>(plan.tiles.divide(o));
            plan.kept.locate(o, at);
            outer = static_cast<std::int64_t>(o);
        }
        column = ((column << plan.log_x) + (tid & ((1u << plan.log_x) - 1))) * V;
    }
    const int n = static_cast<int>(max(std::int64_t{0}, min(plan.inner - column, std::int64_t{V})));
    at[1] += column * plan.out_step;
    Acc acc[V];
#pragma unroll
    for (int v = 0; v < V; ++v) acc[v] = Op::template start<Acc>();
    if (n > 0) {
        float c[V];
#pragma unroll
        for (int v = 0; v < V; ++v) c[v] = centres && v < n ? Op::centre(centres[at[1] + v * plan.out_step]) : 0.0f;
        const std::int64_t base = at[0] + column * plan.step;
        const auto place = [&](std::int64_t r) {
            std::int64_t offset[1];
            if (plan.one_step)
                return base + r * plan.rows.strides[0][0];
            else if (plan.small_rows)
                plan.rows.locate(static_cast<std::uint32_t>(r), offset);
            else
                plan.rows.locate(static_cast<std::uint64_t>(r), offset);
            return base + offset[0];
        };
        const std::int64_t end = min((blockIdx.y + std::int64_t{1}) * plan.segment, plan.count),
                           step = std::int64_t{1} << plan.log_y;
        std::int64_t r = blockIdx.y * plan.segment + row;
        if (packed && n == V) {
            const auto take = [&](const Pack<typename T::Stored, V> &pack, std::int64_t index) {
#pragma unroll
                for (int v = 0; v < V; ++v)
                    acc[v] = Op::take(acc[v], widen<T>(pack.at[v]), c[v], static_cast<std::uint32_t>(index));
            };
            for (; r + (kBatch - 1) * step < end; r += kBatch * step) {
                typename Input::template Raw<V> raws[kBatch];
#pragma unroll
                for (int k = 0; k < kBatch; ++k) raws[k] = input.template raw<V>(place(r + k * step));
#pragma unroll
                for (int k = 0; k < kBatch; ++k) take(input.template value<V>(raws[k], place(r + k * step)), r + k * step);
            }
            for (; r < end; r += step) take(input.template value<V>(input.template raw<V>(place(r)), place(r)), r);
        } else {
            // Beyond the last column the first is read again; what comes of it is not stored.
            for (; r < end; r += step) {
                float value[V];
#pragma unroll
                for (int v = 0; v < V; ++v) {
                    const std::int64_t from = place(r) + (v < n ? v * plan.step : 0);
                    value[v] = widen<T>(input.template value<1>(input.template raw<1>(from), from).at[0]);
                }
#pragma unroll
                for (int v = 0; v < V; ++v) acc[v] = Op::take(acc[v], value[v], c[v], static_cast<std::uint32_t>(r));
            }
        }
    }
    for (unsigned half = (1u << plan.log_y) / 2; half > 0; half /= 2) {
        if (row >= half && row < 2 * half)
#pragma unroll
            for (int v = 0; v < V; ++v) shared[v][tid] = acc[v];
        __syncthreads();
        if (row < half)
#pragma unroll
            for (int v = 0; v < V; ++v) acc[v] = Op::combine(acc[v], shared[v][tid + (half << plan.log_x)]);
    }
    if (row != 0) return;
#pragma unroll
    for (int v = 0; v < V; ++v) {
        if (v >= n) continue;
        const std::int64_t to = at[1] + v * plan.out_step;
        if (partial)
            partial[blockIdx.y * plan.outputs + outer * plan.inner + column + v] = acc[v];
        else
            Op::store(outcome, static_cast<typename Op::Wide>(acc[v]), to, centres ? centres[to] : 0.0f, y);
    }
}

// 1 << log_x outputs in each block of 256.
template <class Op, class Outcome>
__global__ void __launch_bounds__(256)
    fold_segments(const __grid_constant__ Index<2> kept, const __grid_constant__ Outcome outcome, unsigned log_x,
                  std::int64_t outputs, std::int64_t segments, const typename Op::Acc *__restrict__ partial,
                  const float *__restrict__ centres, void *y) {
    using Wide = typename Op::Wide;
    __shared__ Wide shared[256];
    const unsigned row = threadIdx.x >> log_x, rows = 256u >> log_x;
    const std::int64_t o = (std::int64_t{blockIdx.x} << log_x) + (threadIdx.x & ((1u << log_x) - 1));
    Wide total = Op::template start<Wide>();
    if (o < outputs)
#pragma unroll 8
        for (std::int64_t s = row; s < segments; s += rows) total = Op::combine(total, static_cast<Wide>(partial[s * outputs + o]));
    for (unsigned half = rows / 2; half > 0; half /= 2) {
        if (row >= half && row < 2 * half) shared[threadIdx.x] = total;
        __syncthreads();
        if (row < half) total = Op::combine(total, shared[threadIdx.x + (half << log_x)]);
    }
    if (row != 0 || o >= outputs) return;
    std::int64_t at[2];
    kept.locate(static_cast<std::uint64_t>(o), at);
    Op::store(outcome, total, at[1], centres ? centres[at[1]] : 0.0f, y);
}

}  // namespace mpt::cuda
