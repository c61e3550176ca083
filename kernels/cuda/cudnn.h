// cuDNN's graphs. The library is optional: it is looked for when a context prepares its first kernel that may be cuDNN's, and what
// needs it asks whether it is there.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#if __has_include(<cudnn_graph.h>)
#define MPT_HAS_CUDNN 1
#include <cudnn_graph.h>
#endif

namespace mpt::cuda {

class Device;

#ifdef MPT_HAS_CUDNN

// cuDNN cannot do what is asked; another way must be taken. It never leaves this layer's callers.
struct CudnnRefuses {};

// The library's functions, and a handle for one device.
class Cudnn {
public:
    // Nothing where the library is missing, too old or broken.
    static std::unique_ptr<Cudnn> open();
    ~Cudnn();
    Cudnn(const Cudnn &) = delete;
    Cudnn &operator=(const Cudnn &) = delete;

    cudnnHandle_t handle() const { return handle_; }
    std::size_t version() const { return version_; }  // 91400 for 9.14.0

    decltype(&cudnnSetStream) set_stream = nullptr;
    decltype(&cudnnBackendCreateDescriptor) create_descriptor = nullptr;
    decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor = nullptr;
    decltype(&cudnnBackendSetAttribute) set_attribute = nullptr;
    decltype(&cudnnBackendGetAttribute) get_attribute = nullptr;
    decltype(&cudnnBackendFinalize) finalize = nullptr;
    decltype(&cudnnBackendExecute) execute = nullptr;

private:
    Cudnn() = default;
    bool resolve(void *library);

    decltype(&cudnnDestroy) destroy_ = nullptr;
    cudnnHandle_t handle_ = nullptr;
    std::size_t version_ = 0;
};

// An object of cuDNN's. Every function throws CudnnRefuses where cuDNN says no.
class CudnnDescriptor {
public:
    CudnnDescriptor(const Cudnn &cudnn, cudnnBackendDescriptorType_t type);
    ~CudnnDescriptor();
    CudnnDescriptor(CudnnDescriptor &&other) noexcept
        : cudnn_(other.cudnn_), descriptor_(std::exchange(other.descriptor_, nullptr)) {}
    CudnnDescriptor &operator=(CudnnDescriptor &&) = delete;

    CudnnDescriptor &set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                         const void *values);
    CudnnDescriptor &set(cudnnBackendAttributeName_t name, std::int64_t value) { return set(name, CUDNN_TYPE_INT64, 1, &value); }
    CudnnDescriptor &set(cudnnBackendAttributeName_t name, float value) { return set(name, CUDNN_TYPE_FLOAT, 1, &value); }
    CudnnDescriptor &set(cudnnBackendAttributeName_t name, bool value) { return set(name, CUDNN_TYPE_BOOLEAN, 1, &value); }
    CudnnDescriptor &set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
        return set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
    }
    CudnnDescriptor &set(cudnnBackendAttributeName_t name, const CudnnDescriptor &value) {
        return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
    }
    CudnnDescriptor &finalize();
    // How many there are; writes at most `room`.
    std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t room, void *values) const;

    cudnnBackendDescriptor_t raw() const { return descriptor_; }

private:
    const Cudnn *cudnn_;
    cudnnBackendDescriptor_t descriptor_ = nullptr;
};

// What engines may do beside what is always forbidden: sums of changing order, and roundings on the way.
struct CudnnRules {
    bool tensor_cores;         // else they would round f32 to tf32
    bool prefer_tensor_cores;  // even to what the heuristics have before
    bool fallback;             // engines that the heuristics would not name
};

// What a tuner needs to try a plan: what the graph is, and its tensors.
struct CudnnTrial {
    std::string key;
    std::vector<std::int64_t> ids;
    std::vector<std::size_t> bytes;
};

// A number of a graph that is given at each launch, by value: a float or a 32-bit integer.
struct CudnnNumber {
    std::int64_t id;
    std::uint32_t bits;
};

// A graph of operations with a chosen engine.
class CudnnPlan {
public:
    // Of the engines that the rules allow and that can run the first in the order of the heuristics, or the fastest, where the device's
    // tuner is on. CudnnRefuses where there is none.
    CudnnPlan(Device &device, const Cudnn &cudnn, const std::vector<CudnnDescriptor> &operations, const CudnnRules &rules,
              const CudnnTrial &trial, std::vector<CudnnNumber> numbers = {});

    std::size_t workspace_bytes() const { return chosen_.workspace_bytes; }
    // Throws Failure.
    void launch(const std::vector<std::int64_t> &ids, const std::vector<void *> &addresses, void *workspace,
                cudaStream_t stream) const;

private:
    struct Candidate {
        std::unique_ptr<CudnnDescriptor> plan;
        std::size_t workspace_bytes;
    };
    // At most so many of the configurations.
    std::vector<Candidate> candidates(const std::vector<CudnnDescriptor> &configurations, const CudnnRules &rules, bool needs_tensor_cores, int most) const;
    int fastest(Device &device, const std::vector<Candidate> &list, const CudnnTrial &trial) const;
    void execute(const CudnnDescriptor &plan, const std::vector<std::int64_t> &ids, const std::vector<void *> &addresses, void *workspace,
                 cudaStream_t stream) const;

    const Cudnn *cudnn_;
    std::vector<CudnnNumber> numbers_;
    Candidate chosen_;
};

#else

class Cudnn {
public:
    static std::unique_ptr<Cudnn> open() { return nullptr; }
};

#endif

}  // namespace mpt::cuda
