// "adam" of device/attrs/: Adam [Kingma and Ba 2015] and AdamW [Loshchilov and Hutter 2019] in the order of operations
// of torch.optim (single tensor).
#include "adam.h"

#include "optimizer.h"

namespace mpt::cpu {
namespace {

template <class C, bool Decoupled, bool Decay>
void adam_row(const UpdateRow<C> &row, const AdamConstants<C> &k) {
    C *p = row.parameter, *m = row.state[0], *v = row.state[1];
    const C *gradient = row.gradient;
    const AdamConstants<C> c = k;  // a local cannot alias what is written
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) {
        C g = gradient[i] * c.inv * c.clip;
        C w = p[i];
        if constexpr (Decay && Decoupled) w *= c.shrink;
        if constexpr (Decay && !Decoupled) g += c.decay * w;
        const C first = first_moment(m[i], g, c), second = second_moment(v[i], g, c);
        m[i] = first;
        v[i] = second;
        p[i] = w - c.step_size * (first / (std::sqrt(second) / c.root_correction + c.eps));
    }
}

struct AdamRule : RowRule<AdamRule, mpt_attrs_adam, AdamConstants> {
    static constexpr const char *kName = "cpu:adam";

    explicit AdamRule(const mpt_attrs_adam &a) : RowRule(a, 2) {}

    template <class C>
    static Row<C> row(const mpt_attrs_adam &a) {
        if (a.common.weight_decay == 0) return Versions<&adam_row<C, false, false>>::best();
        return a.decoupled ? Versions<&adam_row<C, true, true>>::best() : Versions<&adam_row<C, false, true>>::best();
    }

    template <class C>
    AdamConstants<C> constants(double lr, std::int64_t t, float inv, float clip) const {
        return adam_constants<C>(attrs, lr, t, inv, clip);
    }
};

}  // namespace

static const RegisteredKernel registered_adam("adam", prepare_rule<AdamRule>);

}  // namespace mpt::cpu
