// Whole sequences of a recurrent layer in one launch. All blocks run at once: one has 16 units of the state for a group of the
// batch's rows, and its part of the state's weight in registers from the first step to the last, as the left factors of m16n8k16.
// At each step a block reads what the blocks of its group have written at the one before, and nothing else of theirs. What a step
// is made of is a Cell, which says how many gates it has.
#pragma once

#include "conv_mma.cuh"
#include "device/attrs/recurrent.h"
#include "grid.cuh"
#include "recurrent.cuh"
#include "shared_memory.cuh"

namespace mpt::cuda::sequence {

inline constexpr int kUnits = 16, kRows = 16;  // of a block; of a tile of its batch
inline constexpr int kLeast = kUnits * kRows;  // threads: one for each sum of a tile
inline constexpr int kMostRows = 128;          // of a group
// A tile of partial sums, [row][unit]: with this pitch the four rows that a warp writes at once lie in different banks.
inline constexpr int kPitch = 20, kTile = kRows * kPitch;
inline constexpr int kCounterWords = 32;  // a counter has a line of the cache to itself

// [L,N,*], or [N,*] with a step of 0.
template <class Stored>
struct Steps {
    Stored *base = nullptr;  // null: absent
    std::int64_t step = 0, row = 0;
    __device__ __forceinline__ Stored *at(std::int64_t t, std::int64_t n) const { return base + (t * step + n * row); }
};
template <class Stored>
Steps<Stored> steps_of(const mpt_mod_operand &x, const void *base) {
    if (!present(x)) return {};
    auto *at = static_cast<Stored *>(const_cast<void *>(base));
    return x.ndim == 3 ? Steps<Stored>{at, x.strides[0], x.strides[1]} : Steps<Stored>{at, 0, x.strides[0]};
}

struct Form {
    std::int64_t steps = 0, batch = 0;
    int hidden = 0;
    bool reverse = false;
    int slices = 0, groups = 0, rows = 0;  // blocks of a group; groups; rows of one
    int warps = 0;                         // that multiply, each a part of the depth
    unsigned threads = 0;
    std::int64_t weight_row = 0;

    // y: [L,N,H].
    Form(const Device &device, const mpt_mod_call &call, const mpt_mod_operand &y, const mpt_mod_operand &weight)
        : steps(y.shape[0]),
          batch(y.shape[1]),
          reverse(attrs_of<mpt_attrs_recurrent_sequence>(call).reverse != 0),
          weight_row(weight.strides[0]) {
        const std::int64_t width = y.shape[2];
        need(call, device.capability() >= 80, "tensor cores");
        need(call, width % 64 == 0 && width <= 1024 && width / kUnits <= device.multiprocessors(),
             "a hidden size of 64, 128, ... 1024");
        hidden = static_cast<int>(width);
        slices = hidden / kUnits;
        warps = hidden / 64;
        threads = static_cast<unsigned>(std::max(kLeast, warps * 32));
        if (batch == 0) return;
        const std::int64_t most = std::min<std::int64_t>((batch + 7) / 8, device.multiprocessors() / slices);
        const std::int64_t share = ((batch + most - 1) / most + 7) / 8 * 8;
        need(call, share <= kMostRows, "a smaller batch");
        rows = static_cast<int>(share);
        groups = static_cast<int>((batch + share - 1) / share);
        need(call, weight.strides[1] == 1 && weight_row % 8 == 0, "a weight in whole rows");
        for (std::int32_t i = 0; i < call.n_in + call.n_out; ++i) {
            const mpt_mod_operand &x = i < call.n_in ? call.in[i] : call.out[i - call.n_in];
            if (!present(x) || x.ndim < 2) continue;
            bool packs = x.strides[x.ndim - 1] == 1;
            for (int d = 0; d + 1 < x.ndim; ++d) packs &= x.strides[d] % 8 == 0;
            need(call, packs, "rows of whole packs");
        }
    }
    unsigned blocks() const { return static_cast<unsigned>(slices * groups); }
    std::size_t counter_bytes() const { return static_cast<std::size_t>(groups) * kCounterWords * sizeof(unsigned); }
    __device__ __forceinline__ std::int64_t at(std::int64_t i) const { return reverse ? steps - 1 - i : i; }

private:
    static void need(const mpt_mod_call &call, bool met, const char *what) {
        if (!met) throw Failure{MPT_ERROR_UNSUPPORTED, std::string(call.kernel) + ": a GPU takes a whole sequence with " + what};
    }
};

// f(T{}, S{}) for the 16-bit format of a call's first operand and the state's.
template <class F>
void visit_sequence(const mpt_mod_call &call, std::int32_t state, F &&f) {
    visit_cell(call, call.in[0].dtype, state, [&]<class T, class S>(T t, S s) {
        if constexpr (sizeof(typename T::Stored) == 2)
            f(t, s);
        else
            unsupported_dtype(call.kernel, T::dtype);
    });
}

// Eight elements; those of an absent row are 0. They may have been written by another block in this launch.
template <class T>
__device__ __forceinline__ uint4 read_pack(const typename T::Stored *from, bool wanted, bool aligned) {
    if (!wanted) return make_uint4(0, 0, 0, 0);
    if (aligned) return __ldcg(reinterpret_cast<const uint4 *>(from));
    const auto *at = reinterpret_cast<const unsigned short *>(from);
    std::uint32_t words[4];
#pragma unroll
    for (int w = 0; w < 4; ++w) words[w] = __ldcg(at + 2 * w) | static_cast<std::uint32_t>(__ldcg(at + 2 * w + 1)) << 16;
    return make_uint4(words[0], words[1], words[2], words[3]);
}

// The right factors of a tile: of 16 rows, depth 32 from `from` on. A thread's eight elements are those of two products, whose
// depths are counted in that order; left factors are, too.
template <class T>
struct Right {
    uint4 packs[2];
    // at(row): where the row's depth begins.
    template <class At>
    __device__ __forceinline__ void read(At &&at, int from, int rows, bool aligned) {
        const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
        for (int n = 0; n < 2; ++n) {
            const int row = n * 8 + lane / 4;
            packs[n] = read_pack<T>(at(row < rows ? row : 0) + from + lane % 4 * 8, row < rows, aligned);
        }
    }
};
// Left factors of depth 32.
struct Left {
    std::uint32_t first[4], second[4];
    // Of rows lane / 4 and the eighth behind it.
    __device__ __forceinline__ Left &operator=(const uint4 (&rows)[2]) {
        first[0] = rows[0].x, first[1] = rows[1].x, first[2] = rows[0].y, first[3] = rows[1].y;
        second[0] = rows[0].z, second[1] = rows[1].z, second[2] = rows[0].w, second[3] = rows[1].w;
        return *this;
    }
};
template <class T>
__device__ __forceinline__ void multiply(float (&sum)[2][4], const Left &left, const Right<T> &right) {
#pragma unroll
    for (int n = 0; n < 2; ++n) {
        multiply_add<T>(sum[n], left.first, right.packs[n].x, right.packs[n].y);
        multiply_add<T>(sum[n], left.second, right.packs[n].z, right.packs[n].w);
    }
}
// A warp's part of the sums into its tile.
__device__ __forceinline__ void put(float *tile, const float (&sum)[2][4]) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) tile[(n * 8 + lane % 4 * 2 + i % 2) * kPitch + lane / 4 + i / 2 * 8] = sum[n][i];
}

