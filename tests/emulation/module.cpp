// The CUDA module without a GPU: its memory is the host's, its kernels are those that are emulated, and what else is asked for the
// CPU module does, so that a test of one kernel finds all others.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/kernel.h"
#include "kernel.h"

namespace mpt::cuda {

void check(cudaError_t error, const char *what) {
    if (error != cudaSuccess) throw Failure{MPT_ERROR_DEVICE, what};
}
void check_launch(const char *) {}
class Cudnn {};
class Tuner {};
Device::Device(int index) : index_(index), multiprocessors_(132), capability_(90), text_("emulated") {}
Device::~Device() = default;

}  // namespace mpt::cuda

// What kernels ask the runtime for when they are prepared or launched.
extern "C" {
cudaError_t cudaMemsetAsync(void *at, int value, std::size_t nbytes, cudaStream_t) {
    std::memset(at, value, nbytes);
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr, int) {
    *value = 227 << 10;  // shared memory of a block: nothing else is asked for
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int *device) {
    *device = 0;
    return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void *, cudaFuncAttribute, int) {
    return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *attributes, const void *) {
    *attributes = {};
    return cudaSuccess;
}
}

struct mpt_mod_device {
    mpt::cuda::Device device{0};
    mpt_mod_device *cpu = nullptr;
};
struct mpt_mod_kernel {
    std::unique_ptr<mpt::cuda::Kernel> emulated;  // or the CPU's:
    mpt_mod_kernel *cpu = nullptr;
};

namespace {

using mpt::kernels::guard;

const mpt_module &cpu() {
    static const mpt_module &module = [&]() -> const mpt_module & {
        Dl_info here;
        if (!dladdr(reinterpret_cast<const void *>(cpu), &here)) throw std::runtime_error("dladdr");
        const std::string path = here.dli_fname;
        void *library = dlopen((path.substr(0, path.rfind('/') + 1) + "libmpt_cpu.so").c_str(), RTLD_NOW);
        if (!library) throw std::runtime_error(dlerror());
        return *reinterpret_cast<mpt_module_entry_fn>(dlsym(library, MPT_MODULE_ENTRY_NAME))();
    }();
    return module;
}

mpt_status open(const mpt_mod_device_desc *, mpt_mod_device **out, mpt_mod_error *error) {
    auto device = std::make_unique<mpt_mod_device>();
    const mpt_mod_device_desc desc{0, 2};
    const mpt_status status = cpu().open(&desc, &device->cpu, error);
    if (status == MPT_OK) *out = device.release();
    return status;
}
void close(mpt_mod_device *device, std::int32_t forked) {
    cpu().close(device->cpu, forked);
    delete device;
}
const char *describe(const mpt_mod_device *) {
    return "a GPU, emulated";
}
void *alloc(mpt_mod_device *device, std::size_t nbytes, void *) {
    return cpu().alloc(device->cpu, nbytes, nullptr);
}
void release(mpt_mod_device *device, void *at, std::size_t nbytes, void *) {
    cpu().free(device->cpu, at, nbytes, nullptr);
}
mpt_status transfer(mpt_mod_device *device, void *to, const void *from, std::size_t nbytes, void *, mpt_mod_error *error) {
    return cpu().to_device(device->cpu, to, from, nbytes, nullptr, error);
}
mpt_status synchronize(mpt_mod_device *, void *, mpt_mod_error *) {
    return MPT_OK;
}
const mpt_mod_threads *threads(mpt_mod_device *) {
    return nullptr;
}

// Of a kernel that is emulated, null of any other.
mpt::cuda::Prepare find(const char *kernel) {
    try {
        return mpt::cuda::RegisteredKernel::find(kernel);
    } catch (const mpt::kernels::Failure &) {
        return nullptr;
    }
}

mpt_status prepare(mpt_mod_device *device, const mpt_mod_call *call, mpt_mod_kernel **out, std::size_t *workspace,
                   mpt_mod_error *error) {
    auto kernel = std::make_unique<mpt_mod_kernel>();
    const mpt::cuda::Prepare own = find(call->kernel);
    const mpt_status status = own ? guard(error,
                                          [&] {
                                              kernel->emulated = own(device->device, *call);
                                              *workspace = kernel->emulated->workspace_bytes;
                                              return MPT_OK;
                                          })
                                  : cpu().kernels.prepare(device->cpu, call, &kernel->cpu, workspace, error);
    if (status == MPT_OK) *out = kernel.release();
    return status;
}

mpt_status launch(mpt_mod_kernel *kernel, const void *const *in, void *const *out, void *workspace, void *, mpt_mod_error *error) {
    if (kernel->cpu) return cpu().kernels.launch(kernel->cpu, in, out, workspace, nullptr, error);
    return guard(error, [&] {
        // A kernel finds no number in its workspace, and writes nothing behind it.
        constexpr std::size_t kBehind = 64;
        const std::size_t nbytes = kernel->emulated->workspace_bytes;
        std::vector<char> bytes(nbytes + MPT_MOD_ALIGNMENT + kBehind, static_cast<char>(0xff));
        char *const at = bytes.data() + (MPT_MOD_ALIGNMENT - reinterpret_cast<std::uintptr_t>(bytes.data()) % MPT_MOD_ALIGNMENT);
        kernel->emulated->launch(in, out, nbytes ? at : nullptr, nullptr);
        for (std::size_t i = 0; i < kBehind; ++i)
            if (at[nbytes + i] != static_cast<char>(0xff)) {
                std::fprintf(stderr, "emulation: %s has written behind its workspace\n", kernel->emulated->name());
                std::abort();
            }
        return MPT_OK;
    });
}

void destroy(mpt_mod_kernel *kernel) {
    if (kernel->cpu) cpu().kernels.destroy(kernel->cpu);
    delete kernel;
}
const char *name(const mpt_mod_kernel *kernel) {
    return kernel->cpu ? cpu().kernels.name(kernel->cpu) : kernel->emulated->name();
}

const mpt_module &module() {
    static const mpt_module table = [] {
        mpt_module m = {};
        m.name = "cuda";
        m.row_bytes = 16;
        m.channels_last = 1;
        m.open = open;
        m.close = close;
        m.describe = describe;
        m.alloc = alloc;
        m.free = release;
        m.to_device = m.to_host = transfer;
        m.synchronize = synchronize;
        m.threads = threads;
        m.kernels = {prepare, launch, destroy, name};
        return m;
    }();
    return table;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const mpt_module *MPT_MODULE_ENTRY(void) {
    return &module();
}
