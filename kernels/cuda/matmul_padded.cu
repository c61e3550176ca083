// Tensor cores are fed, and their results are stored, in pieces of 16 bytes; where an extent along which elements lie beside each other is no
// multiple of that, cuBLASLt takes kernels that are six times slower. Where the lines do not even start well (else see matmul_split.cu), such a matrix is copied to or from
// longer lines in the workspace, a stripe at a time: rows of the result, or, where those are odd, parts of the sum, which are added up in f32.
// The smaller matrix beside it gets lines of zeros.
#include "matmul_padded.h"

#include <algorithm>

#include "device/attrs/product.h"
#include "matmul_forms.h"
#include "workspace.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "matmul";
constexpr std::int64_t kPack = 8;                           // elements of 16 bytes
constexpr std::int64_t kStripeBytes = std::int64_t{256} << 20;
constexpr std::int64_t kStripeStep = 128;                   // rows, a multiple of a product's tile
// Below, the copies cost more than they save.
constexpr double kLeastOperations = 4e9;
constexpr std::int64_t kLeastReuse = 256;
constexpr std::int64_t kMostLineBytes = std::int64_t{1} << 30;  // of the copy of the smaller matrix, which is whole
constexpr std::int64_t kWidest = std::int64_t{1} << 24;         // 32-bit places in a stripe
constexpr int kThreads = 256;

using Half = std::uint16_t;  // any 16-bit element

// Eight neighbours from the aligned pieces that they lie in, the first at place `shift` of the first piece.
__device__ __forceinline__ uint4 shifted(const uint4 &low, const uint4 &high, unsigned shift) {
    std::uint32_t w[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
    for (int i = 0; i < 6; ++i) w[i] = shift & 4 ? w[i + 2] : w[i];
#pragma unroll
    for (int i = 0; i < 5; ++i) w[i] = shift & 2 ? w[i + 1] : w[i];
#pragma unroll
    for (int i = 0; i < 4; ++i) w[i] = shift & 1 ? __funnelshift_r(w[i], w[i + 1], 16) : w[i];
    return {w[0], w[1], w[2], w[3]};
}

// from: [rows, n], dense, starting anywhere. to: rows `ld` apart that start well, with zeros behind n.
__global__ void __launch_bounds__(kThreads) pad(const Half *from, Half *to, std::uint32_t rows, std::uint32_t n, std::uint32_t ld) {
    const std::uint32_t row_packs = ld / kPack, packs = rows * row_packs;
    const Half *const end = from + std::size_t{rows} * n;
    for (std::uint32_t p = blockIdx.x * kThreads + threadIdx.x; p < packs; p += gridDim.x * kThreads) {
        const std::uint32_t row = p / row_packs, column = (p - row * row_packs) * kPack;
        const Half *const at = from + std::size_t{row} * n + column;
        const auto shift = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(at) % 16 / sizeof(Half));
        const Half *const piece = at - shift;
        uint4 x = {};
        if (column + kPack <= n && piece >= from && piece + 2 * kPack <= end) {
            const auto *pieces = reinterpret_cast<const uint4 *>(piece);
            x = shifted(__ldg(pieces), __ldg(pieces + 1), shift);
        } else {
            Half some[kPack] = {};
            for (std::uint32_t v = 0; v < kPack && column + v < n; ++v) some[v] = at[v];
            memcpy(&x, some, sizeof x);
        }
        reinterpret_cast<uint4 *>(to)[p] = x;
    }
}

// The other way. Threads take packs of the result, behind `head` elements before the first of them.
__global__ void __launch_bounds__(kThreads) unpad(const Half *from, Half *to, std::uint32_t rows, std::uint32_t n, std::uint32_t ld,
                                                  std::uint32_t head) {
    const std::uint32_t count = rows * n, packs = (count - head) / kPack;
    const auto element = [&](std::uint32_t i) { return from[std::size_t{i / n} * ld + i % n]; };
    for (std::uint32_t p = blockIdx.x * kThreads + threadIdx.x; p < packs; p += gridDim.x * kThreads) {
        const std::uint32_t first = head + p * kPack, row = first / n, column = first - row * n;
        uint4 x;
        if (column + kPack <= n) {
            const unsigned shift = column % kPack;
            const auto *pieces = reinterpret_cast<const uint4 *>(from + std::size_t{row} * ld + (column - shift));
            x = shift == 0 ? pieces[0] : shifted(pieces[0], pieces[1], shift);
        } else {
            Half some[kPack];
            for (std::uint32_t v = 0; v < kPack; ++v) some[v] = element(first + v);
            memcpy(&x, some, sizeof x);
        }
        __stcs(reinterpret_cast<uint4 *>(to + first), x);
    }
    const std::uint32_t behind = head + packs * kPack, lone = head + count - behind;
    if (blockIdx.x == 0 && threadIdx.x < lone) {
        const std::uint32_t i = threadIdx.x < head ? threadIdx.x : behind + threadIdx.x - head;
        to[i] = element(i);
    }
}

