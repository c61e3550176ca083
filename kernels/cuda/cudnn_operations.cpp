#include "cudnn_operations.h"

#ifdef MPT_HAS_CUDNN

namespace mpt::cuda {

namespace {

struct Options {
    cudnnDataType_t math = CUDNN_DATA_FLOAT;
    std::int64_t axis = -1;  // none
};

CudnnDescriptor pointwise_of(const Cudnn &cudnn, cudnnPointwiseMode_t mode, const Options &options) {
    CudnnDescriptor function(cudnn, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    function.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode).set(CUDNN_ATTR_POINTWISE_MATH_PREC, options.math);
    if (options.axis >= 0) function.set(CUDNN_ATTR_POINTWISE_AXIS, options.axis);
    function.finalize();
    CudnnDescriptor operation(cudnn, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function);
    return operation;
}

}  // namespace

cudnnDataType_t cudnn_type(std::int32_t dtype) {
    switch (dtype) {
        case MPT_F32:
            return CUDNN_DATA_FLOAT;
        case MPT_F16:
            return CUDNN_DATA_HALF;
        case MPT_BF16:
            return CUDNN_DATA_BFLOAT16;
        default:
            throw CudnnRefuses{};
    }
}

CudnnDescriptor cudnn_tensor(const Cudnn &cudnn, std::int64_t id, cudnnDataType_t type, const Extents &shape,
                             const Extents &strides, CudnnPlace place) {
    CudnnDescriptor tensor(cudnn, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::int64_t{16})
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, shape.data())
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides.data())
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, place == CudnnPlace::Nowhere);
    if (place == CudnnPlace::Host) tensor.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, true);
    tensor.finalize();
    return tensor;
}

CudnnDescriptor cudnn_pointwise(const Cudnn &cudnn, cudnnPointwiseMode_t mode, const CudnnDescriptor &x,
                                const CudnnDescriptor *other, const CudnnDescriptor &y, cudnnDataType_t math) {
    CudnnDescriptor operation = pointwise_of(cudnn, mode, {.math = math});
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (other) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *other);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y).finalize();
    return operation;
}

CudnnDescriptor cudnn_index(const Cudnn &cudnn, const CudnnDescriptor &x, std::int64_t axis, const CudnnDescriptor &y) {
    CudnnDescriptor operation = pointwise_of(cudnn, CUDNN_POINTWISE_GEN_INDEX, {.axis = axis});
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x).set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y).finalize();
    return operation;
}

CudnnDescriptor cudnn_select(const Cudnn &cudnn, const CudnnDescriptor &condition, const CudnnDescriptor &x,
                             const CudnnDescriptor &other, const CudnnDescriptor &y) {
    CudnnDescriptor operation = pointwise_of(cudnn, CUDNN_POINTWISE_BINARY_SELECT, {});
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, other)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, condition)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y)
        .finalize();
    return operation;
}

CudnnDescriptor cudnn_reduction(const Cudnn &cudnn, cudnnReduceTensorOp_t operation, const CudnnDescriptor &x,
                                const CudnnDescriptor &y) {
    CudnnDescriptor function(cudnn, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    function.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &operation)
        .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .finalize();
    CudnnDescriptor result(cudnn, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    result.set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, function)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y)
        .finalize();
    return result;
}

CudnnDescriptor cudnn_product(const Cudnn &cudnn, const CudnnDescriptor &a, const CudnnDescriptor &b, const CudnnDescriptor &c) {
    CudnnDescriptor function(cudnn, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    function.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT).finalize();
    CudnnDescriptor operation(cudnn, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, function)
        .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a)
        .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b)
        .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c)
        .finalize();
    return operation;
}

CudnnDescriptor cudnn_view(const Cudnn &cudnn, const CudnnDescriptor &x, const CudnnDescriptor &y) {
    CudnnDescriptor operation(cudnn, CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x).set(CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y).finalize();
    return operation;
}

void cudnn_operand(CudnnTrial &trial, std::int64_t id, const mpt_mod_operand &x) {
    std::int64_t last = 0;
    trial.key += ", " + std::to_string(x.dtype) + " of";
    for (int d = 0; d < x.ndim; ++d) {
        trial.key += ' ' + std::to_string(x.shape[d]) + '*' + std::to_string(x.strides[d]);
        last += (x.shape[d] - 1) * x.strides[d];
    }
    trial.ids.push_back(id);
    trial.bytes.push_back(static_cast<std::size_t>(last + 1) * (x.dtype == MPT_F32 ? 4 : 2));
}

}  // namespace mpt::cuda

#endif
