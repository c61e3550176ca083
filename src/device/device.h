// An opened device: its module, its accelerator where there is one, and the cache of its prepared kernels.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/object.h"
#include "device/module.h"

namespace mpt {

// A call of a kernel without addresses, owning its operands' forms.
struct KernelCall {
    const char *kernel;
    std::vector<mpt_mod_operand> in, out;
    const void *attrs = nullptr;
    std::size_t attrs_bytes = 0;
};

// Algorithm, descriptors and workspace size are decided; addresses come with the launch.
class Kernel final : public Object {
public:
    Kernel(const mpt_mod_kernels &table, mpt_mod_kernel *handle, std::size_t workspace_bytes)
        : table_(table), handle_(handle), workspace_bytes_(workspace_bytes) {}
    ~Kernel() override { table_.destroy(handle_); }
    void launch(const void *const *in, void *const *out, void *workspace, void *stream) const;
    const char *name() const { return table_.name(handle_); }
    std::size_t workspace_bytes() const { return workspace_bytes_; }

private:
    const mpt_mod_kernels &table_;
    mpt_mod_kernel *handle_;
    std::size_t workspace_bytes_;
};

// A stream beside the context's.
class Stream final : public Object {
public:
    Stream(const mpt_module &module, mpt_mod_device *device, void *handle) : module_(module), device_(device), handle_(handle) {}
    ~Stream() override { module_.stream_destroy(device_, handle_); }
    void *handle() const { return handle_; }

private:
    const mpt_module &module_;
    mpt_mod_device *device_;
    void *handle_;
};

// A sequence of launches that the device runs as one.
class Graph final : public Object {
public:
    Graph(const mpt_module &module, mpt_mod_device *device, mpt_mod_graph *handle) : module_(module), device_(device), handle_(handle) {}
    ~Graph() override { module_.graph_destroy(handle_); }
    bool launch(void *stream) const;  // false: the stream takes single launches only

private:
    const mpt_module &module_;
    mpt_mod_device *device_;
    mpt_mod_graph *handle_;
};

class Device {
public:
    // Opens the module of a kind beside libmpt. MPT_ERROR_DEVICE says why it cannot be used.
    static std::shared_ptr<Device> open(mpt_device kind, int index, int threads);
    ~Device();

    mpt_device kind() const { return kind_; }
    int threads() const;
    std::int64_t row_bytes() const { return module_->row_bytes; }  // of a product's result: see device/module.h
    bool channels_last() const { return module_->channels_last != 0; }  // of a filter: likewise
    std::string describe() const;
    void *alloc(std::size_t nbytes, void *stream) { return module_->alloc(handle_, nbytes, stream); }
    void free(void *ptr, std::size_t nbytes, void *stream) { module_->free(handle_, ptr, nbytes, stream); }
    void to_device(void *dst, const void *src, std::size_t nbytes, void *stream);
    void to_host(void *dst, const void *src, std::size_t nbytes, void *stream);
    void synchronize(void *stream);
    bool has_streams() const { return module_->stream != nullptr; }
    void *own_stream() const { return has_streams() ? module_->stream(handle_) : nullptr; }
    void order(void *first, void *then);  // of two streams
    Ref<Stream> new_stream();             // where has_streams()
    // Whether the host would wait for what is on the stream: see device/module.h.
    bool would_wait(const void *src, std::size_t nbytes, void *stream) const {
        return has_streams() && module_->would_wait(handle_, src, nbytes, stream) != 0;
    }
    // What enqueue launches on the stream that it is given, as one. None where the device has no such thing.
    Ref<Graph> graph(const std::function<void(void *stream)> &enqueue);
    // "onednn", or a knob of the device's module; for kernels prepared from then on.
    void set_option(const std::string &key, const std::string &value);

    // The kernel for a call, from the cache where it was prepared before.
    Ref<Kernel> prepare(const KernelCall &call);
    // The same for what a device may lack: null where it does.
    Ref<Kernel> try_prepare(const KernelCall &call);
    void set_forked() { forked_ = true; }  // closes without waiting for threads that this process does not have
    bool has_accelerator() const { return accelerator_ != nullptr; }
    // Why there is no accelerator; "" when there is one.
    const std::string &accelerator_missing() const { return accelerator_missing_; }

private:
    Device() = default;
    void open_accelerator();
    void remember(std::string key, const Ref<Kernel> &kernel);

    mpt_device kind_ = MPT_DEVICE_CPU;
    const mpt_module *module_ = nullptr;
    mpt_mod_device *handle_ = nullptr;
    const mpt_accelerator *accelerator_ = nullptr;
    mpt_mod_device *accelerator_handle_ = nullptr;
    std::string accelerator_missing_;
    bool accelerator_on_ = true;
    bool forked_ = false;
    std::unordered_map<std::string, Ref<Kernel>> cache_;  // null: tried, and refused
};

}  // namespace mpt
