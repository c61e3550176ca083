// Whole sequences of a recurrent layer in one launch. All blocks run at once: one has 16 units of the state for a group of the
// batch's rows, and its part of the state's weight in registers from the first step to the last, as the left factors of m16n8k16.
// At each step a block reads what the blocks of its group have written at the one before, and nothing else of theirs. What a step
// is made of is a Cell, which says how many gates it has.
#pragma once

#include "sequence_parts.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda::sequence {

// Cell:
//   T, kGates
//   weight, weight_lies_well; first, states: rows [N,H] before the first step, [L,N,H] of every step; states_lie_well
//   Own: what a thread keeps of its unit; own(form, unit)
//   Fetched: what a step reads of a row and unit besides products; fetch(form, i, row, unit), of the i-th step that is made
//   finish(form, own, fetched, i, row, unit, sums): of the products with the state before
template <class Cell, int Threads>
__global__ void __launch_bounds__(Threads, 1) sequence_forward(Form form, Cell c, unsigned *counters) {
    using T = typename Cell::T;
    constexpr int G = Cell::kGates;
    extern __shared__ float partials[];  // [warp][gate][row][unit]
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32, depth = warp * 64;
    const Place place(form);
    unsigned *const counter = counters + blockIdx.x / form.slices * kCounterWords;
    const bool multiplies = warp < form.warps;

    Left left[G][2];  // [gate][32 of the depth]
    if (multiplies)
#pragma unroll
        for (int g = 0; g < G; ++g)
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                uint4 packs[2];
#pragma unroll
                for (int r = 0; r < 2; ++r) {
                    const std::int64_t row = g * form.hidden + place.first_unit() + lane / 4 + r * 8;
                    packs[r] =
                        read_pack<T>(c.weight + (row * form.weight_row + depth + j * 32 + lane % 4 * 8), true, c.weight_lies_well);
                }
                left[g][j] = packs;
            }
    typename Cell::Own own = {};
    if (place.finishes) own = c.own(form, place.unit);

    for (std::int64_t i = 0; i < form.steps; ++i) {
        const std::int64_t before = i == 0 ? 0 : form.at(i - 1);
        const auto &state = i == 0 ? c.first : c.states;
        for (int tile = 0; tile < place.rows; tile += kRows) {
            const std::int64_t row = place.first_row + tile + place.in_tile;
            const bool real = place.finishes && tile + place.in_tile < place.rows;
            typename Cell::Fetched fetched = {};
            if (real) fetched = c.fetch(form, i, row, place.unit);
            if (multiplies) {
                if (i > 0 && tile == 0) wait_for(counter, static_cast<unsigned>(i) * form.slices);
                uint4 right[2][2];
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    read_rows<T>(
                        right[j], [&](int r) { return state.at(before, place.first_row + tile + r); }, depth + j * 32,
                        place.rows - tile, c.states_lie_well);
#pragma unroll
                for (int g = 0; g < G; ++g) {
                    float sum[2][4] = {};
#pragma unroll
                    for (int j = 0; j < 2; ++j) multiply<T>(sum, left[g][j], right[j]);
                    put(partials + (warp * G + g) * kTile, sum);
                }
            }
            __syncthreads();
            if (real) {
                float sums[G];
#pragma unroll
                for (int g = 0; g < G; ++g) sums[g] = place.sum(form, partials + g * kTile, G * kTile);
                c.finish(form, own, fetched, i, row, place.unit, sums);
            }
            if (tile + kRows < place.rows) __syncthreads();  // the partials have been read
        }
        if (i + 1 < form.steps) signal(counter);
    }
}

