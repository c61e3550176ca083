// "lstm_sequence" of device/attrs/recurrent.h.
#include "any_float.cuh"
#include "lstm_sequence.cuh"

namespace mpt::cuda {
namespace {

using namespace sequence;

template <class T, class S>
struct Forward {
    Form form;
    Steps<typename T::Stored> gates, hidden, y, sums;
    Steps<typename S::Stored> cell, cells;
    const typename T::Stored *weight;
    const void *bias;  // or null
    std::int64_t bias_stride;
    std::int32_t bias_dtype;
    bool weight_lies_well, states_lie_well;
    unsigned *counters;
};

template <class T, class S, int Threads>
__global__ void __launch_bounds__(Threads, 1) lstm_sequence(Forward<T, S> c) {
    extern __shared__ float partials[];  // [warp][gate][row][unit]
    const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int slice = static_cast<int>(blockIdx.x) % c.form.slices, group = static_cast<int>(blockIdx.x) / c.form.slices;
    const int first_unit = slice * kUnits, width = c.form.hidden, depth = warp * 64;
    const std::int64_t first_row = std::int64_t{group} * c.form.rows;
    const int rows = static_cast<int>(min(std::int64_t{c.form.rows}, c.form.batch - first_row));
    unsigned *const counter = c.counters + group * kCounterWords;
    const bool multiplies = warp < c.form.warps;

    Left left[4][2];  // [gate][32 of the depth]
    if (multiplies)
#pragma unroll
        for (int g = 0; g < 4; ++g)
#pragma unroll
            for (int j = 0; j < 2; ++j) {
                uint4 packs[2];
#pragma unroll
                for (int r = 0; r < 2; ++r) {
                    const std::int64_t row = g * width + first_unit + lane / 4 + r * 8;
                    packs[r] = read_pack<T>(c.weight + (row * c.form.weight_row + depth + j * 32 + lane % 4 * 8), true,
                                            c.weight_lies_well);
                }
                left[g][j] = packs;
            }

    // The sum that this thread finishes, in each tile of rows.
    const int unit = first_unit + thread % kUnits, own = thread / kUnits;
    const bool finishes = thread < kLeast;
    float bias[4] = {};
    if (finishes && c.bias)
#pragma unroll
        for (int g = 0; g < 4; ++g) {
            float one[1];
            load_any<1>(c.bias, c.bias_dtype, (std::int64_t{g} * width + unit) * c.bias_stride, one);
            bias[g] = one[0];
        }

    for (std::int64_t i = 0; i < c.form.steps; ++i) {
        const std::int64_t t = c.form.at(i), before = i == 0 ? 0 : c.form.at(i - 1);
        const Steps<typename T::Stored> &state = i == 0 ? c.hidden : c.y;
        const Steps<typename S::Stored> &memory = i == 0 ? c.cell : c.cells;
        for (int tile = 0; tile < rows; tile += kRows) {
            const std::int64_t row = first_row + tile + own;
            const bool real = finishes && tile + own < rows;
            typename T::Stored from_input[4] = {};
            float kept = 0;
            if (real) {
#pragma unroll
                for (int g = 0; g < 4; ++g) from_input[g] = c.gates.at(t, row)[g * width + unit];
                kept = widen<S>(memory.at(before, row)[unit]);
            }
            if (multiplies) {
                if (i > 0 && tile == 0) wait_for(counter, static_cast<unsigned>(i) * c.form.slices);
                Right<T> right[2];
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    right[j].read([&](int r) { return state.at(before, first_row + tile + r); }, depth + j * 32, rows - tile,
                                  c.states_lie_well);
#pragma unroll
                for (int g = 0; g < 4; ++g) {
                    float sum[2][4] = {};
#pragma unroll
                    for (int j = 0; j < 2; ++j) multiply<T>(sum, left[g][j], right[j]);
                    put(partials + (warp * 4 + g) * kTile, sum);
                }
            }
            __syncthreads();
            if (real) {
                float x[4];
#pragma unroll
                for (int g = 0; g < 4; ++g) x[g] = widen<T>(from_input[g]) + bias[g];
                for (int w = 0; w < c.form.warps; ++w)
#pragma unroll
                    for (int g = 0; g < 4; ++g) x[g] += partials[(w * 4 + g) * kTile + own * kPitch + thread % kUnits];
#pragma unroll
                for (int g = 0; g < 4; ++g) {
                    const typename T::Stored rounded = narrow<T>(x[g]);
                    c.sums.at(t, row)[g * width + unit] = rounded;
                    x[g] = widen<T>(rounded);
                }
                const float next = sigmoid(x[1]) * kept + sigmoid(x[0]) * tanhf(x[2]);
                c.cells.at(t, row)[unit] = narrow<S>(next);
                c.y.at(t, row)[unit] = narrow<T>(sigmoid(x[3]) * tanhf(next));
            }
            if (tile + kRows < rows) __syncthreads();  // the partials have been read
        }
        if (i + 1 < c.form.steps) signal(counter);
    }
}

template <class T, class S>
std::unique_ptr<Kernel> make(Device &device, const mpt_mod_call &call) {
    const Form form(device, call, call.out[0], call.in[1]);
    const std::size_t shared = static_cast<std::size_t>(form.warps) * 4 * kTile * sizeof(float);
    auto *kernel = form.threads <= 256 ? lstm_sequence<T, S, 256> : lstm_sequence<T, S, 512>;
    allow(device, form, kernel, shared, call);
    const mpt_mod_operand gates = call.in[0], bias = call.in[2], hidden = call.in[3], cell = call.in[4], y = call.out[0],
                          cells = call.out[1], sums = call.out[2];
    const auto launch = [=](const void *const *in, void *const *out, void *workspace, cudaStream_t stream) {
        if (form.steps == 0 || form.batch == 0) return;
        using Stored = typename T::Stored;
        using State = typename S::Stored;
        check(cudaMemsetAsync(workspace, 0, form.counter_bytes(), stream), "lstm_sequence");
        const Forward<T, S> arguments{form,
                                      steps_of<Stored>(gates, in[0]),
                                      steps_of<Stored>(hidden, in[3]),
                                      steps_of<Stored>(y, out[0]),
                                      steps_of<Stored>(sums, out[2]),
                                      steps_of<State>(cell, in[4]),
                                      steps_of<State>(cells, out[1]),
                                      static_cast<const Stored *>(in[1]),
                                      present(bias) ? in[2] : nullptr,
                                      present(bias) ? bias.strides[0] : 0,
                                      bias.dtype,
                                      aligned(in[1], 16),
                                      aligned(in[3], 16) && aligned(out[0], 16),
                                      static_cast<unsigned *>(workspace)};
        launch_grid(kernel, form.blocks(), form.threads, shared, stream, "lstm_sequence", arguments);
    };
    return kernel_of("cuda:lstm_sequence", launch, form.counter_bytes());
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, call.in[4].dtype, [&]<class T, class S>(T, S) {
        if constexpr (sizeof(typename T::Stored) == 2)
            kernel = make<T, S>(device, call);
        else
            unsupported_dtype(call.kernel, T::dtype);
    });
    return kernel;
}

const RegisteredKernel registered("lstm_sequence", prepare);

}  // namespace
}  // namespace mpt::cuda
