// "cross_entropy" and "cross_entropy_grad" of device/attrs.h.
#include <cmath>
#include <cstddef>
#include <limits>

#include "isa.h"
#include "kernels.h"
#include "softmax_rows.h"

namespace mpt::cpu {
namespace {

constexpr std::int64_t kRowsPerTask = 16;

template <class C>
void probability_row(const C *x, C *y, std::int64_t n, C log_sum_exp, C gradient) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = vexp(x[i] - log_sum_exp) * gradient;
}

// What the loss and its gradient have in common.
template <class C>
class CrossEntropyRows : public Kernel {
protected:
    CrossEntropyRows(Pool &pool, const mpt_mod_call &call)
        : pool_(pool), reduction_(attrs_of<mpt_attrs_loss>(call).reduction), logits_(call.in[0]), target_(call.in[1]) {
        load_ = loader<C>(logits_.dtype);
        load_target_ = loader<std::int64_t>(target_.dtype);
        if (!load_) unsupported_dtype(call.kernel, logits_.dtype);
        if (!load_target_) unsupported_dtype(call.kernel, target_.dtype);
        if (logits_.ndim != 2 || target_.ndim != 1 || target_.shape[0] != logits_.shape[0])
            throw Failure{MPT_ERROR_INTERNAL, "cross_entropy: logits must be [N,C] and targets [N]"};
        rows_ = logits_.shape[0];
        classes_ = logits_.shape[1];
    }

    RowReader<C> reader() const { return RowReader<C>(load_, logits_.dtype, logits_.strides[1]); }

    const void *logits_at(const void *logits, std::int64_t row, std::int64_t column) const {
        return static_cast<const std::byte *>(logits) +
               (row * logits_.strides[0] + column * logits_.strides[1]) * static_cast<std::int64_t>(bytes_of(logits_.dtype));
    }

    C logit(const void *logits, std::int64_t row, std::int64_t column) const {
        C value;
        load_(logits_at(logits, row, column), 1, 1, 1, 1, &value);
        return value;
    }

    // -1 for one that is no class.
    std::int64_t target(const void *targets, std::int64_t row) const {
        const auto *at =
            static_cast<const std::byte *>(targets) + row * target_.strides[0] * static_cast<std::int64_t>(bytes_of(target_.dtype));
        std::int64_t value;
        load_target_(at, 1, 1, 1, 1, &value);
        return value >= 0 && value < classes_ ? value : -1;
    }

    Pool &pool_;
    std::int64_t reduction_;
    mpt_mod_operand logits_, target_;
    std::int64_t rows_, classes_;

private:
    Load<C> load_;
    Load<std::int64_t> load_target_;
};

template <class C>
class CrossEntropy final : public CrossEntropyRows<C> {
    using Base = CrossEntropyRows<C>;

public:
    CrossEntropy(Pool &pool, const mpt_mod_call &call) : Base(pool, call), per_row_(Base::reduction_ == MPT_REDUCTION_NONE) {
        const mpt_mod_operand &loss = call.out[0], &lse = call.out[1];
        if (loss.dtype != dtype_of<C>() || lse.dtype != dtype_of<C>()) unsupported_dtype("cross_entropy's results", loss.dtype);
        if (loss.ndim != (per_row_ ? 1 : 0) || lse.ndim != 1)
            throw Failure{MPT_ERROR_INTERNAL, "cross_entropy: results of another rank"};
        loss_stride_ = per_row_ ? loss.strides[0] : 0;
        lse_stride_ = lse.strides[0];
        tasks_ = (Base::rows_ + kRowsPerTask - 1) / kRowsPerTask;
        if (!per_row_) Base::workspace_bytes = static_cast<std::size_t>(tasks_) * sizeof(double);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *loss = static_cast<C *>(out[0]);
        auto *lse = static_cast<C *>(out[1]);
        auto *partial = static_cast<double *>(workspace);
        const std::int64_t size = kRowsPerTask * std::max<std::int64_t>(Base::classes_, 1);
        Base::pool_.for_range(tasks_, (kGrain / 4 + size - 1) / size, [&](std::int64_t begin, std::int64_t end) {
            RowReader<C> x = Base::reader();
            alignas(64) C exponentials[kRowTile];
            for (std::int64_t task = begin; task < end; task++) {
                double total = 0;
                for (std::int64_t r = task * kRowsPerTask; r < std::min((task + 1) * kRowsPerTask, Base::rows_); r++) {
                    x.start(Base::logits_at(in[0], r, 0));
                    C largest, sum;
                    rows_.statistics(x, Base::classes_, exponentials, largest, sum);
                    const C log_sum = std::log(sum);
                    lse[r * lse_stride_] = largest + log_sum;
                    const std::int64_t target = Base::target(in[1], r);
                    const C value =
                        target < 0 ? std::numeric_limits<C>::quiet_NaN() : log_sum - (Base::logit(in[0], r, target) - largest);
                    if (per_row_)
                        loss[r * loss_stride_] = value;
                    else
                        total += static_cast<double>(value);
                }
                if (!per_row_) partial[task] = total;
            }
        });
        if (per_row_) return;
        double total = 0;
        for (std::int64_t task = 0; task < tasks_; task++) total += partial[task];
        loss[0] = static_cast<C>(Base::reduction_ == MPT_REDUCTION_MEAN ? total / static_cast<double>(Base::rows_) : total);
    }

