// The largest and smallest elements of "reduce".
#include "reduce_kinds.cuh"

namespace mpt::cuda {

template void launch_reduce<ReduceExtreme<Max>>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &, const void *,
                                                const void *, void *, void *);
template void launch_reduce<ReduceExtreme<Min>>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &, const void *,
                                                const void *, void *, void *);

}  // namespace mpt::cuda
