// DLPack, by the public description of its C interface [dmlc.github.io/dlpack/latest/c_api.html]: the structs of version 1.1, and the one
// of the time before versions.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "api/guard.h"
#include "api/wrap.h"
#include "device/device.h"

namespace {

struct DLDevice {
    std::int32_t type, id;
};
struct DLDataType {
    std::uint8_t code, bits;
    std::uint16_t lanes;
};
struct DLTensor {
    void *data;
    DLDevice device;
    std::int32_t ndim;
    DLDataType dtype;
    std::int64_t *shape, *strides;
    std::uint64_t byte_offset;
};

}  // namespace

struct DLManagedTensor {
    DLTensor tensor;
    void *manager;
    void (*deleter)(DLManagedTensor *self);
};
struct DLManagedTensorVersioned {
    std::uint32_t major, minor;
    void *manager;
    void (*deleter)(DLManagedTensorVersioned *self);
    std::uint64_t flags;
    DLTensor tensor;
};

using namespace mpt;

namespace {

enum : std::int32_t { kCpu = 1, kCuda = 2, kCudaHost = 3, kCudaManaged = 13 };
constexpr std::uint64_t kReadOnly = 1;

struct Code {
    mpt_dtype dtype;
    std::uint8_t code, bits;
};
constexpr Code kCodes[] = {{MPT_F64, 2, 64}, {MPT_F32, 2, 32}, {MPT_F16, 2, 16}, {MPT_BF16, 4, 16}, {MPT_F8E4M3, 10, 8}, {MPT_F8E5M2, 12, 8},
                           {MPT_I8, 0, 8},   {MPT_I16, 0, 16}, {MPT_I32, 0, 32}, {MPT_I64, 0, 64},  {MPT_U8, 1, 8},      {MPT_BOOL, 6, 8}};

void need_stream(const Context &ctx, void *stream) {
    if (stream && !ctx.device->has_streams())
        fail(MPT_ERROR_ARGUMENT, "argument 'stream' is ", stream, ", but the CPU has no streams: give NULL, or a context on a GPU");
}

// ---- out ----

template <class Managed>
struct Export {
    Managed managed = {};
    Dims shape, strides;
    Ref<Tensor> tensor;
};

void set_version(DLManagedTensor &) {}
void set_version(DLManagedTensorVersioned &managed) { managed.major = managed.minor = 1; }

template <class Managed>
void give(Context &ctx, mpt_tensor *tensor, void *stream, Managed **out) {
    api::need(out, "out");
    api::need_outside_capture(ctx, "exchange it before mpt_capture_begin or after mpt_program_run");
    const Ref<Tensor> t = api::tensor(ctx, tensor, "tensor");
    t->storage->require_ready("tensor");
    if (t->inverse_scale)
        fail(MPT_ERROR_UNSUPPORTED, "argument 'tensor' is ", dtype_name(t->dtype), " with a scale, which DLPack cannot say: use mpt_cast to another type first");
    need_stream(ctx, stream);
    auto made = std::make_unique<Export<Managed>>();
    made->shape = t->shape;
    made->strides = t->strides;
    DLTensor &d = made->managed.tensor;
    d.data = t->data();
    const bool gpu = ctx.device->kind() == MPT_DEVICE_CUDA;
    d.device = {gpu ? kCuda : kCpu, gpu ? ctx.desc.device_index : 0};
    d.ndim = t->shape.n;
    for (const Code &code : kCodes)
        if (code.dtype == t->dtype) d.dtype = {code.code, code.bits, 1};
    d.shape = &made->shape[0];
    d.strides = &made->strides[0];
    set_version(made->managed);
    made->managed.manager = made.get();
    made->managed.deleter = [](Managed *self) { delete static_cast<Export<Managed> *>(self->manager); };
    if (stream) ctx.device->order(ctx.stream(), stream);
    made->tensor = t;
    *out = &made.release()->managed;
}

// ---- in ----

void check_version(const DLManagedTensor &) {}
void check_version(const DLManagedTensorVersioned &managed) {
    if (managed.major != 1)
        fail(MPT_ERROR_UNSUPPORTED, "argument 'managed' has DLPack version ", managed.major, ".", managed.minor, ", but mpt knows 1: ask the producer for max_version (1, 1)");
    if (managed.flags & kReadOnly)
        fail(MPT_ERROR_ARGUMENT, "argument 'managed' has flags ", managed.flags, ", so that its memory is read-only: make a tensor with mpt_tensor_create and copy with mpt_tensor_write");
}

mpt_dtype dtype_of(const DLDataType &type) {
    for (const Code &code : kCodes)
        if (code.code == type.code && code.bits == type.bits && type.lanes == 1) return code.dtype;
    fail(MPT_ERROR_DTYPE, "argument 'managed' has type code ", static_cast<int>(type.code), " with ", static_cast<int>(type.bits), " bits and ", type.lanes,
         " lanes, which is none of mpt_dtype: convert it first");
}

void check_device(const Context &ctx, const DLDevice &device) {
    const bool gpu = ctx.device->kind() == MPT_DEVICE_CUDA;
    const bool fits = gpu ? (device.type == kCuda && device.id == ctx.desc.device_index) || device.type == kCudaManaged
                          : device.type == kCpu || device.type == kCudaHost || device.type == kCudaManaged;
    if (!fits)
        fail(MPT_ERROR_CONTEXT, "argument 'managed' is on DLPack device (", device.type, ", ", device.id, "), but the context on (", gpu ? kCuda : kCpu, ", ",
             gpu ? ctx.desc.device_index : 0, "): use a context there, or copy with mpt_tensor_write");
}

template <class Managed>
void take(Context &ctx, Managed *managed, void *stream, mpt_tensor **out) {
    api::need(managed, "managed");
    api::need(out, "out");
    api::need_outside_capture(ctx, "exchange it before mpt_capture_begin");
    check_version(*managed);
    const DLTensor &d = managed->tensor;
    const mpt_dtype dtype = dtype_of(d.dtype);
    check_device(ctx, d.device);
    need_stream(ctx, stream);
    api::about("argument 'managed'", [&] {
        const Dims extents = api::dims(d.ndim, d.shape, "ndim", "shape");
        checked_bytes(extents, dtype, "argument 'shape'");
        const Dims steps = d.strides ? api::dims(d.ndim, d.strides, "ndim", "strides") : contiguous(extents);
        const std::size_t nbytes = api::reach(dtype, extents, steps);
        if (nbytes > 0) api::need(d.data, "data");
        void *data = d.data ? static_cast<char *>(d.data) + d.byte_offset : nullptr;
        const auto release = [](void *, void *self) {
            if (static_cast<Managed *>(self)->deleter) static_cast<Managed *>(self)->deleter(static_cast<Managed *>(self));
        };
        if (stream) ctx.device->order(stream, ctx.stream());
        *out = api::wrapped(ctx, dtype, extents, steps, data, nbytes, release, managed).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_tensor_to_dlpack(mpt_tensor *tensor, void *stream, struct DLManagedTensorVersioned **out) {
    return api::call("mpt_tensor_to_dlpack", tensor, "tensor", [&](Context &c) { give(c, tensor, stream, out); });
}
mpt_status MPT_CALL mpt_tensor_to_dlpack_unversioned(mpt_tensor *tensor, void *stream, struct DLManagedTensor **out) {
    return api::call("mpt_tensor_to_dlpack_unversioned", tensor, "tensor", [&](Context &c) { give(c, tensor, stream, out); });
}
mpt_status MPT_CALL mpt_tensor_from_dlpack(mpt_context *ctx, struct DLManagedTensorVersioned *managed, void *stream, mpt_tensor **out) {
    return api::call("mpt_tensor_from_dlpack", ctx, "ctx", [&](Context &c) { take(c, managed, stream, out); });
}
mpt_status MPT_CALL mpt_tensor_from_dlpack_unversioned(mpt_context *ctx, struct DLManagedTensor *managed, void *stream, mpt_tensor **out) {
    return api::call("mpt_tensor_from_dlpack_unversioned", ctx, "ctx", [&](Context &c) { take(c, managed, stream, out); });
}
