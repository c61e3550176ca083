// The module's table: the CPU device.
#include <sched.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "device/float_env.h"
#include "gemm.h"
#include "kernel.h"

struct mpt_mod_device {
    explicit mpt_mod_device(int threads) : pool(threads) {
        lent = {&pool, pool.threads(), [](void *p, std::int32_t parts, mpt_mod_body body, void *arg) {
                    static_cast<mpt::cpu::Pool *>(p)->run(parts, body, arg);
                }};
        text = "CPU, " + std::to_string(pool.threads()) + (pool.threads() == 1 ? " thread" : " threads") + ", portable kernels (" +
               mpt::cpu::gemm_isa() + ")";
    }
    mpt::cpu::Pool pool;
    mpt_mod_threads lent;
    std::string text;
};

struct mpt_mod_kernel {
    std::unique_ptr<mpt::cpu::Kernel> kernel;
};

namespace mpt::cpu {
namespace {

using kernels::guard;

int cores() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::max(1, CPU_COUNT(&set));
}

mpt_status open(const mpt_mod_device_desc *desc, mpt_mod_device **out, mpt_mod_error *error) {
    return guard(error, [&] {
        if (desc->index != 0)
            throw Failure{MPT_ERROR_DEVICE, "device_index " + std::to_string(desc->index) + ": the CPU is device 0"};
        *out = new mpt_mod_device(desc->threads > 0 ? desc->threads : cores());
        return MPT_OK;
    });
}

void close(mpt_mod_device *dev, std::int32_t forked) {
    if (!dev) return;
    if (forked) dev->pool.abandon();
    delete dev;
}

const char *describe(const mpt_mod_device *dev) {
    return dev->text.c_str();
}

void *alloc(mpt_mod_device *, std::size_t nbytes, void *) {
    // aligned_alloc wants a multiple of the alignment; an empty tensor still needs an address of its own.
    const std::size_t rounded = (std::max<std::size_t>(nbytes, 1) + MPT_MOD_ALIGNMENT - 1) / MPT_MOD_ALIGNMENT * MPT_MOD_ALIGNMENT;
    return rounded < nbytes ? nullptr : std::aligned_alloc(MPT_MOD_ALIGNMENT, rounded);
}

void release(mpt_mod_device *, void *ptr, std::size_t, void *) {
    std::free(ptr);
}

mpt_status transfer(mpt_mod_device *, void *dst, const void *src, std::size_t nbytes, void *, mpt_mod_error *) {
    if (nbytes) std::memcpy(dst, src, nbytes);
    return MPT_OK;
}

mpt_status synchronize(mpt_mod_device *, void *, mpt_mod_error *) {
    return MPT_OK;
}

const mpt_mod_threads *threads(mpt_mod_device *dev) {
    return &dev->lent;
}

mpt_status prepare(mpt_mod_device *dev, const mpt_mod_call *call, mpt_mod_kernel **out, std::size_t *workspace_bytes_out,
                   mpt_mod_error *error) {
    return guard(error, [&] {
        auto kernel = std::make_unique<mpt_mod_kernel>(mpt_mod_kernel{RegisteredKernel::find(call->kernel)(dev->pool, *call)});
        *workspace_bytes_out = kernel->kernel->workspace_bytes;
        *out = kernel.release();
        return MPT_OK;
    });
}

mpt_status launch(mpt_mod_kernel *kernel, const void *const *in, void *const *out, void *workspace, void *, mpt_mod_error *error) {
    return guard(error, [&] {
        const FloatEnv env;
        kernel->kernel->launch(in, out, workspace);
        return MPT_OK;
    });
}

void destroy(mpt_mod_kernel *kernel) {
    delete kernel;
}

const char *name(const mpt_mod_kernel *kernel) {
    return kernel->kernel->name();
}

constexpr mpt_module kModule = {
    "cpu",   0,       0,       open,    close,   describe, alloc,   release, transfer, transfer, synchronize,
    threads, nullptr, nullptr, nullptr, nullptr, nullptr,  nullptr, nullptr, nullptr,  nullptr,  {prepare, launch, destroy, name},
};

}  // namespace
}  // namespace mpt::cpu

extern "C" __attribute__((visibility("default"))) const mpt_module *MPT_MODULE_ENTRY(void) {
    return &mpt::cpu::kModule;
}
