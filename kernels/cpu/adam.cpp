// "adam" of device/attrs.h: Adam [Kingma and Ba 2015] and AdamW [Loshchilov and Hutter 2019] in the order of operations
// of torch.optim (single tensor).
#include <cmath>

#include "isa.h"
#include "optimizer.h"

namespace mpt::cpu {
namespace {

template <class C>
struct AdamConstants {
    C inv, clip;
    C decay;         // added to the gradient, times the parameter
    C shrink;        // the parameter is multiplied by it first (AdamW)
    C toward_first;  // 1 - beta1
    C rest_first;    // beta1, as 1 - toward_first
    C keep_second, toward_second;
    C step_size, root_correction, eps;
    bool near;  // which of lerp's two forms
};

template <class C, bool Decoupled, bool Decay>
void adam_row(const UpdateRow<C> &row, const AdamConstants<C> &k) {
    C *p = row.master, *m = row.first, *v = row.second;
    const C *gradient = row.gradient;
    const AdamConstants<C> c = k;  // a local cannot alias what is written
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) {
        C g = gradient[i] * c.inv * c.clip;
        C w = p[i];
        if constexpr (Decay && Decoupled) w *= c.shrink;
        if constexpr (Decay && !Decoupled) g += c.decay * w;
        const C difference = g - m[i];
        const C first = c.near ? m[i] + c.toward_first * difference : g - difference * c.rest_first;
        const C second = v[i] * c.keep_second + c.toward_second * g * g;
        m[i] = first;
        v[i] = second;
        p[i] = w - c.step_size * (first / (std::sqrt(second) / c.root_correction + c.eps));
    }
}

struct AdamRule {
    static constexpr const char *kName = "cpu:adam";
    static constexpr int states = 2;
    template <class C>
    using Constants = AdamConstants<C>;
    template <class C>
    using Row = void (*)(const UpdateRow<C> &, const AdamConstants<C> &);

    explicit AdamRule(const mpt_attrs_adam &a) : attrs(a), narrow(row<float>(a)), wide(row<double>(a)) {}

    template <class C>
    static Row<C> row(const mpt_attrs_adam &a) {
        if (a.weight_decay == 0) return Versions<&adam_row<C, false, false>>::best();
        return a.decoupled ? Versions<&adam_row<C, true, true>>::best() : Versions<&adam_row<C, false, true>>::best();
    }

    template <class C>
    AdamConstants<C> constants(double lr, std::int64_t t, float inv, float clip) const {
        const double correction1 = 1.0 - std::pow(attrs.beta1, static_cast<double>(t));
        const double correction2 = 1.0 - std::pow(attrs.beta2, static_cast<double>(t));
        AdamConstants<C> c{};
        c.inv = static_cast<C>(inv);
        c.clip = static_cast<C>(clip);
        c.decay = static_cast<C>(attrs.weight_decay);
        c.shrink = static_cast<C>(1.0 - lr * attrs.weight_decay);
        c.toward_first = static_cast<C>(1.0 - attrs.beta1);
        c.rest_first = C{1} - c.toward_first;
        c.near = c.toward_first < C(0.5);
        c.keep_second = static_cast<C>(attrs.beta2);
        c.toward_second = static_cast<C>(1.0 - attrs.beta2);
        c.step_size = static_cast<C>(lr / correction1);
        c.root_correction = static_cast<C>(std::sqrt(correction2));
        c.eps = static_cast<C>(attrs.eps);
        return c;
    }

    template <class C>
    void update(const UpdateRow<C> &r, const AdamConstants<C> &c) const {
        if constexpr (sizeof(C) == 8)
            wide(r, c);
        else
            narrow(r, c);
    }

    mpt_attrs_adam attrs;
    Row<float> narrow;
    Row<double> wide;
};

}  // namespace

std::unique_ptr<Kernel> prepare_adam(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Optimizer<AdamRule>>(pool, call, AdamRule(attrs_of<mpt_attrs_adam>(call)));
}

}  // namespace mpt::cpu
