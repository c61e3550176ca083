// The grid's kernels of "channel_norm" and "channel_norm_relu".
#include "channel_norm_grid_forward.cuh"

namespace mpt::cuda {

template <class T, bool Relu>
void allow_grid_norm(const Device &device, GridColumns<2> &g) {
    allow_grid<T, GridNorm<T, Relu>>(device, g);
}
template <class T, bool Relu>
void run_grid_norm(const GridColumns<2> &g, const GridNorm<T, Relu> &op, bool packed, void *workspace, cudaStream_t stream) {
    run_grid<T>(g, op, packed, workspace, stream);
}

#define MPT_GRID_NORM(T, Relu)                                                                                               \
    template void allow_grid_norm<T, Relu>(const Device &device, GridColumns<2> &g);                                         \
    template void run_grid_norm<T, Relu>(const GridColumns<2> &g, const GridNorm<T, Relu> &op, bool packed, void *workspace, \
                                         cudaStream_t stream);
#define MPT_GRID_NORMS(T)   \
    MPT_GRID_NORM(T, false) \
    MPT_GRID_NORM(T, true)
MPT_GRID_NORMS(F32)
MPT_GRID_NORMS(F16)
MPT_GRID_NORMS(BF16)
#undef MPT_GRID_NORMS
#undef MPT_GRID_NORM

}  // namespace mpt::cuda
