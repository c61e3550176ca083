// "cross_entropy" and "cross_entropy_grad" of device/attrs/loss.h.
#include <cmath>

#include "class_rows.h"
#include "isa.h"
#include "softmax_rows.h"

namespace mpt::cpu {
namespace {

template <class C>
void smooth_row(const C *probability, const C *weight, C *q, std::int64_t n, C keep, C even) {
    if (weight)
        for (std::int64_t i = 0; i < n; i++) q[i] = weight[i] * (keep * probability[i] + even);
    else
        for (std::int64_t i = 0; i < n; i++) q[i] = keep * probability[i] + even;
}

// What the scores of a row are weighted with where not one class alone is right: smoothed indices, or probabilities.
template <class C>
class Distribution {
public:
    Distribution(const mpt_mod_call &call, double smoothing)
        : load_target_(loader<C>(call.in[1].dtype)),
          load_weight_(loader<C>(call.in[2].dtype)),
          target_(call.in[1]),
          weight_(call.in[2]),
          classes_(call.in[0].shape[1]),
          keep_(static_cast<C>(1 - smoothing)),
          even_(static_cast<C>(smoothing / static_cast<double>(classes_))) {
        if (probabilities() && (target_.ndim != 2 || target_.shape[1] != classes_ || !load_target_))
            throw Failure{MPT_ERROR_INTERNAL, std::string(call.kernel) + ": probabilities must have the form of the scores"};
    }

    bool probabilities() const { return is_float(target_.dtype); }

    // The rows of one launch, on one thread.
    class Rows {
    public:
        Rows(const Distribution &d, const void *targets, const void *weights)
            : d_(d),
              targets_(static_cast<const std::byte *>(targets)),
              target_(d.load_target_, d.target_.dtype, d.probabilities() ? d.target_.strides[1] : 0),
              weight_(d.load_weight_, d.weight_.dtype, d.weight_.strides[0]),
              weighted_(weights) {
            if (weighted_) weight_.start(weights);
        }

        // target: the row's index, if it has one.
        void start(std::int64_t row, std::int64_t target, C weight) {
            index_ = target;
            peak_ = d_.keep_ * weight;
            if (d_.probabilities())
                target_.start(targets_ + row * d_.target_.strides[0] * static_cast<std::int64_t>(bytes_of(d_.target_.dtype)));
        }
        const C *tile(std::int64_t first, std::int64_t n) {
            const C *weight = weighted_ ? weight_.tile(first, n) : nullptr;
            if (d_.probabilities()) {
                d_.smooth_(target_.tile(first, n), weight, q_, n, d_.keep_, d_.even_);
                return q_;
            }
            for (std::int64_t i = 0; i < n; i++) q_[i] = weight ? d_.even_ * weight[i] : d_.even_;
            if (index_ >= first && index_ < first + n) q_[index_ - first] += peak_;
            return q_;
        }
        C sum() {
            if (!d_.probabilities() && !weighted_) return peak_ + d_.even_ * static_cast<C>(d_.classes_);
            C total = 0;
            each_tile(d_.classes_, [&](std::int64_t i, std::int64_t length) { total += d_.sum_(tile(i, length), length); });
            return total;
        }

    private:
        const Distribution &d_;
        const std::byte *targets_;
        RowReader<C> target_, weight_;
        bool weighted_;
        std::int64_t index_ = -1;
        C peak_ = 0;
        alignas(64) C q_[kRowTile];
    };

private:
    Load<C> load_target_, load_weight_;
    mpt_mod_operand target_, weight_;
    std::int64_t classes_;
    C keep_, even_;
    void (*smooth_)(const C *, const C *, C *, std::int64_t, C, C) = Versions<&smooth_row<C>>::best();
    C (*sum_)(const C *, std::int64_t) = Versions<&sum_run<C>>::best();
};

// The sum of q (log-sum-exp - x), whose terms are not negative.
template <class C>
C surprise_sum(const C *q, const C *x, std::int64_t n, C largest, C log_sum) {
    alignas(64) C y[kRowTile];
    for (std::int64_t i = 0; i < n; i++) y[i] = q[i] * (log_sum - (x[i] - largest));
    return sum_run(y, n);
}

template <class C>
class CrossEntropy final : public ClassLoss<C> {
    using Base = ClassLoss<C>;

public:
    CrossEntropy(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call, call.out[2], call.in[0].shape[1]),
          distribution_(call, Base::attrs_.smoothing),
          one_class_(!distribution_.probabilities() && Base::attrs_.smoothing == 0),
          lse_stride_(call.out[1].strides[0]) {
        if (call.out[1].dtype != dtype_of<C>() || call.out[1].ndim != 1) unsupported_dtype(call.kernel, call.out[1].dtype);
    }

