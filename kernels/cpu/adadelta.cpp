// "adadelta" of device/attrs/ [Zeiler 2012], in the order of operations of torch.optim.Adadelta (single tensor).
#include "optimizer.h"

namespace mpt::cpu {
namespace {

template <class C>
struct AdadeltaConstants {
    C inv, clip, decay, lr, rho, toward, eps;
};

template <class C>
void adadelta_row(const UpdateRow<C> &row, const AdadeltaConstants<C> &k) {
    C *p = row.parameter, *squares = row.state[0], *changes = row.state[1];
    const C *gradient = row.gradient;
    const AdadeltaConstants<C> c = k;
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) {
        C g = gradient[i] * c.inv * c.clip;
        if (c.decay != C{0}) g += c.decay * p[i];
        const C square = squares[i] * c.rho + c.toward * g * g;
        const C change = std::sqrt(changes[i] + c.eps) / std::sqrt(square + c.eps) * g;
        squares[i] = square;
        changes[i] = changes[i] * c.rho + c.toward * change * change;
        p[i] = p[i] - c.lr * change;
    }
}

struct AdadeltaRule : RowRule<AdadeltaRule, mpt_attrs_adadelta, AdadeltaConstants> {
    static constexpr const char *kName = "cpu:adadelta";

    explicit AdadeltaRule(const mpt_attrs_adadelta &a) : RowRule(a, 2) {}

    template <class C>
    static Row<C> row(const mpt_attrs_adadelta &) {
        return Versions<&adadelta_row<C>>::best();
    }

    template <class C>
    AdadeltaConstants<C> constants(double lr, std::int64_t, float inv, float clip) const {
        AdadeltaConstants<C> c{};
        c.inv = static_cast<C>(inv);
        c.clip = static_cast<C>(clip);
        c.decay = static_cast<C>(attrs.common.weight_decay);
        c.lr = static_cast<C>(lr);
        c.rho = static_cast<C>(attrs.rho);
        c.toward = static_cast<C>(1.0 - attrs.rho);
        c.eps = static_cast<C>(attrs.eps);
        return c;
    }
};

}  // namespace

static const RegisteredKernel registered_adadelta("adadelta", prepare_rule<AdadeltaRule>);

}  // namespace mpt::cpu
