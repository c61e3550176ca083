// "lstm_cell" and "lstm_cell_grad" of device/attrs/.
#include "recurrent.cuh"

namespace mpt::cuda {
namespace {

// Gates: i, f, g, o; of a sum, where there is more.
template <class T, int V>
__device__ __forceinline__ void load_gates(const CellIndex &index, const CellOperand &gates, const CellOperand &more, std::int64_t row,
                                           std::int64_t column, float (&x)[4][V]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) gates.load<T>(row, k * index.width + column, x[k]);
    if (!more.base) return;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
        float y[V];
        more.load<T>(row, k * index.width + column, y);
#pragma unroll
        for (int v = 0; v < V; ++v) x[k][v] += y[v];
    }
}

template <class T, class S, int V>
__global__ void __launch_bounds__(kCellThreads)
    lstm_cell(CellIndex index, CellOperand gates, CellOperand more, CellOperand cell, CellOperand h, CellOperand c) {
    for_cells<V>(index, [&](std::int64_t row, std::int64_t column) {
        float x[4][V], state[V], hidden[V];
        load_gates<T>(index, gates, more, row, column, x);
        cell.load<S>(row, column, state);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            state[v] = sigmoid(x[1][v]) * state[v] + sigmoid(x[0][v]) * tanhf(x[2][v]);
            hidden[v] = sigmoid(x[3][v]) * tanhf(state[v]);
        }
        c.store<S>(row, column, state);
        h.store<T>(row, column, hidden);
    });
}

template <class T, class S, int V>
__global__ void __launch_bounds__(kCellThreads) lstm_cell_grad(CellIndex index, CellOperand gates, CellOperand more, CellOperand cell,
                                                               CellOperand dh, CellOperand dc, CellOperand dgates, CellOperand dcell) {
    for_cells<V>(index, [&](std::int64_t row, std::int64_t column) {
        float x[4][V], state[V], dhidden[V], dnext[V];
        load_gates<T>(index, gates, more, row, column, x);
        cell.load<S>(row, column, state);
        dh.load<T>(row, column, dhidden);
        dc.load<S>(row, column, dnext);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float i = sigmoid(x[0][v]), f = sigmoid(x[1][v]), g = tanhf(x[2][v]), o = sigmoid(x[3][v]);
            const float t = tanhf(f * state[v] + i * g);
            const float d = dnext[v] + dhidden[v] * o * (1 - t * t);
            x[0][v] = d * g * (i * (1 - i));
            x[1][v] = d * state[v] * (f * (1 - f));
            x[2][v] = d * i * (1 - g * g);
            x[3][v] = dhidden[v] * t * (o * (1 - o));
            dnext[v] = d * f;
        }
#pragma unroll
        for (int k = 0; k < 4; ++k) dgates.store<T>(row, k * index.width + column, x[k]);
        dcell.store<S>(row, column, dnext);
    });
}

std::unique_ptr<Kernel> prepare_cell(Device &device, const mpt_mod_call &call) {
    const Cells cells(device, call, call.in[1]);
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, call.in[1].dtype, [&]<class T, class S>(T, S) {
        kernel = kernel_of("cuda:lstm_cell", [cells](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            cells.run(in, out, [&](auto pack, const CellIndex &index, unsigned blocks) {
                lstm_cell<T, S, decltype(pack)::value><<<blocks, kCellThreads, 0, stream>>>(index, cells.in(in, 0), cells.in(in, 2), cells.in(in, 1),
                                                                                            cells.out(out, 0), cells.out(out, 1));
            });
            check_launch("cuda:lstm_cell");
        });
    });
    return kernel;
}

std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    const Cells cells(device, call, call.in[1]);
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, call.in[1].dtype, [&]<class T, class S>(T, S) {
        kernel = kernel_of("cuda:lstm_cell_grad", [cells](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            cells.run(in, out, [&](auto pack, const CellIndex &index, unsigned blocks) {
                lstm_cell_grad<T, S, decltype(pack)::value>
                    <<<blocks, kCellThreads, 0, stream>>>(index, cells.in(in, 0), cells.in(in, 4), cells.in(in, 1), cells.in(in, 2), cells.in(in, 3),
                                                          cells.out(out, 0), cells.out(out, 1));
            });
            check_launch("cuda:lstm_cell_grad");
        });
    });
    return kernel;
}

const RegisteredKernel registered_cell("lstm_cell", prepare_cell), registered_grad("lstm_cell_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
