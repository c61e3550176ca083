// What the tests need of the CUDA driver, found at run time: they are built without CUDA's headers.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace cuda {

using Address = unsigned long long;  // CUdeviceptr
using Stream = void *;

enum CaptureMode { kGlobal = 0, kThreadLocal = 1 };

// One GPU as the runtime library of the module sees it too: in its primary context.
class Driver {
public:
    // Makes the context of GPU 0 current on this thread. Throws where there is no driver: ask for a context of mpt first.
    Driver() {
        library_ = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
        if (!library_) throw std::runtime_error(dlerror());
        must(call<int>("cuInit", 0u), "cuInit");
        int device = 0;
        void *context = nullptr;
        must(call<int>("cuDeviceGet", &device, 0), "cuDeviceGet");
        must(call<int>("cuDevicePrimaryCtxRetain", &context, device), "cuDevicePrimaryCtxRetain");
        must(call<int>("cuCtxSetCurrent", context), "cuCtxSetCurrent");
    }

    // 0 where there is none.
    Address allocate(std::size_t nbytes) const {
        Address address = 0;
        return call<int>("cuMemAlloc_v2", &address, nbytes) == 0 ? address : 0;
    }
    void free(Address address) const { must(call<int>("cuMemFree_v2", address), "cuMemFree"); }
    std::size_t free_bytes() const {
        std::size_t free = 0, total = 0;
        must(call<int>("cuMemGetInfo_v2", &free, &total), "cuMemGetInfo");
        return free;
    }
    void to_device(Address to, const void *from, std::size_t nbytes) const {
        must(call<int>("cuMemcpyHtoD_v2", to, from, nbytes), "cuMemcpyHtoD");
    }
    void to_host(void *to, Address from, std::size_t nbytes) const {
        must(call<int>("cuMemcpyDtoH_v2", to, from, nbytes), "cuMemcpyDtoH");
    }
    void copy(Address to, Address from, std::size_t nbytes, Stream stream) const {
        must(call<int>("cuMemcpyDtoDAsync_v2", to, from, nbytes, stream), "cuMemcpyDtoDAsync");
    }
    void set(Address to, unsigned value, std::size_t count, Stream stream) const {
        must(call<int>("cuMemsetD32Async", to, value, count, stream), "cuMemsetD32Async");
    }
    void *pinned(std::size_t nbytes) const {
        void *memory = nullptr;
        must(call<int>("cuMemAllocHost_v2", &memory, nbytes), "cuMemAllocHost");
        return memory;
    }
    void free_pinned(void *memory) const { must(call<int>("cuMemFreeHost", memory), "cuMemFreeHost"); }
    int ordinal(Address address) const {
        int ordinal = -1;
        constexpr int kOrdinal = 9;  // CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL
        must(call<int>("cuPointerGetAttribute", &ordinal, kOrdinal, address), "cuPointerGetAttribute");
        return ordinal;
    }

    // One that does not wait for the default stream.
    Stream new_stream() const {
        Stream stream = nullptr;
        must(call<int>("cuStreamCreate", &stream, 1u), "cuStreamCreate");
        return stream;
    }
    void end(Stream stream) const { must(call<int>("cuStreamDestroy_v2", stream), "cuStreamDestroy"); }
    void wait(Stream stream) const { must(call<int>("cuStreamSynchronize", stream), "cuStreamSynchronize"); }
    // Whether something on it has not finished.
    bool busy(Stream stream) const {
        constexpr int kNotReady = 600;
        const int status = call<int>("cuStreamQuery", stream);
        if (status != kNotReady) must(status, "cuStreamQuery");
        return status == kNotReady;
    }
    // What comes on `then` from here on comes behind what is on `first` by now.
    void order(Stream first, Stream then) const {
        void *event = nullptr;
        must(call<int>("cuEventCreate", &event, 2u), "cuEventCreate");
        must(call<int>("cuEventRecord", event, first), "cuEventRecord");
        must(call<int>("cuStreamWaitEvent", then, event, 0u), "cuStreamWaitEvent");
        must(call<int>("cuEventDestroy_v2", event), "cuEventDestroy");
    }

    void begin_capture(Stream stream, CaptureMode mode) const {
        must(call<int>("cuStreamBeginCapture_v2", stream, static_cast<int>(mode)), "cuStreamBeginCapture");
    }
    // Ready to be launched.
    void *end_capture(Stream stream) const {
        void *graph = nullptr, *executable = nullptr;
        must(call<int>("cuStreamEndCapture", stream, &graph), "cuStreamEndCapture");
        must(call<int>("cuGraphInstantiateWithFlags", &executable, graph, 0ull), "cuGraphInstantiate");
        must(call<int>("cuGraphDestroy", graph), "cuGraphDestroy");
        return executable;
    }
    // Gives up a capture that has failed.
    void drop_capture(Stream stream) const {
        void *graph = nullptr;
        call<int>("cuStreamEndCapture", stream, &graph);
        if (graph) call<int>("cuGraphDestroy", graph);
    }
    void launch(void *executable, Stream stream) const { must(call<int>("cuGraphLaunch", executable, stream), "cuGraphLaunch"); }
    void end_graph(void *executable) const { must(call<int>("cuGraphExecDestroy", executable), "cuGraphExecDestroy"); }

    // The kernel of that name in a text of PTX.
    void *kernel(const char *ptx, const char *name) const {
        void *module = nullptr, *function = nullptr;
        must(call<int>("cuModuleLoadData", &module, ptx), "cuModuleLoadData");
        must(call<int>("cuModuleGetFunction", &function, module, name), "cuModuleGetFunction");
        return function;
    }
    // One thread of a kernel without parameters.
    void launch_kernel(void *function, Stream stream) const {
        constexpr unsigned one = 1, none = 0;
        void **const empty = nullptr;
        must(call<int>("cuLaunchKernel", function, one, one, one, one, one, one, none, stream, empty, empty), "cuLaunchKernel");
    }

private:
    // Arguments must have the very types that the driver declares: nothing converts them.
    template <class R, class... Args>
    R call(const char *name, Args... args) const {
        auto *function = reinterpret_cast<R (*)(Args...)>(dlsym(library_, name));
        if (!function) throw std::runtime_error(std::string("libcuda.so.1 has no ") + name);
        return function(args...);
    }
    void must(int status, const char *name) const {
        if (status != 0) throw std::runtime_error(std::string(name) + " returned CUDA error " + std::to_string(status));
    }

    void *library_ = nullptr;
};

}  // namespace cuda
