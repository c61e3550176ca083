// What a CUDA kernel is made of, as the core sees it. One file per kernel family; each registers the prepare functions that it has.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <utility>

#include "common/kernel.h"
#include "common/operand.h"
#include "device.h"

namespace mpt::cuda {

using kernels::attrs_of;
using kernels::expanded;
using kernels::Failure;
using kernels::is_dense;
using kernels::Loop;
using kernels::numel;
using kernels::same_layout;

// A prepared kernel: shapes, strides, dtypes and attributes are fixed, addresses are not. launch only enqueues on the stream: it
// neither allocates nor synchronises, and it may run while the stream is captured.
class Kernel {
public:
    virtual ~Kernel() = default;
    virtual void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) = 0;
    virtual const char *name() const = 0;  // "cuda:softmax"
    std::size_t workspace_bytes = 0;
};

using Prepare = std::unique_ptr<Kernel> (*)(Device &device, const mpt_mod_call &call);
using RegisteredKernel = kernels::Registered<Prepare>;

// A kernel made of a function (in, out, workspace, stream) that knows everything else.
template <class F>
std::unique_ptr<Kernel> kernel_of(const char *name, F launch, std::size_t workspace_bytes = 0) {
    class Function final : public Kernel {
    public:
        Function(const char *name, F &&f) : name_(name), f_(std::move(f)) {}
        void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
            f_(in, out, workspace, stream);
        }
        const char *name() const override { return name_; }

    private:
        const char *name_;
        F f_;
    };
    std::unique_ptr<Kernel> kernel = std::make_unique<Function>(name, std::move(launch));
    kernel->workspace_bytes = workspace_bytes;
    return kernel;
}

inline bool present(const mpt_mod_operand &operand) {
    return operand.dtype != MPT_DTYPE_NONE;
}

}  // namespace mpt::cuda