    const char *name() const override { return "cpu:cross_entropy"; }

private:
    SoftmaxRows<C> rows_;
    bool per_row_;
    std::int64_t loss_stride_, lse_stride_, tasks_;
};

template <class C>
class CrossEntropyGrad final : public CrossEntropyRows<C> {
    using Base = CrossEntropyRows<C>;

public:
    CrossEntropyGrad(Pool &pool, const mpt_mod_call &call) : Base(pool, call), out_(call.out[0]), store_(storer<C>(out_.dtype)) {
        const mpt_mod_operand &lse = call.in[2], &gradient = call.in[3];
        if (!is_float(out_.dtype)) unsupported_dtype("cross_entropy_grad", out_.dtype);
        if (lse.dtype != dtype_of<C>() || gradient.dtype != dtype_of<C>())
            unsupported_dtype("cross_entropy_grad's inputs", lse.dtype);
        if (lse.ndim != 1 || gradient.ndim > 1 || out_.ndim != 2)
            throw Failure{MPT_ERROR_INTERNAL, "cross_entropy_grad: operands of another rank"};
        lse_stride_ = lse.strides[0];
        gradient_stride_ = gradient.ndim == 1 ? gradient.strides[0] : 0;
        direct_ = out_.dtype == dtype_of<C>() && out_.strides[1] == 1;
    }

    void launch(const void *const *in, void *const *out, void *) override {
        const auto *lse = static_cast<const C *>(in[2]);
        const auto *gradient = static_cast<const C *>(in[3]);
        const auto bytes = static_cast<std::int64_t>(bytes_of(out_.dtype));
        const std::int64_t n = std::max<std::int64_t>(Base::classes_, 1);
        Base::pool_.for_range(Base::rows_, (kGrain / 4 + n - 1) / n, [&](std::int64_t begin, std::int64_t end) {
            RowReader<C> x = Base::reader();
            alignas(64) C buffer[kRowTile];
            for (std::int64_t r = begin; r < end; r++) {
                C scale = gradient[r * gradient_stride_];
                if (Base::reduction_ == MPT_REDUCTION_MEAN) scale /= static_cast<C>(Base::rows_);
                const std::int64_t target = Base::target(in[1], r);
                x.start(Base::logits_at(in[0], r, 0));
                each_tile(Base::classes_, [&](std::int64_t i, std::int64_t length) {
                    auto *to = static_cast<std::byte *>(out[0]) + (r * out_.strides[0] + i * out_.strides[1]) * bytes;
                    C *values = direct_ ? reinterpret_cast<C *>(to) : buffer;
                    const C *row = x.tile(i, length);
                    if (target < 0) {
                        std::fill_n(values, length, C{0});
                    } else {
                        const bool here = target >= i && target < i + length;
                        const C correct = here ? (vexp(row[target - i] - lse[r * lse_stride_]) - C{1}) * scale : C{0};
                        row_(row, values, length, lse[r * lse_stride_], scale);
                        if (here) values[target - i] = correct;
                    }
                    if (!direct_) store_(values, to, 1, length, length, out_.strides[1]);
                });
            }
        });
    }

    const char *name() const override { return "cpu:cross_entropy_grad"; }

private:
    mpt_mod_operand out_;
    Store<C> store_;
    bool direct_;
    std::int64_t lse_stride_, gradient_stride_;
    void (*row_)(const C *, C *, std::int64_t, C, C) = Versions<&probability_row<C>>::best();
};

}  // namespace

std::unique_ptr<Kernel> prepare_cross_entropy(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<CrossEntropy<double>>(pool, call);
    return std::make_unique<CrossEntropy<float>>(pool, call);
}

std::unique_ptr<Kernel> prepare_cross_entropy_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<CrossEntropyGrad<double>>(pool, call);
    return std::make_unique<CrossEntropyGrad<float>>(pool, call);
}

}  // namespace mpt::cpu
