// One GPU as a context uses it: its number, its own stream, and what the libraries need once.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <memory>
#include <string>

namespace mpt::cuda {

// Failure with the runtime's words; what: the call, for the message. MPT_ERROR_DEVICE_LOST where nothing can be done on the device
// any more. Clears the error unless the device is lost with it.
void check(cudaError_t error, const char *what);
// After a <<<launch>>>.
void check_launch(const char *kernel);

class Cudnn;
class Tuner;

class Device {
public:
    explicit Device(int index);  // Failure MPT_ERROR_DEVICE says why the GPU cannot be used
    ~Device();
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    int index() const { return index_; }
    int multiprocessors() const { return multiprocessors_; }
    int capability() const { return capability_; }  // 90 for 9.0
    cudaStream_t stream() const { return stream_; }
    const std::string &text() const { return text_; }
    bool tf32 = false;       // may products of f32 round their operands to tf32?
    bool uses_cudnn = true;  // where it is there
    // Made at the first call, since it takes a moment: a context that multiplies nothing does without.
    cublasLtHandle_t cublaslt();
    // Likewise. Null where the machine has no cuDNN that can be used, and where it is not to be used.
    const Cudnn *cudnn();
    Tuner &tuner() { return *tuner_; }

private:
    int index_, multiprocessors_ = 0, capability_ = 0;
    cudaStream_t stream_ = nullptr;
    cublasLtHandle_t cublaslt_ = nullptr;
    std::unique_ptr<Cudnn> cudnn_;
    bool cudnn_sought_ = false;
    std::unique_ptr<Tuner> tuner_;
    std::string text_;
};

// The host's current device is another thread-local of its own, which a call of mpt leaves as it was.
class CurrentDevice {
public:
    explicit CurrentDevice(int index);
    ~CurrentDevice();
    CurrentDevice(const CurrentDevice &) = delete;
    CurrentDevice &operator=(const CurrentDevice &) = delete;

private:
    int before_ = -1;
};

}  // namespace mpt::cuda
