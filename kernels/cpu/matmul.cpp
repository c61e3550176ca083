// "matmul": batched products with an optional bias, any strides.
#include <memory>

#include "gemm_views.h"
#include "kernel.h"

namespace mpt::cpu {
namespace {

// The offsets of a tensor's items over its leading dimensions, in logical order.
std::vector<std::int64_t> batch_offsets(const mpt_mod_operand &x, int dims) {
    std::vector<std::int64_t> offsets{0};
    for (int d = 0; d < dims; ++d) {
        std::vector<std::int64_t> finer;
        finer.reserve(offsets.size() * static_cast<std::size_t>(x.shape[d]));
        for (const std::int64_t offset : offsets)
            for (std::int64_t i = 0; i < x.shape[d]; ++i) finer.push_back(offset + i * x.strides[d]);
        offsets = std::move(finer);
    }
    return offsets;
}

template <class T>
class Matmul final : public Kernel {
public:
    Matmul(Pool &pool, const mpt_mod_call &call) {
        const mpt_mod_operand &a = call.in[0], &b = call.in[1], &c = call.out[0];
        const int batch = c.ndim - 2;
        GemmShape shape;
        shape.m = c.shape[batch];
        shape.n = c.shape[batch + 1];
        shape.k = a.shape[batch + 1];
        a_.item_offsets = batch_offsets(a, batch);
        b_.item_offsets = batch_offsets(b, batch);
        c_.item_offsets = batch_offsets(c, batch);
        shape.items = static_cast<std::int64_t>(c_.item_offsets.size());

        // Rows along the contiguous dimension. Where none is: what needs no transposition when packed.
        const std::int64_t am = a.strides[batch], ak = a.strides[batch + 1];
        const std::int64_t bk = b.strides[batch], bn = b.strides[batch + 1];
        const bool a_rows_are_k = am == 1 && ak != 1 && shape.m > 1;
        const bool b_rows_are_k = !(bk == 1 && bn != 1) || shape.k == 1;
        a_.dtype = b_.dtype = a.dtype;
        a_.row_stride = a_rows_are_k ? ak : am;
        a_.col_stride = a_rows_are_k ? am : ak;
        b_.row_stride = b_rows_are_k ? bk : bn;
        b_.col_stride = b_rows_are_k ? bn : bk;

        c_.dtype = c.dtype;
        c_.n_stride = c.strides[batch];
        c_.col_stride = c.strides[batch + 1];
        has_bias_ = call.n_in > 2 && call.in[2].dtype != MPT_DTYPE_NONE;
        if (has_bias_) {
            c_.bias_dtype = call.in[2].dtype;
            c_.bias_stride = call.in[2].strides[0];
        }
        gemm_ = std::make_unique<Gemm<T>>(pool, shape, Factor<T>{&a_, a_rows_are_k}, Factor<T>{&b_, b_rows_are_k}, c_);
        workspace_bytes = gemm_->workspace_bytes();
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        Destination to{out[0], has_bias_ ? in[2] : nullptr};
        gemm_->run(in[0], in[1], &to, workspace);
    }

    const char *name() const override { return "cpu:gemm"; }

private:
    StridedRows<T> a_, b_;
    PixelSink<T> c_;
    bool has_bias_ = false;
    std::unique_ptr<Gemm<T>> gemm_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_matmul(Pool &pool, const mpt_mod_call &call) {
    require_float(call, call.in[0]);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Matmul<double>>(pool, call);
    return std::make_unique<Matmul<float>>(pool, call);
}

static const RegisteredKernel registered_matmul("matmul", prepare_matmul);

}  // namespace mpt::cpu
