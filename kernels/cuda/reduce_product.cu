// Products and sums of exponentials of "reduce".
#include "reduce_kinds.cuh"

namespace mpt::cuda {

template void launch_reduce<ReduceProduct>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &, const void *,
                                           const void *, void *, void *);
template void launch_reduce<ReduceExponentials>(cudaStream_t, const Fold &, std::int32_t, const ReduceOutcome &, const void *,
                                                const void *, void *, void *);

}  // namespace mpt::cuda
