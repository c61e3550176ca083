// Grids whose blocks all run at once, so that they can wait for each other.
#pragma once

#include <cooperative_groups.h>

#include "kernel.h"

namespace mpt::cuda {

// Whether so many blocks do; the function has been allowed its shared memory.
template <class F>
bool runs_at_once(const Device &device, F *function, unsigned blocks, unsigned threads, std::size_t shared, const char *name) {
    int able = 0, each = 0;
    check(cudaDeviceGetAttribute(&able, cudaDevAttrCooperativeLaunch, device.index()), name);
    check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&each, function, static_cast<int>(threads), shared), name);
    return able != 0 && std::int64_t{each} * device.multiprocessors() >= std::int64_t{blocks};
}

template <class... Parameters, class... Arguments>
void launch_grid(void (*function)(Parameters...), unsigned blocks, unsigned threads, std::size_t shared, cudaStream_t stream,
                 const char *name, const Arguments &...arguments) {
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(blocks);
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = shared;
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    check(cudaLaunchKernelEx(&config, function, Parameters(arguments)...), name);
}

// What any thread wrote before it, all threads of the grid read behind it.
__device__ __forceinline__ void grid_barrier() {
    cooperative_groups::this_grid().sync();
}

}  // namespace mpt::cuda
