#include "api/dlpack.h"
#include "api/misuse.h"

namespace {

template <class Managed>
Managed *row() {
    static std::int64_t extents[] = {2}, steps[] = {1};
    static float memory[2] = {};
    static Managed m;
    m = Managed();
    m.dl_tensor = {memory, 1, 0, 1, 2, 32, 1, extents, steps, 0};
    return &m;
}
DLManagedTensorVersioned *versioned(std::uint64_t flags = 0) {
    auto *m = row<DLManagedTensorVersioned>();
    m->major = 1;
    m->flags = flags;
    return m;
}
DLManagedTensor *unversioned(std::uint8_t code = 2) {
    auto *m = row<DLManagedTensor>();
    m->dl_tensor.code = code;
    return m;
}

// Given back at once: the row's own objects end after it.
template <class Managed>
mpt_status exported(mpt_status (*call)(mpt_tensor *, void *, Managed **), mpt_tensor *tensor) {
    Managed *m = nullptr;
    const mpt_status status = call(tensor, nullptr, &m);
    if (m) m->deleter(m);
    return status;
}

const misuse::Rows rows{
    STEPS("mpt_tensor_to_dlpack", Taken, "stream", "", return exported(mpt_tensor_to_dlpack, w.x)),
    STEPS("mpt_tensor_to_dlpack_unversioned", Taken, "stream", "", return exported(mpt_tensor_to_dlpack_unversioned, w.x)),
    ROW(Null, "tensor", "", mpt_tensor_to_dlpack, nullptr, nullptr, w.out()),
    ROW(Range, "stream", "the CPU has no streams", mpt_tensor_to_dlpack, w.x, w.memory, w.out()),
    ROW(Null, "out", "", mpt_tensor_to_dlpack, w.x, nullptr, nullptr),
    ROW(State, "tensor", "", mpt_tensor_to_dlpack, w.output, nullptr, w.out()),
    ROW(Capture, "", "", mpt_tensor_to_dlpack, w.x, nullptr, w.out()),

    ROW(Null, "tensor", "", mpt_tensor_to_dlpack_unversioned, nullptr, nullptr, w.out()),
    ROW(Range, "stream", "the CPU has no streams", mpt_tensor_to_dlpack_unversioned, w.x, w.memory, w.out()),
    ROW(Null, "out", "", mpt_tensor_to_dlpack_unversioned, w.x, nullptr, nullptr),
    ROW(Capture, "", "", mpt_tensor_to_dlpack_unversioned, w.x, nullptr, w.out()),

    ROW(Null, "ctx", "", mpt_tensor_from_dlpack, nullptr, versioned(), nullptr, w.out()),
    ROW(Null, "managed", "", mpt_tensor_from_dlpack, w.ctx, nullptr, nullptr, w.out()),
    ROW(Range, "managed", "flags 1", mpt_tensor_from_dlpack, w.ctx, versioned(1), nullptr, w.out()),
    ROW(Range, "stream", "the CPU has no streams", mpt_tensor_from_dlpack, w.ctx, versioned(), w.memory, w.out()),
    ROW(Taken, "stream", "", mpt_tensor_from_dlpack, w.ctx, versioned(), nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_from_dlpack, w.ctx, versioned(), nullptr, nullptr),
    ROW(Capture, "", "", mpt_tensor_from_dlpack, w.ctx, versioned(), nullptr, w.out()),

    ROW(Null, "ctx", "", mpt_tensor_from_dlpack_unversioned, nullptr, unversioned(), nullptr, w.out()),
    ROW(Null, "managed", "", mpt_tensor_from_dlpack_unversioned, w.ctx, nullptr, nullptr, w.out()),
    ROW(Dtype, "managed", "code 5", mpt_tensor_from_dlpack_unversioned, w.ctx, unversioned(5), nullptr, w.out()),
    ROW(Range, "stream", "the CPU has no streams", mpt_tensor_from_dlpack_unversioned, w.ctx, unversioned(), w.memory, w.out()),
    ROW(Taken, "stream", "", mpt_tensor_from_dlpack_unversioned, w.ctx, unversioned(), nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_from_dlpack_unversioned, w.ctx, unversioned(), nullptr, nullptr),
    ROW(Capture, "", "", mpt_tensor_from_dlpack_unversioned, w.ctx, unversioned(), nullptr, w.out()),
};

}  // namespace
