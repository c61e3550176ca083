// "sgd" of device/attrs/, in the order of operations of torch.optim.SGD (single tensor).
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
    C *p = row.parameter, *buffer = row.state[0];
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

struct SgdRule : RowRule<SgdRule, mpt_attrs_sgd, SgdConstants> {
    static constexpr const char *kName = "cpu:sgd";

    explicit SgdRule(const mpt_attrs_sgd &a) : RowRule(a, a.momentum != 0 ? 1 : 0) {}

    template <class C>
    static Row<C> row(const mpt_attrs_sgd &a) {
        return a.momentum != 0 ? Versions<&sgd_row<C, true>>::best() : Versions<&sgd_row<C, false>>::best();
    }

    template <class C>
    SgdConstants<C> constants(double lr, std::int64_t t, float inv, float clip) const {
        SgdConstants<C> c{};
        c.inv = static_cast<C>(inv);
        c.clip = static_cast<C>(clip);
        c.decay = static_cast<C>(attrs.common.weight_decay);
        c.momentum = static_cast<C>(attrs.momentum);
        c.toward = static_cast<C>(1.0 - attrs.dampening);
        c.lr = static_cast<C>(lr);
        c.first = t == 1;  // the buffer begins as the gradient, not dampened
        c.nesterov = attrs.nesterov != 0;
        return c;
    }
};

}  // namespace

static const RegisteredKernel registered_sgd("sgd", prepare_rule<SgdRule>);

}  // namespace mpt::cpu
