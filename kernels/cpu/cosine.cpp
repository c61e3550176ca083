// "cosine" and "cosine_grad" of device/attrs/loss.h.
#include <cmath>
#include <cstddef>

#include "device/attrs/loss.h"
#include "isa.h"
#include "kernel.h"
#include "sums.h"
#include "tiled_row.h"

namespace mpt::cpu {
namespace {

// The pairs of rows along dim, and where their results lie.
template <class C>
class CosineRows : public Kernel {
protected:
    CosineRows(Pool &pool, const mpt_mod_call &call, const mpt_mod_operand &result)
        : pool_(pool), attrs_(attrs_of<mpt_attrs_cosine>(call)) {
        if (attrs_.dim < 0 || attrs_.dim >= call.in[0].ndim) throw Failure{MPT_ERROR_INTERNAL, "cosine: dim is outside its range"};
        n_ = call.in[0].shape[attrs_.dim];
        for (int k = 0; k < 2; k++) {
            const mpt_mod_operand &x = call.in[k];
            load_[k] = loader<C>(x.dtype);
            if (!load_[k]) unsupported_dtype(call.kernel, x.dtype);
            dtype_[k] = x.dtype;
            stride_[k] = x.strides[attrs_.dim];
            starts_[k] = without_dim(x, attrs_.dim);
        }
        loop_ = Loop(call.kernel, {&result, &starts_[0], &starts_[1]});
    }

    // f(offsets of the loop's operands, reader of a, reader of b) for all of them.
    template <class F>
    void for_rows(const Loop &loop, F &&f) const {
        pool_.for_range(loop.count, (kGrain / 4 + n_) / std::max<std::int64_t>(n_, 1), [&](std::int64_t begin, std::int64_t end) {
            RowReader<C> a(load_[0], dtype_[0], stride_[0]), b(load_[1], dtype_[1], stride_[1]);
            for (std::int64_t r = begin; r < end; r++) {
                std::int64_t offset[Loop::kOperands];
                locate(loop, r, offset);
                f(offset, a, b);
            }
        });
    }
    static void locate(const Loop &loop, std::int64_t row, std::int64_t *offset) {
        loop.locate(row / loop.inner(), offset);
        for (int k = 0; k < loop.operands; k++) offset[k] += row % loop.inner() * loop.inner_stride(k);
    }
    void start(RowReader<C> &x, int k, const void *base, std::int64_t offset) const {
        x.start(static_cast<const std::byte *>(base) + offset * static_cast<std::int64_t>(bytes_of(dtype_[k])));
    }

    Pool &pool_;
    mpt_attrs_cosine attrs_;
    std::int64_t n_;
    mpt_mod_operand starts_[2];
    Loop loop_;

private:
    Load<C> load_[2];
    std::int32_t dtype_[2];
    std::int64_t stride_[2];
};

template <class C>
class Cosine final : public CosineRows<C> {
    using Base = CosineRows<C>;

public:
    Cosine(Pool &pool, const mpt_mod_call &call) : Base(pool, call, call.out[0]) {
        for (int k = 0; k < 3; k++)
            if (call.out[k].dtype != dtype_of<C>() || !same_layout(call.out[k], call.out[0]))
                unsupported_dtype(call.kernel, call.out[k].dtype);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        Base::for_rows(Base::loop_, [&](const std::int64_t *offset, RowReader<C> &a, RowReader<C> &b) {
            Base::start(a, 0, in[0], offset[1]);
            Base::start(b, 1, in[1], offset[2]);
            C ab = 0, aa = 0, bb = 0;
            each_tile(Base::n_, [&](std::int64_t i, std::int64_t length) {
                const C *x = a.tile(i, length), *y = b.tile(i, length);
                ab += dot_(x, y, length);
                aa += dot_(x, x, length);
                bb += dot_(y, y, length);
            });
            const C length_a = std::sqrt(aa), length_b = std::sqrt(bb), product = length_a * length_b;
            const C eps = static_cast<C>(Base::attrs_.eps);
            static_cast<C *>(out[0])[offset[0]] = ab / (product < eps ? eps : product);
            static_cast<C *>(out[1])[offset[0]] = length_a;
            static_cast<C *>(out[2])[offset[0]] = length_b;
        });
    }