bool starts_well(const MatrixForm &form) {
    return form.ld % kPack == 0;
}
bool dense_rows(const mpt_mod_operand &x) {
    return x.strides[1] == 1 && x.strides[0] == x.shape[1];
}
std::int64_t padded(std::int64_t n) {
    return (n + kPack - 1) / kPack * kPack;
}

// Which extent is no multiple of a pack: the result's columns N, and with them the lines of b; the sum's K, likewise; or, where a is transposed,
// the result's rows M, and the stripes are parts of the sum.
enum class Odd { Columns, Depth, Rows };

class PaddedMatmul final : public Kernel {
public:
    PaddedMatmul(Device &device, const mpt_mod_call &call, Odd odd, const MatrixForm &a, const MatrixForm &b, const MatrixForm &y)
        : device_(device), odd_(odd), has_bias_(present(call.in[2])) {
        const std::int64_t m = call.out[0].shape[0], n = call.out[0].shape[1], k = call.in[0].shape[1];
        width_ = odd == Odd::Columns ? n : odd == Odd::Depth ? k : m;
        ld_ = padded(width_);
        total_ = odd == Odd::Rows ? k : m;
        stripe_ = std::min(total_, std::max(kStripeStep, kStripeBytes / (ld_ * kSize) / kStripeStep * kStripeStep));
        ProductForm form = {};
        form.rows = odd == Odd::Columns ? ld_ : n;  // cuBLASLt's columns are our rows
        form.columns = odd == Odd::Rows ? ld_ : stripe_;
        form.depth = odd == Odd::Columns ? k : odd == Odd::Depth ? ld_ : stripe_;
        form.batches = 1;
        form.a_dtype = form.b_dtype = call.in[0].dtype;
        form.out_dtype = call.out[0].dtype;
        form.bias_dtype = call.in[2].dtype;
        form.a = b;
        form.b = odd == Odd::Columns ? a : MatrixForm{odd == Odd::Rows, ld_, 0};
        form.d = odd == Odd::Columns ? MatrixForm{false, ld_, 0} : y;
        fits = whole_.prepare(device, form);
        if (const std::int64_t rest = total_ % stripe_; fits && rest != 0) {
            (odd == Odd::Rows ? form.depth : form.columns) = rest;
            fits = rest_.prepare(device, form);
        }
        // From one line to the next, in bytes, in what is used as it lies.
        a_step_ = kSize * (odd == Odd::Rows || !a.transposed ? a.ld : 1);
        b_step_ = odd == Odd::Rows ? kSize * b.ld : 0;
        y_step_ = odd == Odd::Rows ? 0 : y.ld * (call.out[0].dtype == MPT_F32 ? 4 : 2);
        line_bytes_ = odd == Odd::Rows ? y.ld * 4 : b.ld * kSize;
        take(workspace_bytes, static_cast<std::size_t>(stripe_ * ld_ * kSize));
        fits = fits && ld_ * line_bytes_ <= kMostLineBytes && width_ < kWidest;
        lines_at_ = take(workspace_bytes, static_cast<std::size_t>(ld_ * line_bytes_));
        bias_at_ = take(workspace_bytes, has_bias_ ? static_cast<std::size_t>(ld_ * kSize) : 0);
        product_at_ = take(workspace_bytes, std::max(whole_.workspace_bytes(), rest_.workspace_bytes()));
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        auto *scratch = static_cast<char *>(workspace);
        auto *stripe = static_cast<Half *>(workspace);
        if (odd_ != Odd::Rows) extend(scratch + lines_at_, in[1], line_bytes_, stream);
        if (has_bias_) extend(scratch + bias_at_, in[2], kSize, stream);
        for (std::int64_t at = 0; at < total_; at += stripe_) {
            const std::int64_t lines = std::min(stripe_, total_ - at);
            const Product &product = lines == stripe_ ? whole_ : rest_;
            const auto rows = static_cast<std::uint32_t>(lines), width = static_cast<std::uint32_t>(width_), ld = static_cast<std::uint32_t>(ld_);
            const void *a = static_cast<const char *>(in[0]) + at * a_step_;
            auto *y = static_cast<char *>(out[0]) + at * y_step_;
            switch (odd_) {
                case Odd::Columns:
                    product.launch({scratch + lines_at_, a, scratch + bias_at_, stripe}, scratch + product_at_, stream);
                    unpad<<<blocks(), kThreads, 0, stream>>>(stripe, reinterpret_cast<Half *>(y), rows, width, ld,
                                                             static_cast<std::uint32_t>((16 - reinterpret_cast<std::uintptr_t>(y) % 16) % 16 / sizeof(Half)));
                    break;
                case Odd::Depth:
                    pad<<<blocks(), kThreads, 0, stream>>>(static_cast<const Half *>(a), stripe, rows, width, ld);
                    product.launch({scratch + lines_at_, stripe, nullptr, y}, scratch + product_at_, stream);
                    break;
                case Odd::Rows:
                    pad<<<blocks(), kThreads, 0, stream>>>(static_cast<const Half *>(a), stripe, rows, width, ld);
                    product.launch({static_cast<const char *>(in[1]) + at * b_step_, stripe, nullptr, scratch + lines_at_}, scratch + product_at_, stream, at != 0);
                    break;
            }
            check_launch(kName);
        }
        if (odd_ == Odd::Rows)
            check(cudaMemcpyAsync(out[0], scratch + lines_at_, static_cast<std::size_t>(width_ * line_bytes_), cudaMemcpyDeviceToDevice, stream), kName);
    }
    const char *name() const override { return "cublaslt:matmul, padded"; }

