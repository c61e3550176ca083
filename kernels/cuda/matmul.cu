// Matrix products through cuBLASLt. See device/attrs/product.h.
//
// What cuBLASLt cannot read as it lies (a matrix without unit stride, batches that are not evenly spaced) is first copied to the
// workspace; what it cannot write goes there, too, and is finished by an elementwise kernel.
#include <algorithm>
#include <optional>

#include "device/attrs/product.h"
#include "elementwise.cuh"
#include "matmul_forms.h"
#include "matmul_narrow.h"
#include "matmul_padded.h"
#include "matmul_split.h"
#include "product.h"
#include "workspace.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "matmul";
constexpr std::int64_t kFew = 128 * 1024, kLong = 256;

struct Same {
    __device__ float operator()(float x) const { return x; }
};
struct Sum {
    __device__ float operator()(float x, float y) const { return x + y; }
};
struct Zero {
    __device__ float operator()() const { return 0; }
};

mpt_mod_operand dense(const mpt_mod_operand &like, std::int32_t dtype) {
    mpt_mod_operand out = like;
    out.dtype = dtype;
    std::int64_t stride = 1;
    for (int d = like.ndim - 1; d >= 0; --d) {
        out.strides[d] = stride;
        stride *= like.shape[d];
    }
    return out;
}

// [N] as [..., N].
mpt_mod_operand row_of(const mpt_mod_operand &bias, const mpt_mod_operand &like) {
    mpt_mod_operand out = like;
    out.dtype = bias.dtype;
    std::fill_n(out.strides, like.ndim, 0);
    out.strides[like.ndim - 1] = bias.strides[0];
    return out;
}

template <class T, class Out>
class Matmul final : public Kernel {
public:
    Matmul(Device &device, const mpt_mod_call &call) : has_bias_(present(call.in[2])) {
        const mpt_mod_operand &y = call.out[0];
        const int n = y.ndim;
        ProductForm form = {};
        form.rows = y.shape[n - 1];
        form.columns = y.shape[n - 2];
        form.depth = call.in[0].shape[n - 1];
        form.batches = 1;
        for (int d = 0; d < n - 2; ++d) form.batches *= y.shape[d];
        form.a_dtype = form.b_dtype = T::dtype;
        form.out_dtype = Out::dtype;
        form.bias_dtype = call.in[2].dtype;
        empty_ = form.depth == 0;
        if (empty_) {
            finish(device, y, call.in[2]);
            return;
        }
        form.b = matrix(device, call.in[0], columns_pack_);
        form.a = matrix(device, call.in[1], rows_pack_);
        const std::optional<MatrixForm> out = form_of(y);
        const bool strided_bias = has_bias_ && call.in[2].strides[0] != 1 && call.in[2].shape[0] > 1;
        // Few results of long sums are split over the GPU, which cuBLASLt cannot do with a bias behind.
        const bool narrow = has_bias_ && form.rows * form.columns < kFew && form.depth >= kLong;
        if (out && !out->transposed && !strided_bias && !narrow) {
            form.d = *out;
            product_ = std::make_unique<Product>();
            if (!product_->prepare(device, form)) product_.reset();
        }
        if (!product_) {
            // Into f32 of the workspace first: then everything is rounded once, when it is stored.
            form.bias_dtype = MPT_DTYPE_NONE;
            form.out_dtype = MPT_F32;
            form.d = *form_of(dense(y, MPT_F32));
            result_at_ = take(workspace_bytes, static_cast<std::size_t>(numel(y)) * 4);
            product_ = std::make_unique<Product>();
            if (!product_->prepare(device, form)) throw Failure{MPT_ERROR_UNSUPPORTED, "matmul: cuBLASLt has no algorithm for this product"};
            finish(device, y, call.in[2]);
        }
        product_at_ = take(workspace_bytes, product_->workspace_bytes());
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        auto *scratch = static_cast<char *>(workspace);
        if (empty_) return end(nullptr, in[2], out[0], stream);
        const void *a = pack(columns_pack_, in[0], scratch, stream), *b = pack(rows_pack_, in[1], scratch, stream);
        void *y = result_at_ ? scratch + *result_at_ : out[0];
        product_->launch({b, a, in[2], y}, scratch + product_at_, stream);
        if (result_at_) end(y, in[2], out[0], stream);
    }
    const char *name() const override { return "cublaslt:matmul"; }

private:
    struct Packing {
        Elementwise<float, T, T> copy;
        std::size_t at;
    };

