// The CPU module by itself: kernels prepared and launched through its table.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "device/module.h"

namespace kernels {

inline mpt_mod_operand operand(mpt_dtype dtype, const std::vector<std::int64_t> &shape = {}) {
    mpt_mod_operand x = {};
    x.dtype = dtype;
    x.ndim = static_cast<std::int32_t>(shape.size());
    std::int64_t stride = 1;
    for (int d = x.ndim - 1; d >= 0; --d) {
        x.shape[d] = shape[static_cast<std::size_t>(d)];
        x.strides[d] = stride;
        stride *= x.shape[d];
    }
    return x;
}

class Module {
public:
    explicit Module(int threads = 1) {
        void *library = dlopen(MPT_TEST_MODULE_DIR "/libmpt_cpu.so", RTLD_NOW | RTLD_LOCAL);
        if (!library) throw std::runtime_error(dlerror());
        const auto entry = reinterpret_cast<mpt_module_entry_fn>(dlsym(library, MPT_MODULE_ENTRY_NAME));
        if (!entry) throw std::runtime_error(dlerror());
        table_ = entry();
        const mpt_mod_device_desc desc{0, threads};
        must(table_->open(&desc, &device_, &error_));
    }
    ~Module() { table_->close(device_, 0); }
    Module(const Module &) = delete;
    Module &operator=(const Module &) = delete;

    class Kernel {
    public:
        Kernel(Module &module, mpt_mod_kernel *kernel) : module_(module), kernel_(kernel) {}
        Kernel(const Kernel &) = delete;
        Kernel &operator=(const Kernel &) = delete;
        ~Kernel() { module_.table_->kernels.destroy(kernel_); }
        void launch(const std::vector<const void *> &in, const std::vector<void *> &out) {
            module_.must(module_.table_->kernels.launch(kernel_, in.data(), out.data(), nullptr, nullptr, &module_.error_));
        }

    private:
        Module &module_;
        mpt_mod_kernel *kernel_;
    };

    // A kernel that needs no workspace.
    template <class Attrs>
    Kernel prepare(const char *name, const std::vector<mpt_mod_operand> &in, const std::vector<mpt_mod_operand> &out,
                   const Attrs &attrs) {
        const mpt_mod_call call{
            name,   in.data(),   out.data(), static_cast<std::int32_t>(in.size()), static_cast<std::int32_t>(out.size()),
            &attrs, sizeof attrs};
        mpt_mod_kernel *kernel = nullptr;
        std::size_t workspace = 0;
        must(table_->kernels.prepare(device_, &call, &kernel, &workspace, &error_));
        if (workspace != 0) throw std::runtime_error("a workspace is needed");
        return {*this, kernel};
    }

private:
    void must(mpt_status status) {
        if (status != MPT_OK) throw std::runtime_error(error_.message);
    }

    const mpt_module *table_ = nullptr;
    mpt_mod_device *device_ = nullptr;
    mpt_mod_error error_ = {};
};

}  // namespace kernels