    bool fits = false;  // cuBLASLt has what is needed

private:
    static constexpr std::int64_t kSize = sizeof(Half);

    unsigned blocks() const { return static_cast<unsigned>(device_.multiprocessors()) * 8; }
    // Lines of zeros behind the last one.
    void extend(char *to, const void *from, std::int64_t line_bytes, cudaStream_t stream) const {
        const auto bytes = static_cast<std::size_t>(width_ * line_bytes);
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), kName);
        check(cudaMemsetAsync(to + bytes, 0, static_cast<std::size_t>(ld_ * line_bytes) - bytes, stream), kName);
    }

    const Device &device_;
    const Odd odd_;
    const bool has_bias_;
    std::int64_t width_, ld_, total_, stripe_, a_step_, b_step_, y_step_, line_bytes_;
    Product whole_, rest_;
    std::size_t lines_at_, bias_at_, product_at_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_padded(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &w = call.in[1], &out = call.out[0], &bias = call.in[2];
    if ((x.dtype != MPT_F16 && x.dtype != MPT_BF16) || x.ndim != 2) return nullptr;
    const std::int64_t m = out.shape[0], n = out.shape[1], k = x.shape[1];
    if (2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < kLeastOperations || std::min({m, n, k}) < kLeastReuse) return nullptr;
    const std::optional<MatrixForm> a = form_of(x), b = form_of(w), y = form_of(out);
    if (!a || !b || !y || y->transposed) return nullptr;
    const bool same = out.dtype == x.dtype, has_bias = present(bias);
    std::optional<Odd> odd;
    if (n % kPack != 0 && k % kPack == 0 && same && dense_rows(out) && b->transposed && b->ld == k && starts_well(*a) &&
        (!has_bias || (bias.dtype == x.dtype && bias.strides[0] == 1)))
        odd = Odd::Columns;
    else if (has_bias || n % kPack != 0 || b->transposed || !starts_well(*b) || y->ld % kPack != 0)
        return nullptr;
    else if (k % kPack != 0 && dense_rows(x) && b->ld == n)
        odd = Odd::Depth;
    else if (m % kPack != 0 && a->transposed && a->ld == m && out.dtype == MPT_F32 && y->ld == n)
        odd = Odd::Rows;
    else
        return nullptr;
    auto kernel = std::make_unique<PaddedMatmul>(device, call, *odd, *a, *b, *y);
    if (!kernel->fits) return nullptr;
    return kernel;
}

}  // namespace mpt::cuda
