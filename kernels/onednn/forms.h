// From a call's operands to oneDNN's memory descriptors.
#pragma once

#include <cstdint>

#include "kernel.h"

namespace mpt::onednn {

inline bool present(const mpt_mod_operand &operand) {
    return operand.dtype != MPT_DTYPE_NONE;
}

// Refuses what this accelerator does not compute in.
inline dnnl::memory::data_type type_of(const Device &device, const mpt_mod_operand &operand) {
    if (operand.dtype == MPT_F32) return dnnl::memory::data_type::f32;
    if (operand.dtype == MPT_BF16 && device.bf16) return dnnl::memory::data_type::bf16;
    refuse(operand.dtype == MPT_BF16 ? "this CPU does not multiply bf16" : "computes in f32 and bf16 only");
}

inline std::size_t bytes_of(dnnl::memory::data_type type) {
    return type == dnnl::memory::data_type::f32 ? 4 : 2;
}

inline void refuse_empty(const mpt_mod_operand &operand) {
    for (int i = 0; i < operand.ndim; ++i)
        if (operand.shape[i] == 0) refuse("an operand has no elements");
}

// The strides, with those of dimensions of one element, which may be anything, made the ones of a dense tensor.
inline dnnl::memory::dims plain_strides(const mpt_mod_operand &operand) {
    dnnl::memory::dims strides(operand.strides, operand.strides + operand.ndim);
    std::int64_t dense = 1;
    for (int i = operand.ndim - 1; i >= 0; --i) {
        if (operand.shape[i] == 1) strides[i] = dense;
        dense *= operand.shape[i];
    }
    return strides;
}

// A bias or its gradient: n elements next to each other.
inline dnnl::memory::desc vector_form(const Device &device, const mpt_mod_operand &operand, const dnnl::memory::dims &shape) {
    const std::int64_t n = operand.shape[0];
    if (n > 1 && operand.strides[0] != 1) refuse("the bias is not contiguous");
    dnnl::memory::dims strides(shape.size(), n);
    strides.back() = 1;
    return {shape, type_of(device, operand), strides};
}

}  // namespace mpt::onednn
