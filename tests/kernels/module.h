// A device module by itself: kernels prepared and launched through its table.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <new>
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

// There is no such module here, or no device for it.
struct Unavailable : std::runtime_error {
    using runtime_error::runtime_error;
};

class Module {
public:
    explicit Module(int threads = 1, const std::string &name = "cpu") {
        void *library = dlopen((MPT_TEST_MODULE_DIR "/libmpt_" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library) throw Unavailable(dlerror());
        const auto entry = reinterpret_cast<mpt_module_entry_fn>(dlsym(library, MPT_MODULE_ENTRY_NAME));
        if (!entry) throw std::runtime_error(dlerror());
        table_ = entry();
        const mpt_mod_device_desc desc{0, threads};
        if (table_->open(&desc, &device_, &error_) != MPT_OK) throw Unavailable(error_.message);
        stream_ = table_->stream ? table_->stream(device_) : nullptr;
    }
    ~Module() { table_->close(device_, 0); }
    Module(const Module &) = delete;
    Module &operator=(const Module &) = delete;

    // Of the device.
    class Memory {
    public:
        Memory(Module &module, std::size_t nbytes) : module_(module), nbytes_(nbytes) {
            if (nbytes > 0 && !(at_ = module.table_->alloc(module.device_, nbytes, module.stream_))) throw std::bad_alloc();
        }
        Memory(Module &module, const std::vector<std::uint16_t> &values) : Memory(module, values.size() * sizeof values[0]) {
            if (nbytes_ > 0)
                module.must(module.table_->to_device(module.device_, at_, values.data(), nbytes_, module.stream_, &module.error_));
        }
        ~Memory() {
            if (at_) module_.table_->free(module_.device_, at_, nbytes_, module_.stream_);
        }
        Memory(const Memory &) = delete;
        Memory &operator=(const Memory &) = delete;
        void *at() const { return at_; }
        std::vector<std::uint16_t> read() const {
            std::vector<std::uint16_t> values(nbytes_ / 2);
            if (nbytes_ > 0)
                module_.must(
                    module_.table_->to_host(module_.device_, values.data(), at_, nbytes_, module_.stream_, &module_.error_));
            return values;
        }

    private:
        Module &module_;
        std::size_t nbytes_;
        void *at_ = nullptr;
    };

    class Kernel {
    public:
        Kernel(Module &module, mpt_mod_kernel *kernel, std::size_t workspace)
            : module_(module), kernel_(kernel), workspace_(workspace) {}
        Kernel(const Kernel &) = delete;
        Kernel &operator=(const Kernel &) = delete;
        ~Kernel() { module_.table_->kernels.destroy(kernel_); }
        void launch(const std::vector<const void *> &in, const std::vector<void *> &out) {
            const Memory workspace(module_, workspace_);
            module_.must(
                module_.table_->kernels.launch(kernel_, in.data(), out.data(), workspace.at(), module_.stream_, &module_.error_));
        }

    private:
        Module &module_;
        mpt_mod_kernel *kernel_;
        std::size_t workspace_;
    };

    template <class Attrs>
    Kernel prepare(const char *name, const std::vector<mpt_mod_operand> &in, const std::vector<mpt_mod_operand> &out,
                   const Attrs &attrs) {
        const mpt_mod_call call{
            name,   in.data(),   out.data(), static_cast<std::int32_t>(in.size()), static_cast<std::int32_t>(out.size()),
            &attrs, sizeof attrs};
        mpt_mod_kernel *kernel = nullptr;
        std::size_t workspace = 0;
        must(table_->kernels.prepare(device_, &call, &kernel, &workspace, &error_));
        return {*this, kernel, workspace};
    }

private:
    void must(mpt_status status) {
        if (status != MPT_OK) throw std::runtime_error(error_.message);
    }

    const mpt_module *table_ = nullptr;
    mpt_mod_device *device_ = nullptr;
    void *stream_ = nullptr;
    mpt_mod_error error_ = {};
};

}  // namespace kernels
