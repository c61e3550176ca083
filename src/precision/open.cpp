#include "precision/open.h"

#include "core/error.h"
#include "engine/decode.h"
#include "engine/node.h"
#include "engine/sink.h"
#include "ops/ops.h"
#include "precision/autocast.h"

namespace mpt {

namespace {

void *MPT_CALL device_alloc(std::size_t nbytes, void *stream, void *user_data) {
    Device &device = *static_cast<Device *>(user_data);
    void *ptr = device.alloc(nbytes, stream);
    if (!ptr) device.synchronize(stream);  // throws where it is not for want of memory: the device is lost, the stream is being captured
    return ptr;
}
void MPT_CALL device_free(void *ptr, std::size_t nbytes, void *stream, void *device) { static_cast<Device *>(device)->free(ptr, nbytes, stream); }

std::shared_ptr<Device> open_device(const mpt_context_desc &desc) {
    if (desc.device != MPT_DEVICE_AUTO) return Device::open(desc.device, desc.device_index, desc.threads);
    try {
        return Device::open(MPT_DEVICE_CUDA, desc.device_index, 0);
    } catch (const Error &error) {
        if (desc.log && desc.log_level >= MPT_LOG_INFO)
            desc.log(MPT_LOG_INFO, ("MPT_DEVICE_AUTO takes the CPU: " + error.message).c_str(), desc.log_user_data);
        return Device::open(MPT_DEVICE_CPU, 0, desc.threads);
    }
}

}  // namespace

Ref<Context> open_context(const mpt_context_desc &desc) {
    Ref<Context> ctx = make<Context>();
    ctx->desc = desc;
    ctx->device = open_device(desc);
    ctx->memory.alloc = desc.alloc ? desc.alloc : device_alloc;
    ctx->memory.free = desc.alloc ? desc.free : device_free;
    ctx->memory.user_data = desc.alloc ? desc.alloc_user_data : ctx->device.get();
    ctx->run = std::make_shared<Sink>(*ctx, true);
    ctx->top = std::make_shared<Autocast>(*ctx, std::make_shared<Autograd>(*ctx, std::make_shared<Decode>(*ctx, std::make_shared<Sink>(*ctx, false))));
    ctx->random = make<Storage>(*ctx, 2 * sizeof(std::int64_t), true);
    ops::seed(*ctx, desc.seed);
    ctx->log(MPT_LOG_INFO, ctx->device->describe().c_str());
    if (ctx->device->kind() == MPT_DEVICE_CPU && !ctx->device->has_accelerator())
        ctx->log(MPT_LOG_INFO, ("products run on portable kernels: " + ctx->device->accelerator_missing()).c_str());
    return ctx;
}

}  // namespace mpt