    void launch(const void *const *in, void *const *out, void *workspace) override {
        auto *lse = static_cast<C *>(out[1]);
        Base::reduce(static_cast<C *>(out[0]), static_cast<C *>(out[2]), workspace,
                     [&](std::int64_t begin, std::int64_t end, auto &&add) {
                         RowReader<C> x(Base::load_, Base::scores_.dtype, Base::scores_.strides[1]);
                         typename Distribution<C>::Rows q(distribution_, in[1], in[2]);
                         alignas(64) C exponentials[kRowTile];
                         for (std::int64_t r = begin; r < end; r++) {
                             const std::int64_t target = distribution_.probabilities() ? 0 : Base::target(in[1], r);
                             if (target == Base::kIgnored) {
                                 lse[r * lse_stride_] = 0;
                                 add(r, C{0}, C{0});
                                 continue;
                             }
                             x.start(Base::score_at(in[0], r, 0));
                             C largest, sum;
                             rows_.statistics(x, Base::classes_, exponentials, largest, sum);
                             const C log_sum = std::log(sum);
                             lse[r * lse_stride_] = largest + log_sum;
                             if (target == Base::kOutside) {
                                 add(r, std::numeric_limits<C>::quiet_NaN(), C{1});
                                 continue;
                             }
                             const C weight = distribution_.probabilities() ? C{1} : Base::weight(in[2], target);
                             C value = 0;
                             if (one_class_) {
                                 value = weight * (log_sum - (Base::score(in[0], r, target) - largest));
                             } else {
                                 q.start(r, target, weight);
                                 each_tile(Base::classes_, [&](std::int64_t i, std::int64_t length) {
                                     value += surprise_(q.tile(i, length), x.tile(i, length), length, largest, log_sum);
                                 });
                             }
                             add(r, value, weight);
                         }
                     });
    }

    const char *name() const override { return "cpu:cross_entropy"; }

private:
    Distribution<C> distribution_;
    bool one_class_;
    std::int64_t lse_stride_;
    SoftmaxRows<C> rows_;
    C (*surprise_)(const C *, const C *, std::int64_t, C, C) = Versions<&surprise_sum<C>>::best();
};

template <class C>
void probability_row(const C *x, C *y, std::int64_t n, C log_sum_exp, C gradient) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = vexp(x[i] - log_sum_exp) * gradient;
}

template <class C>
void difference_row(const C *x, const C *q, C *y, std::int64_t n, C log_sum_exp, C sum, C scale) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) y[i] = (vexp(x[i] - log_sum_exp) * sum - q[i]) * scale;
}

template <class C>
class CrossEntropyGrad final : public ClassGrad<C> {
    using Base = ClassGrad<C>;

public:
    CrossEntropyGrad(Pool &pool, const mpt_mod_call &call)
        : Base(pool, call, call.in[4], call.in[5]),
          distribution_(call, Base::attrs_.smoothing),
          one_class_(!distribution_.probabilities() && Base::attrs_.smoothing == 0),
          lse_stride_(call.in[3].strides[0]) {
        if (call.in[3].dtype != dtype_of<C>() || call.in[3].ndim != 1) unsupported_dtype(call.kernel, call.in[3].dtype);
    }

    void launch(const void *const *in, void *const *out, void *) override {
        Base::for_rows([&](std::int64_t begin, std::int64_t end) {
            RowReader<C> x(Base::load_, Base::scores_.dtype, Base::scores_.strides[1]);
            typename Distribution<C>::Rows q(distribution_, in[1], in[2]);
            alignas(64) C buffer[kRowTile];
            for (std::int64_t r = begin; r < end; r++) {
                const std::int64_t target = distribution_.probabilities() ? 0 : Base::target(in[1], r);
                const C log_sum_exp = static_cast<const C *>(in[3])[r * lse_stride_], scale = Base::scale(in[4], in[5], r);
                const C weight = distribution_.probabilities() || target < 0 ? C{1} : Base::weight(in[2], target);
                x.start(Base::score_at(in[0], r, 0));
                C sum = 0;
                if (!one_class_ && target >= 0) {
                    q.start(r, target, weight);
                    sum = q.sum();
                }
                each_tile(Base::classes_, [&](std::int64_t i, std::int64_t length) {
                    C *values = Base::place(out[0], r, i, buffer);
                    if (target < 0)
                        std::fill_n(values, length, C{0});
                    else if (one_class_)
                        one_class(x.tile(i, length), values, length, target - i, log_sum_exp, weight * scale);
                    else
                        difference_(x.tile(i, length), q.tile(i, length), values, length, log_sum_exp, sum, scale);
                    Base::put(values, out[0], r, i, length);
                });
            }
        });
    }

    const char *name() const override { return "cpu:cross_entropy_grad"; }

private:
    void one_class(const C *x, C *y, std::int64_t n, std::int64_t target, C log_sum_exp, C scale) const {
        const bool here = target >= 0 && target < n;
        const C correct = here ? (vexp(x[target] - log_sum_exp) - C{1}) * scale : C{0};
        probability_(x, y, n, log_sum_exp, scale);
        if (here) y[target] = correct;
    }

    Distribution<C> distribution_;
    bool one_class_;
    std::int64_t lse_stride_;
    void (*probability_)(const C *, C *, std::int64_t, C, C) = Versions<&probability_row<C>>::best();
    void (*difference_)(const C *, const C *, C *, std::int64_t, C, C, C) = Versions<&difference_row<C>>::best();
};

}  // namespace

static std::unique_ptr<Kernel> prepare_cross_entropy(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<CrossEntropy<double>>(pool, call);
    return std::make_unique<CrossEntropy<float>>(pool, call);
}

static std::unique_ptr<Kernel> prepare_cross_entropy_grad(Pool &pool, const mpt_mod_call &call) {
    if (call.in[0].dtype == MPT_F64) return std::make_unique<CrossEntropyGrad<double>>(pool, call);
    return std::make_unique<CrossEntropyGrad<float>>(pool, call);
}

static const RegisteredKernel registered_cross_entropy("cross_entropy", prepare_cross_entropy);
static const RegisteredKernel registered_cross_entropy_grad("cross_entropy_grad", prepare_cross_entropy_grad);

}  // namespace mpt::cpu
