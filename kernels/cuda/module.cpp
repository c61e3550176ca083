// The module's table: an NVIDIA GPU.
#include <cuda_runtime.h>

#include <memory>
#include <new>

#include "kernel.h"
#include "tuner.h"
#include "unconcerned.h"

struct mpt_mod_device {
    explicit mpt_mod_device(int index) : device(index) {}
    mpt::cuda::Device device;
    cudaStream_t stream(void *hosts) { return hosts ? static_cast<cudaStream_t>(hosts) : device.stream(); }
};

struct mpt_mod_kernel {
    std::unique_ptr<mpt::cuda::Kernel> kernel;
    mpt_mod_device *dev;
};

struct mpt_mod_graph {
    cudaGraphExec_t executable = nullptr;
    int device = 0;
};

namespace mpt::cuda {
namespace {

using kernels::guard;

mpt_status open(const mpt_mod_device_desc *desc, mpt_mod_device **out, mpt_mod_error *error) {
    return guard(error, [&] {
        *out = new mpt_mod_device(desc->index);
        return MPT_OK;
    });
}

void close(mpt_mod_device *dev, std::int32_t forked) {
    if (forked) return;  // a GPU cannot be used in a child; the memory goes with the process
    delete dev;
}

const char *describe(const mpt_mod_device *dev) {
    return dev->device.text().c_str();
}

// Plain allocations, since the core keeps what is given back: it asks again only for what it never had.
void *alloc(mpt_mod_device *dev, size_t nbytes, void *) {
    const CurrentDevice current(dev->device.index());
    void *ptr = nullptr;
    if (cudaMalloc(&ptr, nbytes ? nbytes : 1) != cudaSuccess) {
        cudaGetLastError();
        return nullptr;
    }
    return ptr;
}

// Waits for the device, so whatever still reads the block is done.
void release(mpt_mod_device *dev, void *ptr, size_t, void *) {
    const CurrentDevice current(dev->device.index());
    cudaFree(ptr);
    cudaGetLastError();
}

bool pinned(const void *host) {
    cudaPointerAttributes attributes;
    if (cudaPointerGetAttributes(&attributes, host) == cudaSuccess)
        return attributes.type == cudaMemoryTypeHost || attributes.type == cudaMemoryTypeManaged;
    cudaGetLastError();
    return false;
}

// The host may change src as soon as this returns: of pageable memory the runtime has made its own copy by then,
// of pinned memory not. Memory of a device is the stream's.
mpt_status to_device(mpt_mod_device *dev, void *dst, const void *src, size_t nbytes, void *stream, mpt_mod_error *error) {
    return guard(error, [&] {
        if (nbytes == 0) return MPT_OK;
        const CurrentDevice current(dev->device.index());
        check(cudaMemcpyAsync(dst, src, nbytes, cudaMemcpyDefault, dev->stream(stream)), "a copy to the device");
        if (pinned(src)) check(cudaStreamSynchronize(dev->stream(stream)), "a copy to the device");
        return MPT_OK;
    });
}

mpt_status to_host(mpt_mod_device *dev, void *dst, const void *src, size_t nbytes, void *stream, mpt_mod_error *error) {
    return guard(error, [&] {
        if (nbytes == 0) return MPT_OK;
        const CurrentDevice current(dev->device.index());
        check(cudaMemcpyAsync(dst, src, nbytes, cudaMemcpyDefault, dev->stream(stream)), "a copy to the host");
        check(cudaStreamSynchronize(dev->stream(stream)), "a copy to the host");
        return MPT_OK;
    });
}

mpt_status synchronize(mpt_mod_device *dev, void *stream, mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(dev->device.index());
        check(cudaStreamSynchronize(dev->stream(stream)), "waiting for the device");
        return MPT_OK;
    });
}

const mpt_mod_threads *threads(mpt_mod_device *) {
    return nullptr;
}

void *stream(mpt_mod_device *dev) {
    return dev->device.stream();
}

mpt_status set_option(mpt_mod_device *dev, const char *key, const char *value, mpt_mod_error *error) {
    return guard(error, [&] {
        const std::string k = key, v = value;
        Tuner &tuner = dev->device.tuner();
        if (k == "tune_cache") {
            tuner.keep_in(v);
            return MPT_OK;
        }
        if (k != "tf32" && k != "cudnn" && k != "tune")
            throw Failure{MPT_ERROR_NOT_FOUND, "argument 'key' is '" + k + "': there are 'fusion' and, on a GPU, 'tf32', 'cudnn', 'tune' and 'tune_cache'"};
        if (v != "on" && v != "off") throw Failure{MPT_ERROR_ARGUMENT, "argument 'value' is '" + v + "': '" + k + "' is 'on' or 'off'"};
        (k == "tf32" ? dev->device.tf32 : k == "cudnn" ? dev->device.uses_cudnn : tuner.on) = v == "on";
        return MPT_OK;
    });
}

// What is enqueued on one stream comes after what was enqueued on the other.
mpt_status order(mpt_mod_device *dev, void *first, void *then, mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(dev->device.index());
        cudaEvent_t event;
        check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
        cudaError_t status = cudaEventRecord(event, dev->stream(first));
        if (status == cudaSuccess) status = cudaStreamWaitEvent(dev->stream(then), event, 0);
        cudaEventDestroy(event);  // the runtime frees it behind the wait
        check(status, "a change of streams");
        return MPT_OK;
    });
}

