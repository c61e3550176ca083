// "gru_cell" and "gru_cell_grad" of device/attrs/.
#include "recurrent.cuh"

namespace mpt::cuda {
namespace {

// Gates: r, z, n.
template <class T, class S, int V>
__global__ void __launch_bounds__(kCellThreads)
    gru_cell(CellIndex index, CellOperand x, CellOperand y, CellOperand hidden, CellOperand out) {
    for_cells<V>(index, [&](std::int64_t row, std::int64_t column) {
        float a[3][V], b[3][V], state[V];
#pragma unroll
        for (int k = 0; k < 3; ++k) {
            x.load<T>(row, k * index.width + column, a[k]);
            y.load<T>(row, k * index.width + column, b[k]);
        }
        hidden.load<S>(row, column, state);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float fresh = tanhf(a[2][v] + sigmoid(a[0][v] + b[0][v]) * b[2][v]);
            state[v] = fresh + sigmoid(a[1][v] + b[1][v]) * (state[v] - fresh);
        }
        out.store<S>(row, column, state);
    });
}

template <class T, class S, int V>
__global__ void __launch_bounds__(kCellThreads)
    gru_cell_grad(CellIndex index, CellOperand x, CellOperand y, CellOperand hidden, CellOperand dout, CellOperand dx,
                  CellOperand dy, CellOperand dhidden) {
    for_cells<V>(index, [&](std::int64_t row, std::int64_t column) {
        float a[3][V], b[3][V], state[V], d[V];
#pragma unroll
        for (int k = 0; k < 3; ++k) {
            x.load<T>(row, k * index.width + column, a[k]);
            y.load<T>(row, k * index.width + column, b[k]);
        }
        hidden.load<S>(row, column, state);
        dout.load<S>(row, column, d);
#pragma unroll
        for (int v = 0; v < V; ++v) {
            const float r = sigmoid(a[0][v] + b[0][v]), z = sigmoid(a[1][v] + b[1][v]), own = b[2][v],
                        fresh = tanhf(a[2][v] + r * own);
            const float dfresh = d[v] * (1 - z) * (1 - fresh * fresh);
            a[0][v] = dfresh * own * (r * (1 - r));
            a[1][v] = d[v] * (state[v] - fresh) * (z * (1 - z));
            a[2][v] = dfresh;
            b[2][v] = dfresh * r;
            d[v] *= z;
        }
#pragma unroll
        for (int k = 0; k < 3; ++k) {
            dx.store<T>(row, k * index.width + column, a[k]);
            dy.store<T>(row, k * index.width + column, k < 2 ? a[k] : b[k]);
        }
        dhidden.store<S>(row, column, d);
    });
}

std::unique_ptr<Kernel> prepare_cell(Device &device, const mpt_mod_call &call) {
    const Cells cells(device, call, call.in[2]);
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, call.in[2].dtype, [&]<class T, class S>(T, S) {
        kernel = kernel_of("cuda:gru_cell", [cells](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            cells.run(in, out, [&](auto pack, const CellIndex &index, unsigned blocks) {
                gru_cell<T, S, decltype(pack)::value><<<blocks, kCellThreads, 0, stream>>>(index, cells.in(in, 0), cells.in(in, 1),
                                                                                           cells.in(in, 2), cells.out(out, 0));
            });
            check_launch("cuda:gru_cell");
        });
    });
    return kernel;
}

std::unique_ptr<Kernel> prepare_grad(Device &device, const mpt_mod_call &call) {
    const Cells cells(device, call, call.in[2]);
    std::unique_ptr<Kernel> kernel;
    visit_cell(call, call.in[0].dtype, call.in[2].dtype, [&]<class T, class S>(T, S) {
        kernel = kernel_of("cuda:gru_cell_grad", [cells](const void *const *in, void *const *out, void *, cudaStream_t stream) {
            cells.run(in, out, [&](auto pack, const CellIndex &index, unsigned blocks) {
                gru_cell_grad<T, S, decltype(pack)::value>
                    <<<blocks, kCellThreads, 0, stream>>>(index, cells.in(in, 0), cells.in(in, 1), cells.in(in, 2), cells.in(in, 3),
                                                          cells.out(out, 0), cells.out(out, 1), cells.out(out, 2));
            });
            check_launch("cuda:gru_cell_grad");
        });
    });
    return kernel;
}

const RegisteredKernel registered_cell("gru_cell", prepare_cell), registered_grad("gru_cell_grad", prepare_grad);

}  // namespace
}  // namespace mpt::cuda
