// A product by cuBLASLt alone, the ceiling of mpt's products.
#ifndef MPT_BENCH_GPU_PRODUCT_H
#define MPT_BENCH_GPU_PRODUCT_H

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <mpt.h>

#include <cstddef>
#include <cstdint>
#include <utility>

// Throws std::runtime_error.
void check_cuda(cudaError_t status, const char *call);
#define CUDA_OK(call) check_cuda((call), #call)

// Memory of the GPU.
class DeviceMemory {
public:
    DeviceMemory() = default;
    explicit DeviceMemory(std::size_t nbytes) { CUDA_OK(cudaMalloc(&data_, nbytes)); }
    DeviceMemory(DeviceMemory &&other) noexcept : data_(other.data_) { other.data_ = nullptr; }
    DeviceMemory &operator=(DeviceMemory &&other) noexcept {
        std::swap(data_, other.data_);
        return *this;
    }
    ~DeviceMemory() {
        if (data_) cudaFree(data_);
    }
    void *get() const { return data_; }

private:
    void *data_ = nullptr;
};

// y[m,n] = x[m,k] w[n,k]^T, all row by row, added up in f32.
struct ProductCase {
    int64_t m, n, k;
    mpt_dtype in, out;
    bool tf32;  // of f32: round the operands
    const void *x, *w;
};

// `repeats` such products as one graph, each with a result of its own. The algorithm is the fastest of up to 16 that cuBLASLt
// proposes for 32 MiB of workspace, whatever its way of adding partial sums. fp8 operands have scales of 1, read from memory.
class BareProduct {
public:
    BareProduct(const ProductCase &which, int repeats);
    ~BareProduct();
    BareProduct(const BareProduct &) = delete;
    BareProduct &operator=(const BareProduct &) = delete;

    void launch(cudaStream_t stream) const;
    int candidates() const { return candidates_; }  // that cuBLASLt proposed

private:
    void describe(const ProductCase &which);
    cublasLtMatmulAlgo_t fastest(const ProductCase &which);
    void product(const ProductCase &which, const cublasLtMatmulAlgo_t &algo, void *result) const;
    void capture(const ProductCase &which, const cublasLtMatmulAlgo_t &algo);
    void release();

    cublasLtHandle_t handle_ = nullptr;
    cublasLtMatmulDesc_t operation_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, d_ = nullptr;
    cudaStream_t stream_ = nullptr;
    cudaGraph_t graph_ = nullptr;
    cudaGraphExec_t runnable_ = nullptr;
    DeviceMemory workspace_, results_, one_;
    std::size_t result_bytes_ = 0;
    int repeats_, candidates_ = 0;
};

#endif
