// The grid's kernels of "channel_norm_grad" and "channel_norm_relu_grad".
#include "channel_norm_grid_grad.cuh"

namespace mpt::cuda {

template <class T, class Source, class Space>
void allow_grid_gradient(const Device &device, Space &g) {
    allow_grid<T, GridGradient<T, Source>>(device, g);
}
template <class T, class Source, class Space>
void run_grid_gradient(const Space &g, const GridGradient<T, Source> &op, bool packed, void *workspace, cudaStream_t stream) {
    run_grid<T>(g, op, packed, workspace, stream);
}

#define MPT_GRID_GRADIENT(Space, T, ...)                                                                                 \
    template void allow_grid_gradient<T, __VA_ARGS__, Space<3>>(const Device &device, Space<3> &g);                      \
    template void run_grid_gradient<T, __VA_ARGS__, Space<3>>(const Space<3> &g, const GridGradient<T, __VA_ARGS__> &op, \
                                                              bool packed, void *workspace, cudaStream_t stream);
#define MPT_GRID_GRADIENTS(T)                   \
    MPT_GRID_GRADIENT(GridRows, T, Given<T>)    \
    MPT_GRID_GRADIENT(GridColumns, T, Given<T>) \
    MPT_GRID_GRADIENT(GridColumns, T, MaskedByY<T, true>)
MPT_GRID_GRADIENTS(F32)
MPT_GRID_GRADIENTS(F16)
MPT_GRID_GRADIENTS(BF16)
MPT_GRID_GRADIENT(GridColumns, F32, MaskedByY<F32, false>)
MPT_GRID_GRADIENT(GridColumns, F16, MaskedByX<F16>)
MPT_GRID_GRADIENT(GridColumns, BF16, MaskedByX<BF16>)
#undef MPT_GRID_GRADIENTS
#undef MPT_GRID_GRADIENT

}  // namespace mpt::cuda
