// "pad" of device/attrs/: row by row in the order of the output's memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "device/attrs/shape.h"
#include "kernel.h"
#include "operand.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

class Pad final : public Kernel {
public:
    Pad(Pool &pool, const mpt_mod_call &call) : pool_(pool) {
        const mpt_mod_operand &x = call.in[0], &y = call.out[0];
        const auto &attrs = attrs_of<mpt_attrs_pad>(call);
        bytes_ = static_cast<std::int64_t>(bytes_of(y.dtype));
        move_ = mover(static_cast<std::size_t>(bytes_));
        const Store<double> store = storer<double>(y.dtype);
        if (!move_ || !store) unsupported_dtype("pad", y.dtype);
        if (x.dtype != y.dtype || x.ndim != y.ndim) throw Failure{MPT_ERROR_INTERNAL, "pad: the operands do not fit"};
        store(&attrs.value, value_, 1, 1, 1, 1);

        int order[MPT_MAX_DIMS];
        for (int d = 0; d < y.ndim; d++) order[d] = d;
        std::stable_sort(order, order + y.ndim, [&](int a, int b) { return y.strides[a] > y.strides[b]; });
        for (int i = 0; i < y.ndim; i++) {
            const int d = order[i];
            dims_[i] = {y.shape[d], x.shape[d], attrs.before[d], y.strides[d], x.strides[d]};
        }
        outer_ = std::max(y.ndim - 1, 0);
        if (y.ndim == 0) dims_[0] = {1, 1, 0, 1, 1};
        for (int d = 0; d < outer_; d++) rows_ *= dims_[d].extent;
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *x = static_cast<const std::byte *>(in[0]);
        auto *y = static_cast<std::byte *>(out[0]);
        const Dim &row = dims_[outer_];
        pool_.for_range(rows_, (kGrain + row.extent - 1) / row.extent, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; r++) {
                std::int64_t to = 0, from = 0, rest = r;
                bool inside = row.inside > 0;
                for (int d = outer_ - 1; d >= 0; d--) {
                    const std::int64_t at = rest % dims_[d].extent, place = at - dims_[d].before;
                    rest /= dims_[d].extent;
                    inside &= place >= 0 && place < dims_[d].inside;
                    to += at * dims_[d].step;
                    from += place * dims_[d].from;
                }
                std::byte *at = y + to * bytes_;
                if (!inside) {
                    fill(at, row.extent);
                    continue;
                }
                fill(at, row.before);
                move_(x + from * bytes_, 0, row.from, at + row.before * row.step * bytes_, 0, row.step, 1, row.inside);
                const std::int64_t done = row.before + row.inside;
                fill(at + done * row.step * bytes_, row.extent - done);
            }
        });
    }

    const char *name() const override { return "cpu:pad"; }

private:
    // Outermost first; inside: the input's extent.
    struct Dim {
        std::int64_t extent, inside, before, step, from;
    };

    void fill(std::byte *at, std::int64_t n) const {
        if (n > 0) move_(value_, 0, 0, at, 0, dims_[outer_].step, 1, n);
    }

    Pool &pool_;
    std::int64_t bytes_, rows_ = 1;
    Move move_;
    alignas(8) std::byte value_[8] = {};
    Dim dims_[MPT_MAX_DIMS] = {};
    int outer_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_pad(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Pad>(pool, call);
}

static const RegisteredKernel registered_pad("pad", prepare_pad);

}  // namespace mpt::cpu
