// "matmul_f8" of device/attrs/fp8.h: products of fp8 on the tensor cores, through cuBLASLt.
//
// cuBLASLt reads both operands along the sum alone, at multiples of 16 bytes, and wants a sum of a multiple of 16 elements. What lies otherwise is
// copied to the workspace, with zeros behind the end.
#include <optional>

#include "common/kernel.h"
#include "mover.cuh"
#include "product.h"
#include "workspace.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "matmul_f8";
constexpr std::int64_t kStep = 16;

[[noreturn]] void refuse(const char *why) {
    throw Failure{MPT_ERROR_UNSUPPORTED, std::string(kName) + ": " + why};
}

// An operand [lines, depth] whose lines cuBLASLt reads.
class Lines {
public:
    Lines(Device &device, const mpt_mod_operand &x, std::size_t &workspace) : lines_(x.shape[0]) {
        const std::int64_t depth = x.shape[1];
        form.ld = (depth + kStep - 1) / kStep * kStep;
        if ((depth == 1 || x.strides[1] == 1) && depth % kStep == 0 && (lines_ == 1 || (x.strides[0] >= depth && x.strides[0] % kStep == 0))) {
            if (lines_ > 1) form.ld = x.strides[0];
            return;
        }
        mpt_mod_operand packed = x;
        packed.strides[0] = form.ld;
        packed.strides[1] = 1;
        copy_.emplace(device, kName, packed, x);
        padded_ = form.ld != depth;
        at_ = take(workspace, static_cast<std::size_t>(lines_ * form.ld));
    }
    // Where the lines lie, once what is enqueued here has run.
    const void *place(const void *x, void *workspace, cudaStream_t stream) const {
        if (!copy_) return x;
        void *to = static_cast<char *>(workspace) + at_;
        if (padded_) check(cudaMemsetAsync(to, 0, static_cast<std::size_t>(lines_ * form.ld), stream), kName);
        copy_->run(x, to, stream);
        return to;
    }

    MatrixForm form{false, 0, 0};

private:
    std::int64_t lines_;
    std::optional<Mover> copy_;
    bool padded_ = false;
    std::size_t at_ = 0;
};

mpt_mod_operand transposed(const mpt_mod_operand &x) {
    mpt_mod_operand t = x;
    std::swap(t.shape[0], t.shape[1]);
    std::swap(t.strides[0], t.strides[1]);
    return t;
}

class MatmulF8 final : public Kernel {
public:
    MatmulF8(Device &device, const mpt_mod_call &call)
        : a_(device, call.in[0], workspace_bytes), b_(device, transposed(call.in[1]), workspace_bytes) {
        const mpt_mod_operand &y = call.out[0], &bias = call.in[2];
        if (call.in[0].shape[1] == 0) refuse("nothing to add up");
        if (call.in[0].dtype == MPT_F8E5M2 && call.in[1].dtype == MPT_F8E5M2) refuse("both operands are f8e5m2");
        if (present(bias) && bias.shape[0] > 1 && bias.strides[0] != 1) refuse("a strided bias");
        if (y.shape[1] > 1 && y.strides[1] != 1) refuse("a strided result");
        ProductForm form = {};
        form.rows = y.shape[1];
        form.columns = y.shape[0];
        form.depth = (call.in[0].shape[1] + kStep - 1) / kStep * kStep;
        form.batches = 1;
        form.a_dtype = call.in[1].dtype;
        form.b_dtype = call.in[0].dtype;
        form.out_dtype = y.dtype;
        form.bias_dtype = bias.dtype;
        form.a = b_.form;
        form.a.transposed = true;
        form.b = a_.form;
        form.d = {false, y.shape[0] == 1 ? y.shape[1] : y.strides[0], 0};
        if (!product_.prepare(device, form)) refuse("cuBLASLt has no algorithm for this product");
        product_at_ = workspace_bytes;
        workspace_bytes += product_.workspace_bytes();
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        const void *a = a_.place(in[0], workspace, stream), *b = b_.place(in[1], workspace, stream);
        for (const void *address : {a, b, in[2], static_cast<const void *>(out[0])})
            if (reinterpret_cast<std::uintptr_t>(address) % 16 != 0)
                throw Failure{MPT_ERROR_UNSUPPORTED, "matmul_f8: memory of the host's that does not start at a multiple of 16 bytes: wrap it where it does"};
        product_.launch({b, a, in[2], out[0], in[4], in[3]}, static_cast<char *>(workspace) + product_at_, stream);
    }
    const char *name() const override { return "cublaslt:matmul_f8"; }

private:
    Lines a_, b_;
    Product product_;
    std::size_t product_at_ = 0;
};

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    return std::make_unique<MatmulF8>(device, call);
}
const RegisteredKernel registered(kName, prepare);

}  // namespace
}  // namespace mpt::cuda