mpt_status stream_create(mpt_mod_device *dev, void **out, mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(dev->device.index());
        cudaStream_t stream;
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
        *out = stream;
        return MPT_OK;
    });
}

// What is on the stream still runs to its end.
void stream_destroy(mpt_mod_device *dev, void *stream) {
    const CurrentDevice current(dev->device.index());
    cudaStreamDestroy(static_cast<cudaStream_t>(stream));
    cudaGetLastError();
}

std::int32_t would_wait(mpt_mod_device *dev, const void *src, size_t nbytes, void *stream) {
    constexpr size_t kTakenAlong = size_t{64} << 10;  // copies of so little are parts of their commands
    const CurrentDevice current(dev->device.index());
    cudaPointerAttributes attributes;
    cudaStreamCaptureStatus captured = cudaStreamCaptureStatusNone;
    const bool known = cudaPointerGetAttributes(&attributes, src) == cudaSuccess && cudaStreamIsCapturing(dev->stream(stream), &captured) == cudaSuccess;
    cudaGetLastError();
    const bool hosts = known && (attributes.type == cudaMemoryTypeHost || attributes.type == cudaMemoryTypeUnregistered);
    return hosts && captured == cudaStreamCaptureStatusNone && (attributes.type == cudaMemoryTypeHost || nbytes > kTakenAlong);
}

// Recorded on a stream of its own in the mode that leaves the rest of the process alone.
mpt_status graph_create(mpt_mod_device *dev, mpt_status (*enqueue)(void *stream, void *user, mpt_mod_error *error), void *user, mpt_mod_graph **out,
                        mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(dev->device.index());
        const Unconcerned unconcerned;  // the program's first run may be a part of a graph of the host's
        auto made = std::make_unique<mpt_mod_graph>();
        made->device = dev->device.index();
        cudaStream_t stream;
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
        cudaGraph_t graph = nullptr;
        cudaError_t status = cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
        mpt_status enqueued = MPT_OK;
        if (status == cudaSuccess) {
            enqueued = enqueue(stream, user, error);
            status = cudaStreamEndCapture(stream, &graph);
        }
        cudaStreamDestroy(stream);
        if (enqueued == MPT_OK && status == cudaSuccess) status = cudaGraphInstantiate(&made->executable, graph, 0);
        if (graph) cudaGraphDestroy(graph);
        if (enqueued != MPT_OK) {
            cudaGetLastError();
            return enqueued;
        }
        check(status, "a program's graph");
        *out = made.release();
        return MPT_OK;
    });
}

mpt_status graph_launch(mpt_mod_device *dev, mpt_mod_graph *graph, void *stream, mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(dev->device.index());
        cudaStreamCaptureStatus captured = cudaStreamCaptureStatusNone;
        check(cudaStreamIsCapturing(dev->stream(stream), &captured), "a program's run");
        if (captured != cudaStreamCaptureStatusNone) return MPT_ERROR_UNSUPPORTED;  // a graph that is launched cannot be captured
        check(cudaGraphLaunch(graph->executable, dev->stream(stream)), "a program's run");
        return MPT_OK;
    });
}

void graph_destroy(mpt_mod_graph *graph) {
    const CurrentDevice current(graph->device);
    cudaGraphExecDestroy(graph->executable);
    cudaGetLastError();
    delete graph;
}

mpt_status prepare(mpt_mod_device *dev, const mpt_mod_call *call, mpt_mod_kernel **out, size_t *workspace_bytes_out, mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(dev->device.index());
        auto kernel = std::make_unique<mpt_mod_kernel>(mpt_mod_kernel{RegisteredKernel::find(call->kernel)(dev->device, *call), dev});
        *workspace_bytes_out = kernel->kernel->workspace_bytes;
        *out = kernel.release();
        return MPT_OK;
    });
}

mpt_status launch(mpt_mod_kernel *kernel, const void *const *in, void *const *out, void *workspace, void *stream, mpt_mod_error *error) {
    return guard(error, [&] {
        const CurrentDevice current(kernel->dev->device.index());
        kernel->kernel->launch(in, out, workspace, kernel->dev->stream(stream));
        return MPT_OK;
    });
}

void destroy(mpt_mod_kernel *kernel) {
    const CurrentDevice current(kernel->dev->device.index());
    delete kernel;
}

const char *name(const mpt_mod_kernel *kernel) {
    return kernel->kernel->name();
}

constexpr mpt_module kModule = {
    "cuda", 16, 1, open,   close,      describe, alloc,        release,      to_device,     to_host,
    synchronize, threads, stream, set_option, order, stream_create, stream_destroy, would_wait, graph_create, graph_launch, graph_destroy,
    {prepare, launch, destroy, name},
};

}  // namespace
}  // namespace mpt::cuda

extern "C" __attribute__((visibility("default"))) const mpt_module *MPT_MODULE_ENTRY(void) {
    return &mpt::cuda::kModule;
}
