// "dropout" and "dropout_grad" of device/attrs/dropout.h.
#include "device/attrs/dropout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "isa.h"
#include "kernel.h"
#include "operand.h"
#include "philox.h"
#include "rows.h"

namespace mpt::cpu {
namespace {

constexpr int kBlocks = 128;  // Philox blocks made at once
constexpr std::int64_t kNumbers = 4 * kBlocks;

// The mask of numbers 4 * block ...
void draw(std::uint64_t seed, std::uint64_t block, std::uint32_t threshold, std::uint8_t *mask) {
    std::uint32_t lanes[4][kBlocks];
    philox(seed, block, lanes);
    for (int b = 0; b < kBlocks; b++)
        for (int l = 0; l < 4; l++) mask[4 * b + l] = (lanes[l][b] >> 8) >= threshold;
}

template <class C>
void keep_row(const C *x, const std::uint8_t *mask, C *y, std::int64_t n, C scale) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = mask[i] ? x[i] * scale : C{0};  // not a product: 0 * inf
}

// y, which is dense, from x of any strides: in runs of y's memory.
template <class C>
class Masked : public Kernel {
protected:
    Masked(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &mask)
        : pool_(pool),
          loop_(call.kernel, {&call.out[0], &call.in[0]}),
          load_(loader<C>(call.in[0].dtype)),
          store_(storer<C>(call.out[0].dtype)) {
        if (!is_float(call.in[0].dtype) || !load_) unsupported_dtype(call.kernel, call.in[0].dtype);
        if (call.in[0].dtype != call.out[0].dtype) unsupported_dtype(call.kernel, call.out[0].dtype);
        if (!is_dense(call.out[0]) || !same_layout(call.out[0], mask) || mask.dtype != MPT_U8)
            throw Failure{MPT_ERROR_INTERNAL, "dropout: the mask is not dense beside the result"};
        bytes_ = static_cast<std::int64_t>(bytes_of(call.in[0].dtype));
        typed_ = call.in[0].dtype == dtype_of<C>();
        scale_ = static_cast<C>(1 / (1 - attrs_of<mpt_attrs_dropout>(call).p));
        // Pieces begin where Philox blocks do.
        pieces_ = (loop_.count + kNumbers - 1) / kNumbers;
    }

    // f(first, n): fills in the mask of elements [first, first + n), or gives the one that is there.
    template <class F>
    void run(const void *x, void *y, F &&f) const {
        pool_.for_range(pieces_, kGrain / kNumbers, [&](std::int64_t begin, std::int64_t end) {
            alignas(64) C in[kNumbers], out[kNumbers];
            for (std::int64_t p = begin; p < end; p++) {
                const std::int64_t first = p * kNumbers, n = std::min(kNumbers, loop_.count - first);
                const std::uint8_t *mask = f(first, n);
                // A piece is one run of y and, where x lies like y, one of x.
                for (std::int64_t done = 0; done < n;) {
                    const std::int64_t row = (first + done) / loop_.inner(), column = (first + done) % loop_.inner();
                    const std::int64_t length = std::min(n - done, loop_.inner() - column);
                    std::int64_t offset[Loop::kOperands];
                    loop_.locate(row, offset);
                    const std::int64_t stride = loop_.inner_stride(1);
                    const auto *from = static_cast<const std::byte *>(x) + (offset[1] + column * stride) * bytes_;
                    auto *to = static_cast<std::byte *>(y) + (first + done) * bytes_;
                    const C *values = reinterpret_cast<const C *>(from);
                    if (!typed_ || stride != 1) {
                        load_(from, 1, length, length, stride, in);
                        values = in;
                    }
                    if (typed_) {
                        keep_(values, mask + done, reinterpret_cast<C *>(to), length, scale_);
                    } else {
                        keep_(values, mask + done, out, length, scale_);
                        store_(out, to, 1, length, length, 1);
                    }
                    done += length;
                }
            }
        });
    }

private:
    Pool &pool_;
    Loop loop_;
    Load<C> load_;
    Store<C> store_;
    void (*keep_)(const C *, const std::uint8_t *, C *, std::int64_t, C) = Versions<&keep_row<C>>::best();
    std::int64_t bytes_, pieces_;
    bool typed_;
    C scale_;
};

template <class C>
class Dropout final : public Masked<C> {
public:
    Dropout(Pool &pool, const mpt_mod_call &call)
        : Masked<C>(pool, call, call.out[1]),
          threshold_(static_cast<std::uint32_t>(std::ceil(attrs_of<mpt_attrs_dropout>(call).p * 0x1p24))) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *state = static_cast<const std::int64_t *>(in[1]);
        const auto seed = static_cast<std::uint64_t>(state[0]), counter = static_cast<std::uint64_t>(state[1]);
        auto *mask = static_cast<std::uint8_t *>(out[1]);
        Masked<C>::run(in[0], out[0], [&](std::int64_t first, std::int64_t n) {
            const std::uint64_t block = counter + static_cast<std::uint64_t>(first / 4);
            if (n == kNumbers) {
                draw_(seed, block, threshold_, mask + first);
            } else {
                std::uint8_t whole[kNumbers];
                draw_(seed, block, threshold_, whole);
                std::copy_n(whole, n, mask + first);
            }
            return mask + first;
        });
    }

    const char *name() const override { return "cpu:dropout"; }

private:
    std::uint32_t threshold_;
    void (*draw_)(std::uint64_t, std::uint64_t, std::uint32_t, std::uint8_t *) = Versions<&draw>::best();
};

template <class C>
class DropoutGrad final : public Masked<C> {
public:
    DropoutGrad(Pool &pool, const mpt_mod_call &call) : Masked<C>(pool, call, call.in[1]) {}

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *mask = static_cast<const std::uint8_t *>(in[1]);
        Masked<C>::run(in[0], out[0], [&](std::int64_t first, std::int64_t) { return mask + first; });
    }

    const char *name() const override { return "cpu:dropout"; }
};

}  // namespace

static std::unique_ptr<Kernel> prepare_dropout(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<Dropout<double>>(pool, call);
    return std::make_unique<Dropout<float>>(pool, call);
}
static std::unique_ptr<Kernel> prepare_dropout_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<DropoutGrad<double>>(pool, call);
    return std::make_unique<DropoutGrad<float>>(pool, call);
}

static const RegisteredKernel registered_dropout("dropout", prepare_dropout);
static const RegisteredKernel registered_dropout_grad("dropout_grad", prepare_dropout_grad);

}  // namespace mpt::cpu
