// Tensors of any element type from doubles and back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "common/formats.h"
#include "common/handles.h"

namespace test {

using Shape = std::vector<std::int64_t>;

inline std::int64_t count(const Shape &shape) {
    std::int64_t n = 1;
    for (std::int64_t extent : shape) n *= extent;
    return n;
}

// Elements in logical row-major order.
struct Values {
    Shape shape;
    std::vector<double> data;
};

template <class T>
T *elements(std::vector<std::uint8_t> &bytes) {
    return reinterpret_cast<T *>(bytes.data());
}

inline std::vector<std::uint8_t> pack(mpt_dtype dtype, const std::vector<double> &values) {
    std::vector<std::uint8_t> bytes(values.size() * mpt_dtype_size(dtype));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double x = values[i];
        switch (dtype) {
            case MPT_F64:
                elements<double>(bytes)[i] = x;
                break;
            case MPT_F32:
                elements<float>(bytes)[i] = static_cast<float>(x);
                break;
            case MPT_F16:
                elements<std::uint16_t>(bytes)[i] = encode(kHalf, static_cast<float>(x));
                break;
            case MPT_BF16:
                elements<std::uint16_t>(bytes)[i] = encode(kBfloat, static_cast<float>(x));
                break;
            case MPT_F8E4M3:
                bytes[i] = encode(kE4M3, static_cast<float>(x));
                break;
            case MPT_F8E5M2:
                bytes[i] = encode(kE5M2, static_cast<float>(x));
                break;
            case MPT_I8:
                elements<std::int8_t>(bytes)[i] = static_cast<std::int8_t>(x);
                break;
            case MPT_I16:
                elements<std::int16_t>(bytes)[i] = static_cast<std::int16_t>(x);
                break;
            case MPT_I32:
                elements<std::int32_t>(bytes)[i] = static_cast<std::int32_t>(x);
                break;
            case MPT_I64:
                elements<std::int64_t>(bytes)[i] = static_cast<std::int64_t>(x);
                break;
            default:
                bytes[i] = static_cast<std::uint8_t>(x);
        }
    }
    return bytes;
}

inline std::vector<double> unpack(mpt_dtype dtype, std::vector<std::uint8_t> &bytes) {
    std::vector<double> values(bytes.size() / mpt_dtype_size(dtype));
    for (std::size_t i = 0; i < values.size(); ++i) {
        switch (dtype) {
            case MPT_F64:
                values[i] = elements<double>(bytes)[i];
                break;
            case MPT_F32:
                values[i] = elements<float>(bytes)[i];
                break;
            case MPT_F16:
                values[i] = decode(kHalf, elements<std::uint16_t>(bytes)[i]);
                break;
            case MPT_BF16:
                values[i] = decode(kBfloat, elements<std::uint16_t>(bytes)[i]);
                break;
            case MPT_F8E4M3:
                values[i] = decode(kE4M3, bytes[i]);
                break;
            case MPT_F8E5M2:
                values[i] = decode(kE5M2, bytes[i]);
                break;
            case MPT_I8:
                values[i] = elements<std::int8_t>(bytes)[i];
                break;
            case MPT_I16:
                values[i] = elements<std::int16_t>(bytes)[i];
                break;
            case MPT_I32:
                values[i] = elements<std::int32_t>(bytes)[i];
                break;
            case MPT_I64:
                values[i] = static_cast<double>(elements<std::int64_t>(bytes)[i]);
                break;
            default:
                values[i] = bytes[i];
        }
    }
    return values;
}

inline mpt_dtype dtype_of(const mpt_tensor *tensor) {
    mpt_dtype dtype;
    MUST(mpt_tensor_dtype(tensor, &dtype));
    return dtype;
}

inline Shape shape_of(const mpt_tensor *tensor) {
    std::int32_t ndim;
    MUST(mpt_tensor_ndim(tensor, &ndim));
    Shape shape(static_cast<std::size_t>(ndim));
    std::int64_t none;
    MUST(mpt_tensor_shape(tensor, ndim ? shape.data() : &none, ndim));
    return shape;
}

inline Tensor create(mpt_context *ctx, mpt_dtype dtype, const Shape &shape) {
    Tensor tensor;
    MUST(mpt_tensor_create(ctx, dtype, static_cast<std::int32_t>(shape.size()), shape.data(), tensor.out()));
    return tensor;
}

inline void write(mpt_tensor *tensor, const std::vector<double> &values) {
    const std::vector<std::uint8_t> bytes = pack(dtype_of(tensor), values);
    MUST(mpt_tensor_write(tensor, bytes.data(), bytes.size()));
}

inline Tensor make(mpt_context *ctx, mpt_dtype dtype, const Values &values) {
    Tensor tensor = create(ctx, dtype, values.shape);
    write(tensor, values.data);
    return tensor;
}
inline Tensor make(mpt_context *ctx, mpt_dtype dtype, const std::vector<double> &row) {
    return make(ctx, dtype, Values{{static_cast<std::int64_t>(row.size())}, row});
}

inline std::vector<std::uint8_t> read_bytes(const mpt_tensor *tensor) {
    std::int64_t n;
    MUST(mpt_tensor_numel(tensor, &n));
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n) * mpt_dtype_size(dtype_of(tensor)));
    MUST(mpt_tensor_read(tensor, bytes.data(), bytes.size()));
    return bytes;
}

inline std::vector<double> read(const mpt_tensor *tensor) {
    std::vector<std::uint8_t> bytes = read_bytes(tensor);
    return unpack(dtype_of(tensor), bytes);
}

inline Tensor gradient(mpt_tensor *leaf) {
    Tensor grad;
    MUST(mpt_tensor_grad(leaf, grad.out()));
    return grad;
}

}  // namespace test
