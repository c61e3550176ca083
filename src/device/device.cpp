#include "device/device.h"

#include <cstdio>

#include "core/error.h"
#include "device/library.h"

namespace mpt {

namespace {

void check(mpt_status status, const mpt_mod_error &error) {
    if (status != MPT_OK) fail(status, error.message);
}

struct ModuleFile {
    mpt_device kind;
    const char *name, *file;
};
constexpr ModuleFile kModules[] = {{MPT_DEVICE_CPU, "CPU", "libmpt_cpu.so"}, {MPT_DEVICE_CUDA, "CUDA", "libmpt_cuda.so"}};
constexpr const char *kAccelerator = "libmpt_onednn.so";
constexpr std::size_t kMaxCachedKernels = 4096;  // shapes that never come again must not pile up

template <class T>
void append(std::string &key, const T &value) {
    key.append(reinterpret_cast<const char *>(&value), sizeof value);
}

void append(std::string &key, const std::vector<mpt_mod_operand> &operands) {
    for (const mpt_mod_operand &o : operands) {
        append(key, o.dtype);
        append(key, o.ndim);
        key.append(reinterpret_cast<const char *>(o.shape), sizeof(std::int64_t) * static_cast<std::size_t>(o.ndim));
        key.append(reinterpret_cast<const char *>(o.strides), sizeof(std::int64_t) * static_cast<std::size_t>(o.ndim));
    }
}

// Kernel names are static strings, one per op, so the address would do; the text is safer and hardly longer.
std::string key_of(const KernelCall &call) {
    std::string key = call.kernel;
    key.push_back('\0');
    append(key, static_cast<std::uint32_t>(call.in.size()));
    key.append(static_cast<const char *>(call.attrs), call.attrs_bytes);
    append(key, call.in);
    append(key, call.out);
    return key;
}

}  // namespace

void Kernel::launch(const void *const *in, void *const *out, void *workspace, void *stream) const {
    mpt_mod_error error = {};
    check(table_.launch(handle_, in, out, workspace, stream, &error), error);
}

bool Graph::launch(void *stream) const {
    mpt_mod_error error = {};
    const mpt_status status = module_.graph_launch(device_, handle_, stream, &error);
    if (status == MPT_ERROR_UNSUPPORTED) return false;
    check(status, error);
    return true;
}

std::shared_ptr<Device> Device::open(mpt_device kind, int index, int threads) {
    for (const ModuleFile &m : kModules) {
        if (m.kind != kind) continue;
        std::string why;
        void *entry = open_symbol(m.file, MPT_MODULE_ENTRY_NAME, why);
        if (!entry)
            fail(MPT_ERROR_DEVICE, "the ", m.name, " module cannot be used: ", why, "; install ", m.file, " beside libmpt.so");
        std::shared_ptr<Device> device(new Device);
        device->kind_ = kind;
        device->module_ = reinterpret_cast<mpt_module_entry_fn>(entry)();
        const mpt_mod_device_desc desc = {index, threads};
        mpt_mod_error error = {};
        check(device->module_->open(&desc, &device->handle_, &error), error);
        if (kind == MPT_DEVICE_CPU) device->open_accelerator();
        return device;
    }
    fail(MPT_ERROR_ARGUMENT, "argument 'desc': device ", static_cast<int>(kind), " is none of mpt_device");
}

void Device::open_accelerator() {
    void *entry = open_symbol(kAccelerator, MPT_ACCELERATOR_ENTRY_NAME, accelerator_missing_);
    if (!entry) return;
    const auto *accelerator = reinterpret_cast<mpt_accelerator_entry_fn>(entry)();
    mpt_mod_error error = {};
    const mpt_status status = accelerator->open(module_->threads(handle_), &accelerator_handle_, &error);
    if (status == MPT_OK)
        accelerator_ = accelerator;
    else if (status == MPT_ERROR_MEMORY)  // a context must not compute otherwise for that
        check(status, error);
    else
        accelerator_missing_ = error.message;
}

Device::~Device() {
    cache_.clear();
    if (accelerator_ && !forked_) accelerator_->close(accelerator_handle_);
    if (handle_) module_->close(handle_, forked_ ? 1 : 0);
}

int Device::threads() const {
    const mpt_mod_threads *threads = module_->threads(handle_);
    return threads ? threads->count : 1;
}

std::string Device::describe() const {
    std::string text = module_->describe(handle_);
    if (accelerator_) text += std::string("; ") + accelerator_->describe(accelerator_handle_) + (accelerator_on_ ? "" : " (off)");
    return text;
}

void Device::to_device(void *dst, const void *src, std::size_t nbytes, void *stream) {
    mpt_mod_error error = {};
    check(module_->to_device(handle_, dst, src, nbytes, stream, &error), error);
}

void Device::to_host(void *dst, const void *src, std::size_t nbytes, void *stream) {
    mpt_mod_error error = {};
    check(module_->to_host(handle_, dst, src, nbytes, stream, &error), error);
}

void Device::synchronize(void *stream) {
    mpt_mod_error error = {};
    check(module_->synchronize(handle_, stream, &error), error);
}

void Device::order(void *first, void *then) {
    mpt_mod_error error = {};
    check(module_->order(handle_, first, then, &error), error);
}

Ref<Stream> Device::new_stream() {
    void *handle = nullptr;
    mpt_mod_error error = {};
    check(module_->stream_create(handle_, &handle, &error), error);
    try {
        return make<Stream>(*module_, handle_, handle);
    } catch (...) {
        module_->stream_destroy(handle_, handle);
        throw;
    }
}

Ref<Graph> Device::graph(const std::function<void(void *stream)> &enqueue) {
    if (!module_->graph_create) return nullptr;
    mpt_mod_graph *handle = nullptr;
    mpt_mod_error error = {};
    const auto call = [](void *stream, void *user, mpt_mod_error *e) noexcept {
        try {
            (*static_cast<const std::function<void(void *)> *>(user))(stream);
            return MPT_OK;
        } catch (const Error &failure) {
            std::snprintf(e->message, sizeof e->message, "%s", failure.message.c_str());
            return failure.status;
        } catch (...) {
            return MPT_ERROR_MEMORY;
        }
    };
    check(module_->graph_create(handle_, call, const_cast<std::function<void(void *)> *>(&enqueue), &handle, &error), error);
    try {
        return make<Graph>(*module_, handle_, handle);
    } catch (...) {
        module_->graph_destroy(handle);
        throw;
    }
}

void Device::set_option(const std::string &key, const std::string &value) {
    if (key == "onednn" && kind_ == MPT_DEVICE_CPU) {
        if (value != "on" && value != "off") fail(MPT_ERROR_ARGUMENT, "argument 'value' is '", value, "': 'onednn' is 'on' or 'off'");
        accelerator_on_ = value == "on";
    } else if (module_->set_option) {
        mpt_mod_error error = {};
        check(module_->set_option(handle_, key.c_str(), value.c_str(), &error), error);
    } else {
        fail(MPT_ERROR_NOT_FOUND, "argument 'key' is '", key, "': there are 'fusion' and, on the CPU, 'onednn'");
    }
    cache_.clear();  // programs keep the kernels that they hold
}

Ref<Kernel> Device::prepare(const KernelCall &call) {
    std::string key = key_of(call);
    auto found = cache_.find(key);
    if (found != cache_.end() && found->second) return found->second;

    const mpt_mod_call plain = {call.kernel,
                                call.in.data(),
                                call.out.data(),
                                static_cast<std::int32_t>(call.in.size()),
                                static_cast<std::int32_t>(call.out.size()),
                                call.attrs,
                                call.attrs_bytes};
    const mpt_mod_kernels *table = nullptr;
    mpt_mod_kernel *handle = nullptr;
    std::size_t workspace = 0;
    mpt_mod_error error = {};
    if (accelerator_ && accelerator_on_) {
        const mpt_status status = accelerator_->kernels.prepare(accelerator_handle_, &plain, &handle, &workspace, &error);
        if (status == MPT_OK)
            table = &accelerator_->kernels;
        else if (status == MPT_ERROR_MEMORY)  // anything else: the portable kernel runs
            check(status, error);
    }
    if (!table) {
        check(module_->kernels.prepare(handle_, &plain, &handle, &workspace, &error), error);
        table = &module_->kernels;
    }
    Ref<Kernel> kernel;
    try {
        kernel = make<Kernel>(*table, handle, workspace);
    } catch (...) {
        table->destroy(handle);
        throw;
    }
    remember(std::move(key), kernel);
    return kernel;
}

void Device::remember(std::string key, const Ref<Kernel> &kernel) {
    if (cache_.size() >= kMaxCachedKernels) cache_.clear();
    cache_.insert_or_assign(std::move(key), kernel);
}

Ref<Kernel> Device::try_prepare(const KernelCall &call) {
    std::string key = key_of(call);
    auto found = cache_.find(key);
    if (found != cache_.end()) return found->second;
    try {
        return prepare(call);
    } catch (const Error &error) {
        if (error.status != MPT_ERROR_UNSUPPORTED) throw;
    }
    remember(std::move(key), nullptr);
    return nullptr;
}

}  // namespace mpt
