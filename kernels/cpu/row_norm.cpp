// "row_norm" of device/attrs/norm.h.
#include "row_norm.h"

#include <cmath>

#include "kernel.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

// The sum of x - mean; squares: of (x - mean)^2.
template <class C>
C moments_run(const C *x, std::int64_t n, C mean, C *squares) {
    using L = Lanes<C>;
    typename L::Vector a{}, b{}, c{}, d{};
    std::int64_t i = 0;
    for (; i + 2 * L::count <= n; i += 2 * L::count) {
        const typename L::Vector u = L::at(x + i) - mean, v = L::at(x + i + L::count) - mean;
        a += u;
        b += v;
        c += u * u;
        d += v * v;
    }
    C tail = 0, square_tail = 0;
    for (; i < n; i++) {
        const C u = x[i] - mean;
        tail += u;
        square_tail += u * u;
    }
    *squares = L::sum(c + d) + square_tail;
    return L::sum(a + b) + tail;
}

template <class C>
void normalize_run(const C *x, C *y, std::int64_t n, C mean, C rstd, C shift, const C *weight, const C *bias) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = ((x[i] - mean) * rstd + shift) * weight[i] + bias[i];
}

template <class C>
class RowNorm final : public Kernel {
public:
    RowNorm(Pool &pool, const mpt_mod_call &call)
        : pool_(pool),
          at_(attrs_of<mpt_attrs_row_norm>(call)),
          x_(call.kernel, call.in[0]),
          y_(call.kernel, call.out[0]),
          n_(row_length(call.in[0])),
          weight_(call.kernel, call.in[1], n_),
          bias_(call.kernel, call.in[2], n_) {
        const mpt_mod_operand x = row_starts(call.in[0]), y = row_starts(call.out[0]);
        loop_ = Loop(call.kernel, {&call.out[2], &x, &y});
        workspace_bytes = static_cast<std::size_t>(2 * n_) * sizeof(C);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *copies = static_cast<C *>(workspace);
        const C *weight = weight_.read(in[1], 1, copies), *bias = bias_.read(in[2], 0, copies + n_);
        pool_.for_range(loop_.count, kGrain / 4 / std::max<std::int64_t>(n_, 1) + 1, [&](std::int64_t begin, std::int64_t end) {
            RowReader<C> x = x_.reader();
            alignas(64) C buffer[kRowTile];
            for (std::int64_t r = begin; r < end; r++) {
                std::int64_t offset[Loop::kOperands];
                locate_row(loop_, r, offset);
                x.start(x_.at(in[0], offset[1]));
                C mean, rstd, shift;
                statistics(x, mean, rstd, shift);
                if (out[1]) static_cast<C *>(out[1])[offset[0]] = mean;
                static_cast<C *>(out[2])[offset[0]] = rstd;
                std::byte *y = y_.at(out[0], offset[2]);
                each_tile(n_, [&](std::int64_t i, std::int64_t length) {
                    C *values = y_.place(y, i, buffer);
                    normalize_(x.tile(i, length), values, length, mean, rstd, shift, weight + i, bias + i);
                    y_.put(values, y, i, length, buffer);
                });
            }
        });
    }

    const char *name() const override { return "cpu:row_norm"; }

private:
    // shift: what rounding took from the mean, times rstd.
    void statistics(RowReader<C> &x, C &mean, C &rstd, C &shift) const {
        const auto count = static_cast<double>(n_);
        double first = 0, second = 0;
        if (!at_.rms) {
            each_tile(n_, [&](std::int64_t i, std::int64_t length) { first += sum_(x.tile(i, length), length); });
            first /= count;
        }
        mean = static_cast<C>(first);
        first = 0;
        each_tile(n_, [&](std::int64_t i, std::int64_t length) {
            C squares;
            first += moments_(x.tile(i, length), length, mean, &squares);
            second += squares;
        });
        const double apart = at_.rms ? 0 : first / count, variance = second / count - apart * apart;
        const double exact = 1 / std::sqrt((variance < 0 ? 0 : variance) + at_.eps);
        rstd = static_cast<C>(exact);
        shift = static_cast<C>(-apart * exact);
    }

    Pool &pool_;
    mpt_attrs_row_norm at_;
    NormRows<C> x_, y_;
    std::int64_t n_;
    RowVector<C> weight_, bias_;
    Loop loop_;  // statistics, x, y
    C (*sum_)(const C *, std::int64_t) = Versions<&sum_run<C>>::best();
    C (*moments_)(const C *, std::int64_t, C, C *) = Versions<&moments_run<C>>::best();
    void (*normalize_)(const C *, C *, std::int64_t, C, C, C, const C *, const C *) = Versions<&normalize_run<C>>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_row_norm(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<RowNorm<double>>(pool, call);
    return std::make_unique<RowNorm<float>>(pool, call);
}

static const RegisteredKernel registered_row_norm("row_norm", prepare_row_norm);

}  // namespace mpt::cpu
