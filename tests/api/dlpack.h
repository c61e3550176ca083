// The structs of DLPack 1.1 [dmlc.github.io/dlpack/latest/c_api.html], as another library has them.
#pragma once

#include <cstdint>

#include "mpt.h"

struct DLTensor {
    void *data;
    std::int32_t device_type, device_id, ndim;
    std::uint8_t code, bits;
    std::uint16_t lanes;
    std::int64_t *shape, *strides;
    std::uint64_t byte_offset;
};
struct DLManagedTensor {
    DLTensor dl_tensor;
    void *manager_ctx;
    void (*deleter)(DLManagedTensor *self);
};
struct DLManagedTensorVersioned {
    std::uint32_t major, minor;
    void *manager_ctx;
    void (*deleter)(DLManagedTensorVersioned *self);
    std::uint64_t flags;
    DLTensor dl_tensor;
};
