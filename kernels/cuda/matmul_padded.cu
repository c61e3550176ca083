// Tensor cores are fed, and their results are stored, in pieces of 16 bytes; where rows start between them cuBLASLt takes kernels that are
// six times slower. So such a matrix is copied to or from rows in the workspace that start well, a stripe at a time: rows of the result,
// or, where the long side is the sum's, parts of the sum, which are added up in f32.
#include "matmul_padded.h"

#include <algorithm>

#include "device/attrs/product.h"
#include "matmul_forms.h"

namespace mpt::cuda {
namespace {

constexpr const char *kName = "matmul";
constexpr std::int64_t kPack = 8;                           // elements of 16 bytes
constexpr std::int64_t kStripeBytes = std::int64_t{128} << 20;
constexpr std::int64_t kStripeStep = 128;                   // rows, a multiple of a product's tile
// Below, the copies cost more than they save.
constexpr double kLeastOperations = 4e9;
constexpr std::int64_t kLeastReuse = 256;
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

bool starts_well(const MatrixForm &form, std::size_t size) {
    return form.ld * static_cast<std::int64_t>(size) % 16 == 0;
}
bool dense_rows(const mpt_mod_operand &x) {
    return x.strides[1] == 1 && x.strides[0] == x.shape[1];
}
std::int64_t padded(std::int64_t n) {
    return (n + kPack - 1) / kPack * kPack;
}

class PaddedMatmul final : public Kernel {
public:
    enum class Long { Result, Operand, Sum };  // y [M, N], a [M, K], or a [M, K] of transposed rows is what does not start well

    PaddedMatmul(Device &device, const mpt_mod_call &call, Long which, const MatrixForm &a, const MatrixForm &b, const MatrixForm &y)
        : device_(device), which_(which), has_bias_(present(call.in[2])) {
        const std::int64_t m = call.out[0].shape[0], n = call.out[0].shape[1], k = call.in[0].shape[1];
        width_ = which == Long::Result ? n : which == Long::Operand ? k : m;
        ld_ = padded(width_);
        total_ = which == Long::Sum ? k : m;
        stripe_ = std::min(total_, std::max(kStripeStep, kStripeBytes / (ld_ * static_cast<std::int64_t>(sizeof(Half))) / kStripeStep * kStripeStep));
        ProductForm form = {};
        form.rows = n;
        form.columns = m;
        form.depth = k;
        form.batches = 1;
        form.a_dtype = form.b_dtype = call.in[0].dtype;
        form.out_dtype = call.out[0].dtype;
        form.bias_dtype = call.in[2].dtype;
        form.a = b;  // cuBLASLt's columns are our rows
        form.b = which == Long::Result ? a : MatrixForm{which == Long::Sum, ld_, 0};
        form.d = which == Long::Result ? MatrixForm{false, ld_, 0} : y;
        (which == Long::Sum ? form.depth : form.columns) = stripe_;
        // How far the next stripe is, in bytes, in what is used as it lies.
        const auto step = [&](const MatrixForm &x, bool along, std::size_t size) { return (along ? x.ld : 1) * static_cast<std::int64_t>(size); };
        const std::size_t out_size = form.out_dtype == MPT_F32 ? 4 : 2;
        a_step_ = step(a, which == Long::Sum ? a.transposed : !a.transposed, sizeof(Half));
        b_step_ = which == Long::Sum ? step(b, !b.transposed, sizeof(Half)) : 0;
        y_step_ = which == Long::Sum ? 0 : step(y, true, out_size);
        fits = whole_.prepare(device, form);
        const std::int64_t rest = total_ % stripe_;
        if (fits && rest != 0) {
            (which == Long::Sum ? form.depth : form.columns) = rest;
            fits = rest_.prepare(device, form);
        }
        product_at_ = static_cast<std::size_t>((stripe_ * ld_ * static_cast<std::int64_t>(sizeof(Half)) + 255) / 256 * 256);
        workspace_bytes = product_at_ + std::max(whole_.workspace_bytes(), rest_.workspace_bytes()) + 15;
    }

    void launch(const void *const *in, void *const *out, void *workspace, cudaStream_t stream) override {
        auto *scratch = reinterpret_cast<char *>((reinterpret_cast<std::uintptr_t>(workspace) + 15) / 16 * 16);
        auto *stripe = reinterpret_cast<Half *>(scratch);
        for (std::int64_t at = 0; at < total_; at += stripe_) {
            const std::int64_t rows = std::min(stripe_, total_ - at);
            const Product &product = rows == stripe_ ? whole_ : rest_;
            const void *a = static_cast<const char *>(in[0]) + at * a_step_, *b = static_cast<const char *>(in[1]) + at * b_step_;
            void *y = static_cast<char *>(out[0]) + at * y_step_;
            if (which_ != Long::Result) {
                pad<<<blocks(), kThreads, 0, stream>>>(static_cast<const Half *>(a), stripe, static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(width_),
                                                       static_cast<std::uint32_t>(ld_));
                check_launch(kName);
            }
            product.launch({b, which_ == Long::Result ? a : stripe, in[2], which_ == Long::Result ? stripe : y}, scratch + product_at_, stream,
                           which_ == Long::Sum && at != 0);
            if (which_ == Long::Result) {
                const auto head = static_cast<std::uint32_t>((16 - reinterpret_cast<std::uintptr_t>(y) % 16) % 16 / sizeof(Half));
                unpad<<<blocks(), kThreads, 0, stream>>>(stripe, static_cast<Half *>(y), static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(width_),
                                                         static_cast<std::uint32_t>(ld_), head);
                check_launch(kName);
            }
        }
    }
    const char *name() const override { return "cublaslt:matmul, padded"; }

    bool fits = false;  // cuBLASLt has what is needed

private:
    unsigned blocks() const { return static_cast<unsigned>(device_.multiprocessors()) * 8; }

    const Device &device_;
    const Long which_;
    const bool has_bias_;
    std::int64_t width_, ld_, total_, stripe_, a_step_, b_step_, y_step_;
    Product whole_, rest_;
    std::size_t product_at_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_padded(Device &device, const mpt_mod_call &call) {
    const mpt_mod_operand &x = call.in[0], &w = call.in[1], &out = call.out[0], &bias = call.in[2];
    if ((x.dtype != MPT_F16 && x.dtype != MPT_BF16) || x.ndim != 2) return nullptr;
    const std::int64_t m = out.shape[0], n = out.shape[1], k = x.shape[1];
    if (2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) < kLeastOperations || std::min({m, n, k}) < kLeastReuse) return nullptr;
    const std::optional<MatrixForm> a = form_of(x), b = form_of(w), y = form_of(out);
    if (!a || !b || !y || y->transposed || !starts_well(*b, 2)) return nullptr;
    const bool y_well = starts_well(*y, out.dtype == MPT_F32 ? 4 : 2), a_well = starts_well(*a, 2);
    using Long = PaddedMatmul::Long;
    std::optional<Long> which;
    if (!y_well && a_well && out.dtype == x.dtype && dense_rows(out) && (!present(bias) || (bias.dtype == x.dtype && bias.strides[0] == 1)))
        which = Long::Result;
    else if (!a_well && y_well && !a->transposed && dense_rows(x) && !present(bias))
        which = Long::Operand;
    else if (!a_well && y_well && a->transposed && x.strides[1] == m && out.dtype == MPT_F32 && !present(bias))
        which = Long::Sum;
    if (!which) return nullptr;
    auto kernel = std::make_unique<PaddedMatmul>(device, call, *which, *a, *b, *y);
    if (!kernel->fits) return nullptr;
    return kernel;
}

}  // namespace mpt::cuda