// Says that the block has written its part of a step; all its threads call it.
__device__ __forceinline__ void signal(unsigned *counter) {
    __syncthreads();
    if (threadIdx.x == 0) asm volatile("fence.acq_rel.gpu;\n\tred.relaxed.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}
// By a warp: until so many have.
__device__ __forceinline__ void wait_for(const unsigned *counter, unsigned count) {
    if (threadIdx.x % 32 == 0) {
        unsigned seen;
        do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(counter) : "memory");
        while (seen < count);
    }
    __syncwarp();
}

// The thread's place in the grid and in a tile of rows.
struct Place {
    int unit, in_tile;  // of the sum that it finishes, if it does
    int rows;           // of the group
    std::int64_t first_row;
    bool finishes;

    __device__ __forceinline__ explicit Place(const Form &form) {
        const int slice = static_cast<int>(blockIdx.x) % form.slices, group = static_cast<int>(blockIdx.x) / form.slices;
        unit = slice * kUnits + static_cast<int>(threadIdx.x) % kUnits;
        in_tile = static_cast<int>(threadIdx.x) / kUnits;
        first_row = std::int64_t{group} * form.rows;
        rows = static_cast<int>(min(std::int64_t{form.rows}, form.batch - first_row));
        finishes = threadIdx.x < kLeast;
    }
    __device__ __forceinline__ int first_unit() const { return unit - static_cast<int>(threadIdx.x) % kUnits; }
    // Of the warps' partial sums of a tile, which lie so far apart.
    __device__ __forceinline__ float sum(const Form &form, const float *partials, int apart) const {
        float sum = 0;
        for (int w = 0; w < form.warps; ++w) sum += partials[w * apart + in_tile * kPitch + static_cast<int>(threadIdx.x) % kUnits];
        return sum;
    }
};

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
                Right<T> right[2];
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    right[j].read([&](int r) { return state.at(before, place.first_row + tile + r); }, depth + j * 32,
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
//   finish(form, fetched, i, row, unit, carried, product): product: of what the step behind has passed with the weight; carried:
//   what
//     this has returned for it; 0 for the last
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
            Right<T> right[kAtOnce];
#pragma unroll
            for (int j = 0; j < kAtOnce; ++j)
                right[j].read([&](int r) { return c.passed.at(t, place.first_row + tile + r); }, depth + (from + j) * 32,
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
