#pragma once

#include <cuda_runtime.h>

namespace mpt::cuda {

// While the host captures a stream of its own, this thread may allocate, wait on other streams and make graphs without spoiling it.
class Unconcerned {
public:
    Unconcerned() { cudaThreadExchangeStreamCaptureMode(&mode_); }
    ~Unconcerned() { cudaThreadExchangeStreamCaptureMode(&mode_); }
    Unconcerned(const Unconcerned &) = delete;
    Unconcerned &operator=(const Unconcerned &) = delete;

private:
    cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

}  // namespace mpt::cuda
