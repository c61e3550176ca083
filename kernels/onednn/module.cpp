// libmpt_onednn.so: an accelerator of the CPU module. It answers for matrix products and convolutions in f32 and,
// on CPUs that multiply bf16 themselves, bf16; it refuses everything else, which the portable kernels then do.
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "kernel.h"
#include "one_thread.h"

struct mpt_mod_device {
    mpt::onednn::Device device;
};
struct mpt_mod_kernel {
    std::unique_ptr<mpt::onednn::Kernel> kernel;
};

namespace mpt::onednn {
namespace {

mpt_status report(mpt_mod_error *error, mpt_status status, const char *what, const char *detail) {
    if (error) std::snprintf(error->message, sizeof(error->message), "onednn: %s: %s", what, detail);
    return status;
}

// Runs f; what it throws becomes a status and a message.
template <class F>
mpt_status guarded(mpt_mod_error *error, const char *what, F &&f) {
    try {
        f();
        return MPT_OK;
    } catch (const Failure &e) {
        return report(error, e.status, what, e.message.c_str());
    } catch (const dnnl::error &e) {
        mpt_status status = MPT_ERROR_DEVICE;
        if (e.status == dnnl_out_of_memory) status = MPT_ERROR_MEMORY;
        if (e.status == dnnl_unimplemented || e.status == dnnl_invalid_arguments) status = MPT_ERROR_UNSUPPORTED;
        return report(error, status, what, e.message);
    } catch (const std::bad_alloc &) {
        return report(error, MPT_ERROR_MEMORY, what, "no memory");
    } catch (const std::exception &e) {
        return report(error, MPT_ERROR_INTERNAL, what, e.what());
    } catch (...) {
        return report(error, MPT_ERROR_INTERNAL, what, "an unknown exception");
    }
}

mpt_status open(const mpt_mod_threads *threads, mpt_mod_device **out, mpt_mod_error *error) {
    return guarded(error, "open", [&] {
        const dnnl_version_t *version = dnnl_version();
        if (version->major != DNNL_VERSION_MAJOR)
            throw Failure{MPT_ERROR_DEVICE, "the oneDNN found has another major version than the one built with"};
        if (version->cpu_runtime != DNNL_RUNTIME_OMP && version->cpu_runtime != DNNL_RUNTIME_SEQ)
            throw Failure{MPT_ERROR_DEVICE, "this oneDNN does not run on OpenMP, so its threads cannot be held to one"};
        const auto isa = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
        const auto bf16_isa = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
        auto made = std::make_unique<mpt_mod_device>();
        made->device.threads = *threads;
        made->device.engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
        made->device.bf16 = (isa & bf16_isa) == bf16_isa;
        made->device.description = "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                                   std::to_string(version->patch) + (made->device.bf16 ? ", f32 and bf16" : ", f32");
        *out = made.release();
    });
}

void close(mpt_mod_device *dev) {
    delete dev;
}

const char *describe(const mpt_mod_device *dev) {
    return dev->device.description.c_str();
}

using Prepare = std::unique_ptr<Kernel> (*)(const Device &device, const mpt_mod_call &call);
struct Entry {
    const char *kernel;
    Prepare prepare;
};
constexpr Entry table[] = {
    {"matmul", prepare_matmul},
    {"conv2d", prepare_conv2d},
    {"conv2d_dgrad", prepare_conv2d_dgrad},
    {"conv2d_wgrad", prepare_conv2d_wgrad},
};

mpt_status prepare(mpt_mod_device *dev, const mpt_mod_call *call, mpt_mod_kernel **out, size_t *workspace_bytes_out,
                   mpt_mod_error *error) {
    for (const Entry &entry : table) {
        if (std::strcmp(entry.kernel, call->kernel) != 0) continue;
        return guarded(error, call->kernel, [&] {
            const OneThread one_thread;
            auto made = std::make_unique<mpt_mod_kernel>();
            made->kernel = entry.prepare(dev->device, *call);
            *workspace_bytes_out = made->kernel->workspace_bytes;
            *out = made.release();
        });
    }
    return report(error, MPT_ERROR_UNSUPPORTED, call->kernel, "not a kernel of this accelerator");
}

mpt_status launch(mpt_mod_kernel *kernel, const void *const *in, void *const *out, void *workspace, void *, mpt_mod_error *error) {
    return guarded(error, "launch", [&] { kernel->kernel->launch(in, out, workspace); });
}

void destroy(mpt_mod_kernel *kernel) {
    delete kernel;
}

const char *name(const mpt_mod_kernel *kernel) {
    return kernel->kernel->name.c_str();
}

}  // namespace
}  // namespace mpt::onednn

extern "C" __attribute__((visibility("default"))) const mpt_accelerator *MPT_ACCELERATOR_ENTRY(void) {
    using namespace mpt::onednn;
    static const mpt_accelerator accelerator = {"onednn", open, close, describe, {prepare, launch, destroy, name}};
    return &accelerator;
}
