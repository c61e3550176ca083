// cuBLASLt takes kernels that are six times slower where an extent along which elements lie beside each other is no multiple of 16 bytes,
// even if every row starts at one. So such a product is made as two: of all whole packs, in place, and of the few elements behind them.
#include "matmul_split.h"

#include <algorithm>

#include "matmul_forms.h"
#include "workspace.h"

namespace mpt::cuda {
namespace {

constexpr std::int64_t kPack = 8;  // elements of 16 bytes
// Below, two launches cost more than they save.
constexpr double kLeastOperations = 4e9;
constexpr std::int64_t kLeast = 256;

// Which extent: the result's columns N, its rows M, or the sum's K.
enum class Odd { Columns, Rows, Depth };

class SplitMatmul final : public Kernel {
public:
    SplitMatmul(Device &device, const mpt_mod_call &call, Odd odd, const MatrixForm &a, const MatrixForm &b, const MatrixForm &y) : odd_(odd) {
        const std::int64_t m = call.out[0].shape[0], n = call.out[0].shape[1], k = call.in[0].shape[1];
        ProductForm form = {};
        form.rows = n;  // cuBLASLt's columns are our rows
        form.columns = m;
        form.depth = k;
        form.batches = 1;
        form.a_dtype = form.b_dtype = call.in[0].dtype;
        form.out_dtype = call.out[0].dtype;
        form.bias_dtype = call.in[2].dtype;
        form.a = b;
        form.b = a;
        form.d = y;
        std::int64_t &extent = odd == Odd::Columns ? form.rows : odd == Odd::Rows ? form.columns : form.depth;
        const std::int64_t whole = extent / kPack * kPack, behind = extent - whole;
        extent = whole;
        fits = whole_.prepare(device, form);
        extent = behind;
        if (odd == Odd::Depth) form.bias_dtype = MPT_DTYPE_NONE;  // it comes with the others
        fits = fits && behind_.prepare(device, form);
        // Where the elements behind begin, in elements.
        const auto step = [&](const MatrixForm &x, bool down) { return down == x.transposed ? whole : whole * x.ld; };
        if (odd != Odd::Columns) a_at_ = step(a, odd == Odd::Rows);
        if (odd != Odd::Rows) b_at_ = step(b, odd == Odd::Depth);
        if (odd == Odd::Columns) y_at_ = whole;
        if (odd == Odd::Rows) y_at_ = whole * y.ld;
        if (odd == Odd::Columns && present(call.in[2])) bias_at_ = whole;
        y_size_ = call.out[0].dtype == MPT_F32 ? 4 : 2;
        bias_size_ = call.in[2].dtype == MPT_F32 ? 4 : 2;
        workspace_bytes = std::max(whole_.workspace_bytes(), behind_.workspace_bytes());
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        const auto at = [](const void *base, std::int64_t bytes) { return base ? static_cast<const char *>(base) + bytes : nullptr; };
        const void *bias = odd_ == Odd::Depth ? nullptr : at(in[2], bias_at_ * bias_size_);
        // The few of a sum first: they are rounded once more, and small.
        behind_.launch({at(in[1], b_at_ * 2), at(in[0], a_at_ * 2), bias, static_cast<char *>(out[0]) + y_at_ * y_size_}, workspace, stream);
        whole_.launch({in[1], in[0], in[2], out[0]}, workspace, stream, odd_ == Odd::Depth);
    }
    const char *name() const override { return "cublaslt:matmul, split"; }

    bool fits = false;  // cuBLASLt has what is needed

private:
    const Odd odd_;
    std::int64_t a_at_ = 0, b_at_ = 0, y_at_ = 0, bias_at_ = 0, y_size_, bias_size_;
    Product whole_, behind_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_split(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &w = call.in[1], &out = call.out[0], &bias = call.in[2];
    if ((x.dtype != MPT_F16 && x.dtype != MPT_BF16) || x.ndim != 2) return nullptr;
    const std::int64_t m = out.shape[0], n = out.shape[1], k = x.shape[1];
    if (2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < kLeastOperations || std::min({m, n, k}) < kLeast) return nullptr;
    if (present(bias) && bias.strides[0] != 1) return nullptr;
    const std::optional<MatrixForm> a = form_of(x), b = form_of(w), y = form_of(out);
    if (!a || !b || !y || y->transposed || a->ld % kPack != 0 || b->ld % kPack != 0 || y->ld % kPack != 0) return nullptr;
    const bool columns = n % kPack != 0, rows = m % kPack != 0 && a->transposed, depth = k % kPack != 0 && (!a->transposed || b->transposed);
    if (columns + rows + depth != 1) return nullptr;
    auto kernel = std::make_unique<SplitMatmul>(device, call, columns ? Odd::Columns : rows ? Odd::Rows : Odd::Depth, *a, *b, *y);
    if (!kernel->fits) return nullptr;
    return kernel;
}

}  // namespace mpt::cuda
