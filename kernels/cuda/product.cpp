#include "product.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "common/kernel.h"
#include "tuner.h"

namespace mpt::cuda {

using kernels::Failure;

namespace {

constexpr std::uint32_t kAlignment = 16;
constexpr std::size_t kMostWorkspace = std::size_t{32} << 20;
using Algorithm = cublasLtMatmulHeuristicResult_t;
constexpr int kCandidates = 16;  // that a tuner tries

void check(cublasStatus_t status, const char *what) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    throw Failure{status == CUBLAS_STATUS_ALLOC_FAILED ? MPT_ERROR_MEMORY : MPT_ERROR_DEVICE,
                  std::string("cuBLASLt: ") + what + ": " + cublasLtGetStatusName(status)};
}

cudaDataType_t type_of(std::int32_t dtype) {
    switch (dtype) {
        case MPT_F16:
            return CUDA_R_16F;
        case MPT_BF16:
            return CUDA_R_16BF;
        case MPT_F8E4M3:
            return CUDA_R_8F_E4M3;
        case MPT_F8E5M2:
            return CUDA_R_8F_E5M2;
        default:
            return CUDA_R_32F;
    }
}

bool is_f8(std::int32_t dtype) {
    return dtype == MPT_F8E4M3 || dtype == MPT_F8E5M2;
}
// The alignment that every address has.
std::uint32_t least_alignment(std::int32_t dtype) {
    return dtype == MPT_F32 ? 4 : 2;
}

template <class T>
void set(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute, const T &value) {
    check(cublasLtMatmulDescSetAttribute(desc, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
}
template <class T>
void set(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attribute, const T &value) {
    check(cublasLtMatrixLayoutSetAttribute(layout, attribute, &value, sizeof value), "cublasLtMatrixLayoutSetAttribute");
}
template <class T>
void set(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute, const T &value) {
    check(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value), "cublasLtMatmulPreferenceSetAttribute");
}

void layout(cublasLtMatrixLayout_t *out, std::int32_t dtype, std::int64_t rows, std::int64_t columns, const MatrixForm &form, std::int64_t batches) {
    check(cublasLtMatrixLayoutCreate(out, type_of(dtype), static_cast<std::uint64_t>(form.transposed ? columns : rows),
                                     static_cast<std::uint64_t>(form.transposed ? rows : columns), form.ld),
          "cublasLtMatrixLayoutCreate");
    if (batches == 1) return;
    set(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(batches));
    set(*out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, form.batch_stride);
}

std::size_t bytes_of(std::int32_t dtype, std::int64_t rows, std::int64_t columns, const MatrixForm &form, std::int64_t batches) {
    const std::int64_t elements = (batches - 1) * form.batch_stride + ((form.transposed ? rows : columns) - 1) * form.ld + (form.transposed ? columns : rows);
    return static_cast<std::size_t>(elements) * (is_f8(dtype) ? 1 : dtype == MPT_F32 ? 4 : 2);
}

// All that the list of candidates depends on, beside the versions.
std::string key_of(const ProductForm &form, bool tf32) {
    std::ostringstream key;
    key << "product";
    for (const std::int64_t n : {form.rows, form.columns, form.depth, form.batches}) key << ' ' << n;
    for (const std::int32_t dtype : {form.a_dtype, form.b_dtype, form.out_dtype, form.bias_dtype}) key << ' ' << dtype;
    for (const MatrixForm &matrix : {form.a, form.b, form.d}) key << ' ' << (matrix.transposed ? 't' : 'n') << matrix.ld << '+' << matrix.batch_stride;
    if (tf32 && form.a_dtype == MPT_F32) key << " tf32";
    return key.str();
}

}  // namespace

Product::~Product() {
    if (a_) cublasLtMatrixLayoutDestroy(a_);
    if (b_) cublasLtMatrixLayoutDestroy(b_);
    if (d_) cublasLtMatrixLayoutDestroy(d_);
    if (operation_) cublasLtMatmulDescDestroy(operation_);
}

bool Product::prepare(Device &device, const ProductForm &form) {
    handle_ = device.cublaslt();
    const bool tf32 = form.a_dtype == MPT_F32 && device.tf32;
    scaled_ = is_f8(form.a_dtype);
    check(cublasLtMatmulDescCreate(&operation_, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
    set(operation_, CUBLASLT_MATMUL_DESC_TRANSA, form.a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(operation_, CUBLASLT_MATMUL_DESC_TRANSB, form.b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    has_bias_ = form.bias_dtype != MPT_DTYPE_NONE;
    if (has_bias_) {
        set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
        set(operation_, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, static_cast<std::int32_t>(type_of(form.bias_dtype)));
    }
    layout(&a_, form.a_dtype, form.rows, form.depth, form.a, form.batches);
    layout(&b_, form.b_dtype, form.depth, form.columns, form.b, form.batches);
    layout(&d_, form.out_dtype, form.rows, form.columns, form.d, form.batches);
    const std::vector<Algorithm> list = algorithms(device, kAlignment, device.tuner().on ? kCandidates : 1);
    if (list.empty()) return false;
    const Algorithm aligned = fastest(device, form, list);
    aligned_ = any_ = aligned.algo;
    workspace_bytes_ = aligned.workspaceSize;
    if (scaled_) return true;  // any_ does not exist; the kernel sees to the alignment
    const std::vector<Algorithm> others = algorithms(device, least_alignment(form.a_dtype), 1);
    if (others.empty()) return false;
    any_ = others[0].algo;
    workspace_bytes_ = std::max(workspace_bytes_, others[0].workspaceSize);
    return true;
}

std::vector<Algorithm> Product::algorithms(Device &device, std::uint32_t alignment, int most) const {
    cublasLtMatmulPreference_t preference;
    check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    std::vector<Algorithm> list(static_cast<std::size_t>(most));
    int count = 0;
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    try {
        set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspace);
        // Partial sums are added in f32, not in the format of the result; with a bias there are none, since the sum would be rounded before it.
        const auto schemes = has_bias_ ? CUBLASLT_REDUCTION_SCHEME_NONE : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
        set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, static_cast<std::uint32_t>(schemes));
        for (auto attribute : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                               CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            set(preference, attribute, alignment);
        status = cublasLtMatmulAlgoGetHeuristic(device.cublaslt(), operation_, a_, b_, d_, d_, preference, most, list.data(), &count);
    } catch (...) {
        cublasLtMatmulPreferenceDestroy(preference);
        throw;
    }
    cublasLtMatmulPreferenceDestroy(preference);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE) return {};
    check(status, "cublasLtMatmulAlgoGetHeuristic");
    list.resize(static_cast<std::size_t>(count));
    list.erase(std::remove_if(list.begin(), list.end(), [](const Algorithm &one) { return one.state != CUBLAS_STATUS_SUCCESS; }), list.end());
    return list;
}

const Algorithm &Product::fastest(Device &device, const ProductForm &form, const std::vector<Algorithm> &list) const {
    std::size_t workspace = 0;
    for (const Algorithm &one : list) workspace = std::max(workspace, one.workspaceSize);
    std::vector<std::size_t> bytes{bytes_of(form.a_dtype, form.rows, form.depth, form.a, form.batches),
                                   bytes_of(form.b_dtype, form.depth, form.columns, form.b, form.batches),
                                   bytes_of(form.out_dtype, form.rows, form.columns, form.d, form.batches),
                                   has_bias_ ? static_cast<std::size_t>(form.rows) * sizeof(float) : 0,
                                   scaled_ ? sizeof(float) : 0,
                                   workspace};
    const int way = device.tuner().fastest(key_of(form, device.tf32), static_cast<int>(list.size()), bytes, device.stream(),
                                           [&](int i, const std::vector<void *> &memory, cudaStream_t stream) {
                                               const Algorithm &one = list[static_cast<std::size_t>(i)];
                                               enqueue({memory[0], memory[1], memory[3], memory[2], memory[4], memory[4]}, one.algo, memory[5], one.workspaceSize, stream, false);
                                           });
    return list[static_cast<std::size_t>(way)];
}

void Product::launch(const ProductAddresses &at, void *workspace, cudaStream_t stream, bool add) const {
    const auto address = reinterpret_cast<std::uintptr_t>(at.a) | reinterpret_cast<std::uintptr_t>(at.b) | reinterpret_cast<std::uintptr_t>(at.d) |
                         (has_bias_ ? reinterpret_cast<std::uintptr_t>(at.bias) : 0);
    const std::uintptr_t scratch = (reinterpret_cast<std::uintptr_t>(workspace) + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
    enqueue(at, address % kAlignment == 0 ? aligned_ : any_, workspace_bytes_ ? reinterpret_cast<void *>(scratch) : nullptr, workspace_bytes_, stream, add);
}

void Product::enqueue(const ProductAddresses &at, const cublasLtMatmulAlgo_t &algo, void *workspace, std::size_t workspace_bytes, cudaStream_t stream,
                      bool add) const {
    // Pointers are attributes of the operation; a context is used by one thread at a time, so they may be changed here.
    if (has_bias_) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, at.bias);
    if (scaled_) {
        set(operation_, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, at.a_scale);
        set(operation_, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, at.b_scale);
    }
    const float one = 1, beta = add ? 1 : 0;
    check(cublasLtMatmul(handle_, operation_, &one, at.a, a_, at.b, b_, &beta, at.d, d_, at.d, d_, &algo, workspace, workspace_bytes, stream), "cublasLtMatmul");
}

}  // namespace mpt::cuda
