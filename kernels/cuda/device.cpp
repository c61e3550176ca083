#include "device.h"

#include <utility>

#include "common/kernel.h"
#include "cudnn.h"
#include "tuner.h"

namespace mpt::cuda {

using kernels::Failure;

namespace {

std::string text_of(cudaError_t error) {
    return std::string(cudaGetErrorName(error)) + ": " + cudaGetErrorString(error);
}

std::string version(int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

// Those after which the process can use the device for nothing any more.
bool lost_with(cudaError_t error) {
    switch (error) {
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchTimeout:
        case cudaErrorAssert:
        case cudaErrorHardwareStackError:
        case cudaErrorIllegalInstruction:
        case cudaErrorMisalignedAddress:
        case cudaErrorInvalidAddressSpace:
        case cudaErrorInvalidPc:
        case cudaErrorLaunchFailure:
        case cudaErrorECCUncorrectable:
        case cudaErrorNvlinkUncorrectable:
        case cudaErrorTensorMemoryLeak:
        case cudaErrorExternalDevice:
        case cudaErrorMpsClientTerminated:
        case cudaErrorContextIsDestroyed:
            return true;
        default:
            return false;
    }
}

}  // namespace

void check(cudaError_t error, const char *what) {
    if (error == cudaSuccess) return;
    cudaGetLastError();
    const std::string text = std::string("CUDA: ") + what + ": " + text_of(error);
    if (lost_with(error))
        throw Failure{MPT_ERROR_DEVICE_LOST,
                      text + "; the device's CUDA context is lost to this process: release what lives there, and go on on the CPU or in a new process"};
    if (error == cudaErrorStreamCaptureUnsupported || error == cudaErrorStreamCaptureInvalidated || error == cudaErrorStreamCaptureImplicit)
        throw Failure{MPT_ERROR_DEVICE,
                      text + "; a stream is being captured: run the same step before, so that its memory and kernels are there, and read results behind"};
    throw Failure{error == cudaErrorMemoryAllocation ? MPT_ERROR_MEMORY : MPT_ERROR_DEVICE, text};
}

void check_launch(const char *kernel) {
    check(cudaPeekAtLastError(), kernel);
}

Device::Device(int index) : index_(index) {
    int driver = 0, runtime = 0, count = 0;
    cudaRuntimeGetVersion(&runtime);
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
        throw Failure{MPT_ERROR_DEVICE, "CUDA: there is no NVIDIA driver here: install one that has CUDA " + version(runtime)};
    const cudaError_t found = cudaGetDeviceCount(&count);
    if (found == cudaErrorInsufficientDriver)
        throw Failure{MPT_ERROR_DEVICE, "CUDA: the driver has CUDA " + version(driver) + ", but this build needs " + version(runtime) + ": update the driver"};
    if (found != cudaSuccess) {
        cudaGetLastError();
        throw Failure{MPT_ERROR_DEVICE, "CUDA: no GPU can be used: " + text_of(found) + "; see nvidia-smi, and CUDA_VISIBLE_DEVICES"};
    }
    if (index >= count)
        throw Failure{MPT_ERROR_DEVICE, "device_index " + std::to_string(index) + ": there are " + std::to_string(count) + " GPUs, counted from 0"};
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
    multiprocessors_ = properties.multiProcessorCount;
    capability_ = properties.major * 10 + properties.minor;
    text_ = std::string("CUDA, ") + properties.name + " (compute capability " + std::to_string(properties.major) + "." +
            std::to_string(properties.minor) + "), driver CUDA " + version(driver) + ", runtime " + version(runtime) + ", cuBLASLt " +
            std::to_string(cublasLtGetVersion());
    if (capability_ < 80)
        throw Failure{MPT_ERROR_DEVICE, text_ + ": compute capability 8.0 or newer is needed"};
    tuner_ = std::make_unique<Tuner>(text_ + ", mpt " + std::to_string(MPT_VERSION_MAJOR) + "." + std::to_string(MPT_VERSION_MINOR) + "." + std::to_string(MPT_VERSION_PATCH));
    const CurrentDevice current(index);
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

Device::~Device() {
    const CurrentDevice current(index_);
    cudnn_.reset();
    if (cublaslt_) cublasLtDestroy(cublaslt_);
    if (stream_) cudaStreamDestroy(stream_);
    cudaGetLastError();  // a lost device must not show in the host's next call
}

cublasLtHandle_t Device::cublaslt() {
    if (!cublaslt_ && cublasLtCreate(&cublaslt_) != CUBLAS_STATUS_SUCCESS) throw Failure{MPT_ERROR_DEVICE, "cublasLtCreate failed"};
    return cublaslt_;
}

const Cudnn *Device::cudnn() {
    if (!uses_cudnn) return nullptr;
    if (!std::exchange(cudnn_sought_, true)) cudnn_ = Cudnn::open();
    return cudnn_.get();
}

CurrentDevice::CurrentDevice(int index) {
    if (cudaGetDevice(&before_) != cudaSuccess) before_ = -1;
    if (before_ == index)
        before_ = -1;  // nothing to put back
    else
        cudaSetDevice(index);
}

CurrentDevice::~CurrentDevice() {
    if (before_ >= 0) cudaSetDevice(before_);
}

}  // namespace mpt::cuda