    const char *name() const override { return "cpu:cosine"; }

private:
    C (*dot_)(const C *, const C *, std::int64_t) = Versions<&dot_run<C>>::best();
};

template <class C>
void combine_row(const C *x, const C *y, C *out, std::int64_t n, C of_x, C of_y) {
    for (std::int64_t i = 0; i < n; i++) out[i] = of_y * y[i] - of_x * x[i];
}

// d/dx of g cos(x, y) = g / max(|x| |y|, eps) y - g cos / |x|^2 x, the second term only where eps is not the larger one.
template <class C>
class CosineGrad final : public CosineRows<C> {
    using Base = CosineRows<C>;

public:
    CosineGrad(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call, call.in[2]), out_(call.out[0]), store_(storer<C>(out_.dtype)) {
        if (!is_float(out_.dtype)) unsupported_dtype(call.kernel, out_.dtype);
        for (int k = 2; k < 6; k++)
            if (call.in[k].dtype != dtype_of<C>()) unsupported_dtype(call.kernel, call.in[k].dtype);
        for (int k = 2; k < 5; k++)
            if (!is_dense(call.in[k]) || !same_layout(call.in[k], call.in[2]))
                throw Failure{MPT_ERROR_INTERNAL, "cosine_grad: similarity and lengths must be dense and alike"};
        const mpt_mod_operand start = without_dim(out_, Base::attrs_.dim);
        scalars_ = Loop(call.kernel, {&call.in[2], &call.in[5]});
        rows_ = Loop(call.kernel, {&call.in[2], &Base::starts_[0], &Base::starts_[1], &start});
        stride_ = out_.strides[Base::attrs_.dim];
        direct_ = out_.dtype == dtype_of<C>() && stride_ == 1;
        Base::workspace_bytes = static_cast<std::size_t>(scalars_.count) * sizeof(Factors);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *factors = static_cast<Factors *>(workspace);
        const int side = Base::attrs_.side;
        const auto *cosine = static_cast<const C *>(in[2]), *length_a = static_cast<const C *>(in[3]),
                   *length_b = static_cast<const C *>(in[4]);
        const auto *gradient = static_cast<const C *>(in[5]);
        const C *own = side == 0 ? length_a : length_b;
        const C eps = static_cast<C>(Base::attrs_.eps);
        Base::pool_.for_range(scalars_.count, kGrain / 4, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t r = begin; r < end; r++) {
                std::int64_t offset[Loop::kOperands];
                Base::locate(scalars_, r, offset);
                const std::int64_t at = offset[0];
                const C g = gradient[offset[1]], product = length_a[at] * length_b[at];
                const bool clamped = product < eps;
                factors[at] = {clamped ? C{0} : g * cosine[at] / own[at] / own[at], g / (clamped ? eps : product)};
            }
        });
        const auto bytes = static_cast<std::int64_t>(bytes_of(out_.dtype));
        Base::for_rows(rows_, [&](const std::int64_t *offset, RowReader<C> &a, RowReader<C> &b) {
            Base::start(a, 0, in[0], offset[1]);
            Base::start(b, 1, in[1], offset[2]);
            const Factors f = factors[offset[0]];
            alignas(64) C buffer[kRowTile];
            each_tile(Base::n_, [&](std::int64_t i, std::int64_t length) {
                auto *to = static_cast<std::byte *>(out[0]) + (offset[3] + i * stride_) * bytes;
                const C *x = a.tile(i, length), *y = b.tile(i, length);
                C *values = direct_ ? reinterpret_cast<C *>(to) : buffer;
                combine_(side == 0 ? x : y, side == 0 ? y : x, values, length, f.own, f.other);
                if (!direct_) store_(values, to, 1, length, length, stride_);
            });
        });
    }

    const char *name() const override { return "cpu:cosine_grad"; }

private:
    struct Factors {
        C own, other;
    };
    mpt_mod_operand out_;
    Store<C> store_;
    Loop scalars_, rows_;
    std::int64_t stride_;
    bool direct_;
    void (*combine_)(const C *, const C *, C *, std::int64_t, C, C) = Versions<&combine_row<C>>::best();
};

bool in_f64(const mpt_mod_call &call) {
    return call.in[0].dtype == MPT_F64 || call.in[1].dtype == MPT_F64;
}

}  // namespace

static std::unique_ptr<Kernel> prepare_cosine(Pool &pool, const mpt_mod_call &call) {
    if (in_f64(call)) return std::make_unique<Cosine<double>>(pool, call);
    return std::make_unique<Cosine<float>>(pool, call);
}

static std::unique_ptr<Kernel> prepare_cosine_grad(Pool &pool, const mpt_mod_call &call) {
    if (in_f64(call)) return std::make_unique<CosineGrad<double>>(pool, call);
    return std::make_unique<CosineGrad<float>>(pool, call);
}

static const RegisteredKernel registered_cosine("cosine", prepare_cosine);
static const RegisteredKernel registered_cosine_grad("cosine_grad", prepare_cosine_grad);

}  // namespace mpt::cpu
