// Dynamic shared memory above the 48 KiB that a kernel may have unasked.
#pragma once

#include <string>

#include "kernel.h"

namespace mpt::cuda {

// The limit belongs to the function, which calls of many sizes share: it is set to the most there is, and never lowered again.
template <class F>
void allow_shared(F *function, std::size_t nbytes, const char *name) {
    int device = 0, most = 0;
    check(cudaGetDevice(&device), name);
    check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), name);
    cudaFuncAttributes at = {};
    check(cudaFuncGetAttributes(&at, function), name);
    const int room = most - static_cast<int>(at.sharedSizeBytes);  // beside the static part
    if (nbytes > static_cast<std::size_t>(room))
        throw Failure{MPT_ERROR_UNSUPPORTED, std::string(name) + ": " + std::to_string(nbytes) + " bytes do not fit the " + std::to_string(room) +
                                                 " of a multiprocessor's memory that a block may have: use smaller extents"};
    check(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, room), name);
}

}  // namespace mpt::cuda
