// "adagrad" of device/attrs/ [Duchi et al. 2011], in the order of operations of torch.optim.Adagrad (single tensor).
#include "optimizer.h"

namespace mpt::cpu {
namespace {

template <class C>
struct AdagradConstants {
    C inv, clip, decay, lr, eps;
};

template <class C>
void adagrad_row(const UpdateRow<C> &row, const AdagradConstants<C> &k) {
    C *p = row.parameter, *sum = row.state[0];
    const C *gradient = row.gradient;
    const AdagradConstants<C> c = k;
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) {
        C g = gradient[i] * c.inv * c.clip;
        if (c.decay != C{0}) g += c.decay * p[i];
        const C s = sum[i] + g * g;
        sum[i] = s;
        p[i] = p[i] - c.lr * g / (std::sqrt(s) + c.eps);
    }
}

struct AdagradRule : RowRule<AdagradRule, mpt_attrs_adagrad, AdagradConstants> {
    static constexpr const char *kName = "cpu:adagrad";

    explicit AdagradRule(const mpt_attrs_adagrad &a) : RowRule(a, 1) {}

    template <class C>
    static Row<C> row(const mpt_attrs_adagrad &) {
        return Versions<&adagrad_row<C>>::best();
    }

    template <class C>
    AdagradConstants<C> constants(double lr, std::int64_t t, float inv, float clip) const {
        AdagradConstants<C> c{};
        c.inv = static_cast<C>(inv);
        c.clip = static_cast<C>(clip);
        c.decay = static_cast<C>(attrs.common.weight_decay);
        c.lr = static_cast<C>(lr / (1.0 + static_cast<double>(t - 1) * attrs.lr_decay));
        c.eps = static_cast<C>(attrs.eps);
        return c;
    }
};

}  // namespace

static const RegisteredKernel registered_adagrad("adagrad", prepare_rule<AdagradRule>);

}  // namespace mpt::cpu