// Cell:
//   T, kGates
//   weight; passed: rows [L,N,G H] that the step before reads; lies_well: they do
//   Fetched, fetch(form, i, row, unit): as above, of the i-th step of the walk, which is the i-th from the last
//   finish(form, fetched, i, row, unit, carried, product): product: of what the step behind has passed with the weight;
//     carried: what this has returned for it; both 0 for the last
//   wants_first; end(row, unit, carried, product): the gradients of what is before the first step
template <class Cell, int Threads>
__global__ void __launch_bounds__(Threads, 1) sequence_backward(Form form, Cell c, unsigned *counters) {
    using T = typename Cell::T;
    extern __shared__ float partials[];      // [warp][row][unit], and behind them what is carried [row][unit]
    constexpr int kDeep = 2 * Cell::kGates;  // times 32: a warp's part of the depth
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32, depth = warp * kDeep * 32;
    const Place place(form);
    unsigned *const counter = counters + blockIdx.x / form.slices * kCounterWords;
    const bool multiplies = warp < form.warps;
    float *const carried = partials + form.warps * kTile;

    Left left[kDeep];  // of the transposed weight: a row for each unit
    if (multiplies)
#pragma unroll
        for (int j = 0; j < kDeep; ++j) {
            uint4 packs[2];
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                const auto *from = reinterpret_cast<const unsigned short *>(c.weight) + (place.first_unit() + lane / 4 + r * 8);
                std::uint32_t words[4];
#pragma unroll
                for (int w = 0; w < 4; ++w) {
                    const std::int64_t row = depth + j * 32 + lane % 4 * 8 + 2 * w;
                    words[w] = from[row * form.weight_row] | static_cast<std::uint32_t>(from[(row + 1) * form.weight_row]) << 16;
                }
                packs[r] = make_uint4(words[0], words[1], words[2], words[3]);
            }
            left[j] = packs;
        }

    // With what the i-th step of the walk has passed: into the partials.
    const auto multiply_passed = [&](std::int64_t i, int tile) {
        if (!multiplies) return;
        if (tile == 0) wait_for(counter, static_cast<unsigned>(i + 1) * form.slices);
        const std::int64_t t = form.at(form.steps - 1 - i);
        float sum[2][2][4] = {};  // two of each, so that a product need not wait for the one before
        constexpr int kAtOnce = Threads <= 256 ? kDeep : kDeep / 2;  // as registers allow
#pragma unroll
        for (int from = 0; from < kDeep; from += kAtOnce) {
            uint4 right[kAtOnce][2];
#pragma unroll
            for (int j = 0; j < kAtOnce; ++j)
                read_rows<T>(
                    right[j], [&](int r) { return c.passed.at(t, place.first_row + tile + r); }, depth + (from + j) * 32,
                    place.rows - tile, c.lies_well);
#pragma unroll
            for (int j = 0; j < kAtOnce; ++j) multiply<T>(sum[j % 2], left[from + j], right[j]);
        }
#pragma unroll
        for (int n = 0; n < 2; ++n)
#pragma unroll
            for (int k = 0; k < 4; ++k) sum[0][n][k] += sum[1][n][k];
        put(partials + warp * kTile, sum[0]);
    };

    for (std::int64_t i = 0; i < form.steps; ++i) {
        for (int tile = 0; tile < place.rows; tile += kRows) {
            const std::int64_t row = place.first_row + tile + place.in_tile;
            const bool real = place.finishes && tile + place.in_tile < place.rows;
            typename Cell::Fetched fetched = {};
            if (real) fetched = c.fetch(form, i, row, place.unit);
            if (i > 0) {
                multiply_passed(i - 1, tile);
                __syncthreads();
            }
            if (real) {
                float &own = carried[tile * kUnits + static_cast<int>(threadIdx.x)];
                own = c.finish(form, fetched, i, row, place.unit, i > 0 ? own : 0, i > 0 ? place.sum(form, partials, kTile) : 0);
            }
            if (i > 0 && tile + kRows < place.rows) __syncthreads();  // the partials have been read
        }
        if (i + 1 < form.steps || c.wants_first) signal(counter);
    }
    if (!c.wants_first) return;
    for (int tile = 0; tile < place.rows; tile += kRows) {
        multiply_passed(form.steps - 1, tile);
        __syncthreads();
        if (place.finishes && tile + place.in_tile < place.rows)
            c.end(place.first_row + tile + place.in_tile, place.unit, carried[tile * kUnits + static_cast<int>(threadIdx.x)],
                  place.sum(form, partials, kTile));
        __syncthreads();
    }
}

// The launch of one call. Cell::kBackward: which way.
template <class Cell>
class Sequence {
public:
    Sequence(const Device &device, const Form &form, const char *name)
        : form_(form), kernel_(form.threads <= 256 ? by<256>() : by<512>()), shared_(floats(form) * sizeof(float)), name_(name) {
        allow_shared(kernel_, shared_, name);
        if (form.batch > 0 && !runs_at_once(device, kernel_, form.blocks(), form.threads, shared_, name))
            throw Failure{MPT_ERROR_UNSUPPORTED, std::string(name) + ": its blocks do not run at once on this GPU"};
    }
    // workspace: counter_bytes() of the form.
    void run(const Cell &cell, void *workspace, cudaStream_t stream) const {
        if (form_.steps == 0 || form_.batch == 0) return;
        check(cudaMemsetAsync(workspace, 0, form_.counter_bytes(), stream), name_);
        launch_grid(kernel_, form_.blocks(), form_.threads, shared_, stream, name_, form_, cell,
                    static_cast<unsigned *>(workspace));
    }

private:
    using Function = void (*)(Form, Cell, unsigned *);
    template <int Threads>
    static Function by() {
        if constexpr (Cell::kBackward)
            return sequence_backward<Cell, Threads>;
        else
            return sequence_forward<Cell, Threads>;
    }
    static std::size_t floats(const Form &form) {
        const auto tiles = static_cast<std::size_t>(form.warps) * kTile;
        return Cell::kBackward ? tiles + (kMostRows + kRows) * kUnits : tiles * Cell::kGates;
    }

    Form form_;
    Function kernel_;
    std::size_t shared_;
    const char *name_;
};

}  // namespace mpt::cuda::sequence
