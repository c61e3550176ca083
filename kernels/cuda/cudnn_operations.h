// What cuDNN's graphs are made of: tensors of four dimensions and operations on them. Every function throws CudnnRefuses where
// cuDNN says no.
#pragma once

#include <array>

#include "cudnn.h"
#include "kernel.h"

namespace mpt::cuda {

#ifdef MPT_HAS_CUDNN

using Extents = std::array<std::int64_t, 4>;

cudnnDataType_t cudnn_type(std::int32_t dtype);

// Where a tensor's elements are: in device memory, nowhere, since another operation takes them as they come, or on the host, one
// number.
enum class CudnnPlace { Memory, Nowhere, Host };

// id: its own within the graph.
CudnnDescriptor cudnn_tensor(const Cudnn &cudnn, std::int64_t id, cudnnDataType_t type, const Extents &shape,
                             const Extents &strides, CudnnPlace place = CudnnPlace::Memory);

// y = mode(x) or, with other, mode(x, other), computed in `math`.
CudnnDescriptor cudnn_pointwise(const Cudnn &cudnn, cudnnPointwiseMode_t mode, const CudnnDescriptor &x,
                                const CudnnDescriptor *other, const CudnnDescriptor &y, cudnnDataType_t math = CUDNN_DATA_FLOAT);
// y = place of each of x's elements along an axis.
CudnnDescriptor cudnn_index(const Cudnn &cudnn, const CudnnDescriptor &x, std::int64_t axis, const CudnnDescriptor &y);
// y = condition ? x : other.
CudnnDescriptor cudnn_select(const Cudnn &cudnn, const CudnnDescriptor &condition, const CudnnDescriptor &x,
                             const CudnnDescriptor &other, const CudnnDescriptor &y);
// Along the dimensions in which y has an extent of 1.
CudnnDescriptor cudnn_reduction(const Cudnn &cudnn, cudnnReduceTensorOp_t operation, const CudnnDescriptor &x,
                                const CudnnDescriptor &y);
// c = a b of the matrices in the last two dimensions.
CudnnDescriptor cudnn_product(const Cudnn &cudnn, const CudnnDescriptor &a, const CudnnDescriptor &b, const CudnnDescriptor &c);
// y: x seen with other extents and strides.
CudnnDescriptor cudnn_view(const Cudnn &cudnn, const CudnnDescriptor &x, const CudnnDescriptor &y);

// Adds a tensor to what a trial is made of.
void cudnn_operand(CudnnTrial &trial, std::int64_t id, const mpt_mod_operand &x);

#endif

}  // namespace mpt::cuda
