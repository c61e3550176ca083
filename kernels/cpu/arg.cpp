// "arg" of device/attrs/: where the largest or smallest element of a line is. Where dim is the fastest dimension, the
// extreme is found first and then looked for; else neighbouring lines are followed together.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "device/attrs/sort.h"
#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"
#include "sums.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

// NaN beats everything but an earlier NaN.
template <class C>
void follow(const C *x, C *best, std::int64_t *place, std::int64_t n, std::int64_t i, bool largest) {
    for (std::int64_t j = 0; j < n; j++) {
        const bool better = (largest ? x[j] > best[j] : x[j] < best[j]) || (x[j] != x[j] && best[j] == best[j]);
        best[j] = better ? x[j] : best[j];
        place[j] = better ? i : place[j];
    }
}

template <class C>
class Arg final : public Kernel {
public:
    Arg(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &x = call.in[0], &y = call.out[0];
        const auto &attrs = attrs_of<mpt_attrs_sort>(call);
        if (attrs.dim < 0 || attrs.dim >= x.ndim || y.dtype != MPT_I64)
            throw Failure{MPT_ERROR_INTERNAL, "arg: the operands do not fit"};
        load_ = loader<C>(x.dtype);
        if (!load_) unsupported_dtype("arg", x.dtype);
        dtype_ = x.dtype;
        bytes_ = static_cast<std::int64_t>(bytes_of(x.dtype));
        largest_ = attrs.descending != 0;
        extreme_ = largest_ ? Versions<&max_run<C>>::best() : Versions<&min_run<C>>::best();
        n_ = x.shape[attrs.dim];
        step_ = x.strides[attrs.dim];
        const mpt_mod_operand from = without_dim(x, attrs.dim), to = without_dim(y, attrs.dim);
        loop_ = Loop("arg", {&from, &to});
        along_ = loop_.inner() < 8 || step_ <= loop_.inner_stride(0);
        tiling_ = Tiling(loop_, 1, std::min<std::int64_t>(loop_.inner(), along_ ? 1 : kWidth));
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const std::int64_t size = tiling_.width * n_;
        pool_.for_range(tiling_.count, (kGrain + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            RowReader<C> row(load_, dtype_, step_);
            for (std::int64_t t = begin; t < end; t++) {
                const Tile tile = tiling_.at(loop_, t);
                const auto *x = static_cast<const std::byte *>(in[0]) + tile.offset[0] * bytes_;
                auto *y = static_cast<std::int64_t *>(out[0]) + tile.offset[1];
                if (along_) {
                    row.start(x);
                    *y = place_in(row);
                } else {
                    places_across(x, y, tile.n);
                }
            }
        });
    }

    const char *name() const override { return "cpu:arg"; }

private:
    static constexpr std::int64_t kWidth = 256;

    std::int64_t place_in(RowReader<C> &row) const {
        C best = 0;
        std::int64_t tile = 0;
        each_tile(n_, [&](std::int64_t i, std::int64_t length) {
            const C here = extreme_(row.tile(i, length), length);
            if (i > 0 && (best != best || !(here != here || (largest_ ? here > best : here < best)))) return;
            best = here;
            tile = i;
        });
        const std::int64_t length = std::min(kRowTile, n_ - tile);
        const C *x = row.tile(tile, length);
        std::int64_t i = 0;
        while (i < length - 1 && x[i] != best && (x[i] == x[i] || best == best)) i++;
        return tile + i;
    }

    void places_across(const std::byte *x, std::int64_t *y, std::int64_t n) const {
        alignas(64) C best[kWidth], values[kWidth];
        std::int64_t place[kWidth] = {};
        load_(x, 1, n, n, loop_.inner_stride(0), best);
        for (std::int64_t i = 1; i < n_; i++) {
            load_(x + i * step_ * bytes_, 1, n, n, loop_.inner_stride(0), values);
            follow_(values, best, place, n, i, largest_);
        }
        for (std::int64_t j = 0; j < n; j++) y[j * loop_.inner_stride(1)] = place[j];
    }

    Pool &pool_;
    Load<C> load_;
    std::int32_t dtype_;
    C (*extreme_)(const C *, std::int64_t);
    void (*follow_)(const C *, C *, std::int64_t *, std::int64_t, std::int64_t, bool) = Versions<&follow<C>>::best();
    std::int64_t bytes_, n_, step_;
    bool largest_, along_;
    Loop loop_;
    Tiling tiling_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_arg(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Arg<double>>(pool, call);
    return std::make_unique<Arg<float>>(pool, call);
}

static const RegisteredKernel registered_arg("arg", prepare_arg);

}  // namespace mpt::cpu
