// The threads of a CUDA kernel, one after the other on a thread of the host.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <functional>

namespace emulation {

// A kernel<<<grid, block, shared, stream>>>(...) as a call: blocks one by one, the threads of a block in an order that changes at
// random wherever they wait. Ends the process, with the reason, where they wait for each other for ever.
void launch(dim3 grid, dim3 block, std::size_t shared, cudaStream_t stream, const std::function<void()> &kernel);
inline void launch(dim3 grid, dim3 block, const std::function<void()> &kernel) {
    launch(grid, block, 0, nullptr, kernel);
}

// Of the running block, at a multiple of 128 bytes, filled with what is no number.
void *dynamic_shared();

// __syncthreads, and whether any thread came with true.
bool barrier(bool vote = false);
// What a lane of the same warp has given in the same call. Every lane of `lanes` calls it with the same lanes.
void exchange(unsigned lanes, unsigned from, const void *given, void *taken, std::size_t nbytes);
unsigned lane();

}  // namespace emulation
