// "sgd" of device/attrs.h, in the order of operations of torch.optim.SGD (single tensor).
#include "isa.h"
#include "optimizer.h"

namespace mpt::cpu {
namespace {

template <class C>
struct SgdConstants {
    C inv, clip, decay, momentum, toward, lr;
    bool first, nesterov;
};

template <class C, bool Momentum>
void sgd_row(const UpdateRow<C> &row, const SgdConstants<C> &k) {
    C *p = row.master, *buffer = row.first;
    const C *gradient = row.gradient;
    const SgdConstants<C> c = k;  // a local cannot alias what is written
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) {
        C g = gradient[i] * c.inv * c.clip;
        if (c.decay != C{0}) g += c.decay * p[i];
        if constexpr (Momentum) {
            const C b = c.first ? g : c.momentum * buffer[i] + c.toward * g;
            buffer[i] = b;
            g = c.nesterov ? g + c.momentum * b : b;
        }
        p[i] = p[i] - c.lr * g;
    }
}

struct SgdRule {
    static constexpr const char *kName = "cpu:sgd";
    template <class C>
    using Constants = SgdConstants<C>;
    template <class C>
    using Row = void (*)(const UpdateRow<C> &, const SgdConstants<C> &);

    explicit SgdRule(const mpt_attrs_sgd &a)
        : attrs(a), states(a.momentum != 0 ? 1 : 0), narrow(row<float>(a)), wide(row<double>(a)) {}

    template <class C>
    static Row<C> row(const mpt_attrs_sgd &a) {
        return a.momentum != 0 ? Versions<&sgd_row<C, true>>::best() : Versions<&sgd_row<C, false>>::best();
    }

    template <class C>
    SgdConstants<C> constants(double lr, std::int64_t t, float inv, float clip) const {
        SgdConstants<C> c{};
        c.inv = static_cast<C>(inv);
        c.clip = static_cast<C>(clip);
        c.decay = static_cast<C>(attrs.weight_decay);
        c.momentum = static_cast<C>(attrs.momentum);
        c.toward = static_cast<C>(1.0 - attrs.dampening);
        c.lr = static_cast<C>(lr);
        c.first = t == 1;  // the buffer begins as the gradient, not dampened
        c.nesterov = attrs.nesterov != 0;
        return c;
    }

    template <class C>
    void update(const UpdateRow<C> &r, const SgdConstants<C> &c) const {
        if constexpr (sizeof(C) == 8)
            wide(r, c);
        else
            narrow(r, c);
    }

    mpt_attrs_sgd attrs;
    int states;
    Row<float> narrow;
    Row<double> wide;
};

}  // namespace

std::unique_ptr<Kernel> prepare_sgd(Pool &pool, const mpt_mod_call &call) {
    return std::make_unique<Optimizer<SgdRule>>(pool, call, SgdRule(attrs_of<mpt_attrs_sgd>(call)));
}

}  // namespace mpt::cpu
