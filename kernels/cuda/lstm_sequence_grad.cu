// "lstm_sequence_grad" of device/attrs/recurrent.h: the steps from the last to the first. What comes from the step behind is the
// product of its gates' gradients, of all units, with the weight.
#include "lstm_sequence.cuh"

namespace mpt::cuda {
namespace {

using namespace sequence;

template <class T, class S>
struct Backward {
    Form form;
    Steps<typename T::Stored> sums, dy, dgates, dhidden;
    Steps<typename S::Stored> cell, cells, dcells, dcell;
    const typename T::Stored *weight;
    bool lies_well;
    unsigned *counters;
};

template <class T, class S, int Threads>
__global__ void __launch_bounds__(Threads, 1) lstm_sequence_grad(Backward<T, S> c) {
    extern __shared__ float partials[];  // [warp][row][unit], and behind them the cells' gradients [row][unit]
    constexpr int kDeep = 8;             // times 32: a warp's part of the depth
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int slice = static_cast<int>(blockIdx.x) % c.form.slices, group = static_cast<int>(blockIdx.x) / c.form.slices;
    const int first_unit = slice * kUnits, width = c.form.hidden, depth = warp * kDeep * 32;
    const std::int64_t first_row = std::int64_t{group} * c.form.rows;
    const int rows = static_cast<int>(min(std::int64_t{c.form.rows}, c.form.batch - first_row));
    unsigned *const counter = c.counters + group * kCounterWords;
    const bool multiplies = warp < c.form.warps;
    float *const carried = partials + c.form.warps * kTile;

    Left left[kDeep];  // of the transposed weight: a row for each unit
    if (multiplies)
#pragma unroll
        for (int j = 0; j < kDeep; ++j) {
            uint4 packs[2];
#pragma unroll
            for (int r = 0; r < 2; ++r) {
                const auto *from = reinterpret_cast<const unsigned short *>(c.weight) + (first_unit + lane / 4 + r * 8);
                std::uint32_t words[4];
#pragma unroll
                for (int w = 0; w < 4; ++w) {
                    const std::int64_t row = depth + j * 32 + lane % 4 * 8 + 2 * w;
                    words[w] = from[row * c.form.weight_row] | static_cast<std::uint32_t>(from[(row + 1) * c.form.weight_row])
                                                                   << 16;
                }
                packs[r] = make_uint4(words[0], words[1], words[2], words[3]);
            }
            left[j] = packs;
        }

    const int unit = first_unit + thread % kUnits, own = thread / kUnits;
    const bool finishes = thread < kLeast;
    // Of the state behind step i - 1, in the walk's order: sums to the partials.
    const auto multiply_step = [&](std::int64_t i, int tile) {
        if (!multiplies) return;
        if (tile == 0) wait_for(counter, static_cast<unsigned>(i) * c.form.slices);
        const std::int64_t behind = c.form.at(c.form.steps - i);
        float sum[2][2][4] = {};  // two of each, so that a product need not wait for the one before
        constexpr int kAtOnce = Threads <= 256 ? kDeep : kDeep / 2;  // as registers allow
#pragma unroll
        for (int from = 0; from < kDeep; from += kAtOnce) {
            Right<T> right[kAtOnce];
#pragma unroll
            for (int j = 0; j < kAtOnce; ++j)
                right[j].read([&](int r) { return c.dgates.at(behind, first_row + tile + r); }, depth + (from + j) * 32,
                              rows - tile, c.lies_well);
#pragma unroll
            for (int j = 0; j < kAtOnce; ++j) multiply<T>(sum[j % 2], left[from + j], right[j]);
        }
#pragma unroll
        for (int n = 0; n < 2; ++n)
#pragma unroll
            for (int k = 0; k < 4; ++k) sum[0][n][k] += sum[1][n][k];
        put(partials + warp * kTile, sum[0]);
    };
    const auto product = [&] {
        float sum = 0;
        for (int w = 0; w < c.form.warps; ++w) sum += partials[w * kTile + own * kPitch + thread % kUnits];
        return sum;
    };

    for (std::int64_t i = 0; i < c.form.steps; ++i) {
        const std::int64_t t = c.form.at(c.form.steps - 1 - i);
        const bool is_first = i + 1 == c.form.steps;
        const std::int64_t before = is_first ? 0 : c.form.at(c.form.steps - 2 - i);
        const Steps<typename S::Stored> &memory = is_first ? c.cell : c.cells;
        for (int tile = 0; tile < rows; tile += kRows) {
            const std::int64_t row = first_row + tile + own;
            const bool real = finishes && tile + own < rows;
            float x[4] = {}, kept = 0, dh = 0, dc = 0;
            if (real) {
#pragma unroll
                for (int g = 0; g < 4; ++g) x[g] = widen<T>(c.sums.at(t, row)[g * width + unit]);
                kept = widen<S>(memory.at(before, row)[unit]);
                if (c.dy.base) dh = widen<T>(c.dy.at(t, row)[unit]);
                if (c.dcells.base) dc = widen<S>(c.dcells.at(t, row)[unit]);
                if (i > 0) dc += carried[tile * kUnits + thread];
            }
            const float gi = sigmoid(x[0]), gf = sigmoid(x[1]), gg = tanhf(x[2]), go = sigmoid(x[3]),
                        tanh_c = tanhf(gf * kept + gi * gg);
            if (i > 0) {
                multiply_step(i, tile);
                __syncthreads();
            }
            if (real) {
                if (i > 0) dh += product();
                const float d = dc + dh * go * (1 - tanh_c * tanh_c);
                x[0] = d * gg * (gi * (1 - gi));
                x[1] = d * kept * (gf * (1 - gf));
                x[2] = d * gi * (1 - gg * gg);
                x[3] = dh * tanh_c * (go * (1 - go));
#pragma unroll
                for (int g = 0; g < 4; ++g) c.dgates.at(t, row)[g * width + unit] = narrow<T>(x[g]);
                carried[tile * kUnits + thread] = d * gf;
                if (is_first && c.dcell.base) c.dcell.at(0, row)[unit] = narrow<S>(d * gf);
            }
            if (i > 0 && tile + kRows < rows) __syncthreads();  // the partials have been read
        }
        if (!is_first || c.dhidden.base) signal(counter);
    }
    if (!c.dhidden.base) return;
    for (int tile = 0; tile < rows; tile += kRows) {
        multiply_step(c.form.steps, tile);
        __syncthreads();
        if (finishes && tile + own < rows) c.dhidden.at(0, first_row + tile + own)[unit] = narrow<T>(product());
        __syncthreads();
    }
}

template <class T, class S>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand sums = call.in[0], cell = call.in[2], cells = call.in[3], dy = call.in[4], dcells = call.in[5],
                          dgates = call.out[0], dhidden = call.out[1], dcell = call.out[2];
    const Form form(device, call, cells, call.in[1]);
    const std::size_t shared = (static_cast<std::size_t>(form.warps) * kTile + (kMostRows + kRows) * kUnits) * sizeof(float);
    auto *kernel = form.threads <= 256 ? lstm_sequence_grad<T, S, 256> : lstm_sequence_grad<T, S, 512>;
    allow(device, form, kernel, shared, call);
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        if (form.steps == 0 || form.batch == 0) return;
        using Stored = typename T::Stored;
        using State = typename S::Stored;
        check(cudaMemsetAsync(workspace, 0, form.counter_bytes(), stream), "lstm_sequence_grad");
        const Backward<T, S> arguments{form,
                                       steps_of<Stored>(sums, in[0]),
                                       steps_of<Stored>(dy, in[4]),
                                       steps_of<Stored>(dgates, out[0]),
                                       steps_of<Stored>(dhidden, out[1]),
                                       steps_of<State>(cell, in[2]),
                                       steps_of<State>(cells, in[3]),
                                       steps_of<State>(dcells, in[5]),
                                       steps_of<State>(dcell, out[2]),
                                       static_cast<const Stored *>(in[1]),
                                       aligned(out[0], 16),
                                       static_cast<unsigned *>(workspace)};
        launch_grid(kernel, form.blocks(), form.threads, shared, stream, "lstm_sequence_grad", arguments);
    };
    return kernel_of("cuda:lstm_sequence_grad", launch, form.counter_bytes());
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, call.in[2].dtype, [&]<class T, class S>(T, S) {
        if constexpr (sizeof(typename T::Stored) == 2)
            kernel = make<T, S>(device, call);
        else
            unsupported_dtype(call.kernel, T::dtype);
    });
    return kernel;
}

const RegisteredKernel registered("lstm_sequence_grad", prepare);

}  // namespace
}  // namespace mpt::cuda
