// "cumsum" of device/attrs/, in f64. Where dim is the fastest dimension, line after line, long lines in pieces of one size whose
// sums are found first; else a row of running sums for neighbouring lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "device/attrs/scan.h"
#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "sums.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

class Scan : public Kernel {
protected:
    Scan(Pool &pool, const mpt_mod_call &call, const Loop &loop) : pool_(pool), loop_(loop) {
        const mpt_mod_operand &x = call.in[0], &y = call.out[0];
        const auto &attrs = attrs_of<mpt_attrs_scan>(call);
        load_ = loader<double>(x.dtype);
        store_ = storer<double>(y.dtype);
        if (!load_ || !is_float(y.dtype)) unsupported_dtype("cumsum", x.dtype);
        bytes_[0] = static_cast<std::int64_t>(bytes_of(y.dtype));
        bytes_[1] = static_cast<std::int64_t>(bytes_of(x.dtype));
        n_ = x.shape[attrs.dim];
        // Backwards: from the last element on, with negative steps.
        const std::int64_t sign = attrs.reverse ? -1 : 1;
        for (int k = 0; k < 2; k++) {
            const mpt_mod_operand &operand = k == 0 ? y : x;
            step_[k] = sign * operand.strides[attrs.dim];
            first_[k] = attrs.reverse ? (n_ - 1) * operand.strides[attrs.dim] : 0;
        }
    }

    const std::byte *at(const void *base, int k, std::int64_t offset) const {
        return static_cast<const std::byte *>(base) + (first_[k] + offset) * bytes_[k];
    }
    std::byte *at(void *base, std::int64_t offset) const { return const_cast<std::byte *>(at(base, 0, offset)); }

    static constexpr std::int64_t kTile = 512;
    Pool &pool_;
    Loop loop_;  // over the lines
    Load<double> load_;
    Store<double> store_;
    std::int64_t bytes_[2], n_, step_[2], first_[2];  // of output and input
};

class Lines final : public Scan {
public:
    Lines(Pool &pool, const mpt_mod_call &call, const Loop &loop) : Scan(pool, call, loop), pieces_((n_ + kPiece - 1) / kPiece) {
        if (pieces_ > 1) workspace_bytes = static_cast<std::size_t>(loop_.count * pieces_) * sizeof(double);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *sums = static_cast<double *>(workspace);
        if (pieces_ > 1) {
            each_piece([&](std::int64_t i, std::int64_t begin, std::int64_t n, const std::int64_t *offset) {
                sums[i] = total(at(in[0], 1, offset[1] + begin * step_[1]), n);
            });
            for (std::int64_t line = 0; line < loop_.count; line++) {
                double before = 0;
                for (std::int64_t i = line * pieces_; i < (line + 1) * pieces_; i++) {
                    const double own = sums[i];
                    sums[i] = before;
                    before += own;
                }
            }
        }
        each_piece([&](std::int64_t i, std::int64_t begin, std::int64_t n, const std::int64_t *offset) {
            scan(at(in[0], 1, offset[1] + begin * step_[1]), at(out[0], offset[0] + begin * step_[0]), n,
                 pieces_ > 1 ? sums[i] : 0);
        });
    }

    const char *name() const override { return "cpu:cumsum_lines"; }

private:
    static constexpr std::int64_t kPiece = 65536;

    template <class F>
    void each_piece(F &&f) const {
        const std::int64_t size = std::max<std::int64_t>(std::min(kPiece, n_), 1);
        pool_.for_range(loop_.count * pieces_, (kGrain + size - 1) / size, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t i = first; i < last; i++) {
                const std::int64_t line = i / pieces_, begin = i % pieces_ * kPiece;
                std::int64_t offset[Loop::kOperands];
                loop_.locate(line / loop_.inner(), offset);
                for (int k = 0; k < 2; k++) offset[k] += line % loop_.inner() * loop_.inner_stride(k);
                f(i, begin, std::min(kPiece, n_ - begin), offset);
            }
        });
    }

    double total(const std::byte *x, std::int64_t n) const {
        double sum = 0;
        for (std::int64_t i = 0; i < n; i += kTile) {
            alignas(64) double v[kTile];
            const std::int64_t length = std::min(kTile, n - i);
            load_(x + i * step_[1] * bytes_[1], 1, length, length, step_[1], v);
            sum += sum_(v, length);
        }
        return sum;
    }

    // The running sums, from sum on.
    void scan(const std::byte *x, std::byte *y, std::int64_t n, double sum) const {
        for (std::int64_t i = 0; i < n; i += kTile) {
            double v[kTile];
            const std::int64_t length = std::min(kTile, n - i);
            load_(x + i * step_[1] * bytes_[1], 1, length, length, step_[1], v);
            for (std::int64_t j = 0; j < length; j++) v[j] = sum += v[j];
            store_(v, y + i * step_[0] * bytes_[0], 1, length, length, step_[0]);
        }
    }

    double (*sum_)(const double *, std::int64_t) = Versions<&sum_run<double>>::best();
    std::int64_t pieces_;
};

class Columns final : public Scan {
public:
    Columns(Pool &pool, const mpt_mod_call &call, const Loop &loop)
        : Scan(pool, call, loop), tiling_(loop_, 1, std::min(loop_.inner(), kTile)) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t size = tiling_.width * n_;
        pool_.for_range(tiling_.count, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; t++) {
                const Tile tile = tiling_.at(loop_, t);
                double sum[kTile], v[kTile];
                std::fill_n(sum, tile.n, 0.0);
                for (std::int64_t i = 0; i < n_; i++) {
                    load_(at(in[0], 1, tile.offset[1] + i * step_[1]), 1, tile.n, tile.n, loop_.inner_stride(1), v);
                    for (std::int64_t j = 0; j < tile.n; j++) sum[j] += v[j];
                    store_(sum, at(out[0], tile.offset[0] + i * step_[0]), 1, tile.n, tile.n, loop_.inner_stride(0));
                }
            }
        });
    }

    const char *name() const override { return "cpu:cumsum_columns"; }

private:
    Tiling tiling_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_cumsum(Pool &pool, const mpt_mod_call &call) {
    const mpt_mod_operand &y = call.out[0];
    const std::int32_t dim = attrs_of<mpt_attrs_scan>(call).dim;
    if (dim < 0 || dim >= y.ndim) throw Failure{MPT_ERROR_INTERNAL, "cumsum: dim is outside its range"};
    const mpt_mod_operand to = without_dim(y, dim), from = without_dim(call.in[0], dim);
    const Loop loop("cumsum", {&to, &from});
    constexpr std::int64_t kFew = 8;
    if (loop.inner() >= kFew && y.strides[dim] > loop.inner_stride(0)) return std::make_unique<Columns>(pool, call, loop);
    return std::make_unique<Lines>(pool, call, loop);
}

static const RegisteredKernel registered_cumsum("cumsum", prepare_cumsum);

}  // namespace mpt::cpu
