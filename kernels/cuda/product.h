// One matrix product through cuBLASLt: descriptors, algorithm and workspace decided once, the algorithm by the heuristics or by trying.
#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device.h"

namespace mpt::cuda {

// A matrix as cuBLASLt reads it: column by column, `ld` elements apart, or transposed.
struct MatrixForm {
    bool transposed;
    std::int64_t ld;
    std::int64_t batch_stride;
};

// D[rows, columns] = op(A)[rows, depth] op(B)[depth, columns] (+ bias[rows]), all column-major, accumulated in f32. dtypes are
// mpt_dtype. Operands in fp8 have scales: their values are elements times one f32 number in device memory.
struct ProductForm {
    std::int64_t rows, columns, depth, batches;
    std::int32_t a_dtype, b_dtype;  // the same but in fp8
    std::int32_t out_dtype;         // of D: theirs or f32; for fp8 any of the others
    std::int32_t bias_dtype;        // MPT_DTYPE_NONE: no bias
    MatrixForm a, b, d;
};

struct ProductAddresses {
    const void *a, *b, *bias;
    void *d;
    const void *a_scale = nullptr, *b_scale = nullptr;
};

class Product {
public:
    // False: cuBLASLt has no algorithm for this one.
    bool prepare(Device &device, const ProductForm &form);
    Product() = default;
    ~Product();
    Product(const Product &) = delete;
    Product &operator=(const Product &) = delete;

    // With room to align it, which the core does less than cuBLASLt asks for.
    std::size_t workspace_bytes() const { return workspace_bytes_ ? workspace_bytes_ + kWorkspaceAlignment - 1 : 0; }
    // add: to what is in d, which is f32 then.
    void launch(const ProductAddresses &at, void *workspace, cudaStream_t stream, bool add = false) const;

private:
    static constexpr std::size_t kWorkspaceAlignment = 256;
    // At most so many, in the order of the heuristics; none: there is no algorithm.
    std::vector<cublasLtMatmulHeuristicResult_t> algorithms(Device &device, std::uint32_t alignment, int most) const;
    const cublasLtMatmulHeuristicResult_t &fastest(Device &device, const ProductForm &form, const std::vector<cublasLtMatmulHeuristicResult_t> &list) const;
    void enqueue(const ProductAddresses &at, const cublasLtMatmulAlgo_t &algo, void *workspace, std::size_t workspace_bytes, cudaStream_t stream,
                 bool add) const;

    cublasLtHandle_t handle_ = nullptr;
    cublasLtMatmulDesc_t operation_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, d_ = nullptr;
    // Of addresses that are multiples of 16 bytes, and of others.
    cublasLtMatmulAlgo_t aligned_, any_;
    std::size_t workspace_bytes_ = 0;
    bool has_bias_ = false, scaled_ = false;
};

}  // namespace mpt::cuda