    MatrixForm matrix(Device &device, const mpt_mod_operand &x, std::optional<Packing> &packing) {
        if (const std::optional<MatrixForm> form = form_of(x)) return *form;
        const mpt_mod_operand copy = dense(x, T::dtype);
        packing.emplace(Packing{{device, kName, copy, {&x}}, take(workspace_bytes, static_cast<std::size_t>(numel(x)) * sizeof(typename T::Stored))});
        return *form_of(copy);
    }

    const void *pack(const std::optional<Packing> &packing, const void *x, char *scratch, cudaStream_t stream) const {
        if (!packing) return x;
        packing->copy.run(stream, Same{}, {x}, scratch + packing->at);
        return scratch + packing->at;
    }

    void finish(Device &device, const mpt_mod_operand &y, const mpt_mod_operand &bias) {
        const mpt_mod_operand result = dense(y, MPT_F32);
        if (!has_bias_) {
            if (empty_)
                zero_.emplace(device, kName, y, std::array<const mpt_mod_operand *, 0>{});
            else
                store_.emplace(device, kName, y, std::array{&result});
            return;
        }
        const mpt_mod_operand row = row_of(bias, y);
        if (bias.dtype == MPT_F32) {
            if (empty_)
                bias_alone_f32_.emplace(device, kName, y, std::array{&row});
            else
                add_f32_.emplace(device, kName, y, std::array{&result, &row});
        } else {
            if (empty_)
                bias_alone_.emplace(device, kName, y, std::array{&row});
            else
                add_.emplace(device, kName, y, std::array{&result, &row});
        }
    }

    void end(const void *result, const void *bias, void *y, cudaStream_t stream) const {
        if (zero_) zero_->run(stream, Zero{}, {}, y);
        if (store_) store_->run(stream, Same{}, {result}, y);
        if (bias_alone_) bias_alone_->run(stream, Same{}, {bias}, y);
        if (bias_alone_f32_) bias_alone_f32_->run(stream, Same{}, {bias}, y);
        if (add_) add_->run(stream, Sum{}, {result, bias}, y);
        if (add_f32_) add_f32_->run(stream, Sum{}, {result, bias}, y);
    }

    const bool has_bias_;
    bool empty_ = false;  // nothing to add up
    std::unique_ptr<Product> product_;
    std::optional<Packing> columns_pack_, rows_pack_;  // cuBLASLt's columns are our rows
    std::optional<std::size_t> result_at_;
    std::size_t product_at_ = 0;
    std::optional<Elementwise<float, Out>> zero_;
    std::optional<Elementwise<float, Out, F32>> store_, bias_alone_f32_;
    std::optional<Elementwise<float, Out, T>> bias_alone_;
    std::optional<Elementwise<float, Out, F32, T>> add_;
    std::optional<Elementwise<float, Out, F32, F32>> add_f32_;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    if (std::unique_ptr<Kernel> narrow = prepare_narrow(device, call)) return narrow;
    if (std::unique_ptr<Kernel> split = prepare_split(device, call)) return split;
    if (std::unique_ptr<Kernel> padded = prepare_padded(device, call)) return padded;
    std::unique_ptr<Kernel> kernel;
    visit_float(kName, call.in[0].dtype, [&](auto t) {
        using T = decltype(t);
        if (call.out[0].dtype == T::dtype)
            kernel = std::make_unique<Matmul<T, T>>(device, call);
        else if (call.out[0].dtype == MPT_F32)
            kernel = std::make_unique<Matmul<T, F32>>(device, call);
        else
            unsupported_dtype(kName, call.out[0].dtype);
    });
    return kernel;
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
