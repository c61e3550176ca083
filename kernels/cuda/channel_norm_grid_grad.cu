// The grid's kernels of "channel_norm_grad" and "channel_norm_relu_grad".
#include "channel_norm_grid_grad.cuh"

namespace mpt::cuda {

template <class T, class Source>
void allow_grid_gradient(const Device &device, GridColumns<3> &g) {
    allow_grid<T, GridGradient<T, Source>>(device, g);
}
template <class T, class Source>
void run_grid_gradient(const GridColumns<3> &g, const GridGradient<T, Source> &op, bool packed, void *workspace,
                       cudaStream_t stream) {
    run_grid<T>(g, op, packed, workspace, stream);
}

#define MPT_GRID_GRADIENT(T, ...)                                                                                                 \
    template void allow_grid_gradient<T, __VA_ARGS__>(const Device &device, GridColumns<3> &g);                                   \
    template void run_grid_gradient<T, __VA_ARGS__>(const GridColumns<3> &g, const GridGradient<T, __VA_ARGS__> &op, bool packed, \
                                                    void *workspace, cudaStream_t stream);
#define MPT_GRID_GRADIENTS(T)      \
    MPT_GRID_GRADIENT(T, Given<T>) \
    MPT_GRID_GRADIENT(T, MaskedByY<T, true>)
MPT_GRID_GRADIENTS(F32)
MPT_GRID_GRADIENTS(F16)
MPT_GRID_GRADIENTS(BF16)
MPT_GRID_GRADIENT(F32, MaskedByY<F32, false>)
MPT_GRID_GRADIENT(F16, MaskedByX<F16>)
MPT_GRID_GRADIENT(BF16, MaskedByX<BF16>)
#undef MPT_GRID_GRADIENTS
#undef MPT_GRID_GRADIENT

}  // namespace mpt::cuda
