// "rmsprop" of device/attrs/ [Tieleman and Hinton 2012], in the order of operations of torch.optim.RMSprop (single tensor).
#include "optimizer.h"

namespace mpt::cpu {
namespace {

template <class C>
struct RmspropConstants {
    C inv, clip, decay, lr, alpha, toward, rest, eps, momentum;
    bool near;  // which of lerp's two forms
};

template <class C, bool Centered, bool Momentum>
void rmsprop_row(const UpdateRow<C> &row, const RmspropConstants<C> &k) {
    C *p = row.parameter, *squares = row.state[0], *average = row.state[1], *buffer = row.state[Centered ? 2 : 1];
    const C *gradient = row.gradient;
    const RmspropConstants<C> c = k;
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) {
        C g = gradient[i] * c.inv * c.clip;
        if (c.decay != C{0}) g += c.decay * p[i];
        C square = squares[i] * c.alpha + c.toward * g * g;
        squares[i] = square;
        if constexpr (Centered) {
            const C difference = g - average[i];
            const C mean = c.near ? average[i] + c.toward * difference : g - difference * c.rest;
            average[i] = mean;
            square = square - mean * mean;
            square = square < C{0} ? C{0} : square;
        }
        const C root = std::sqrt(square) + c.eps;
        if constexpr (Momentum) {
            const C b = buffer[i] * c.momentum + g / root;
            buffer[i] = b;
            p[i] = p[i] - c.lr * b;
        } else {
            p[i] = p[i] - c.lr * g / root;
        }
    }
}

struct RmspropRule : RowRule<RmspropRule, mpt_attrs_rmsprop, RmspropConstants> {
    static constexpr const char *kName = "cpu:rmsprop";

    explicit RmspropRule(const mpt_attrs_rmsprop &a) : RowRule(a, 1 + (a.centered != 0) + (a.momentum != 0)) {}

    template <class C>
    static Row<C> row(const mpt_attrs_rmsprop &a) {
        if (a.centered)
            return a.momentum != 0 ? Versions<&rmsprop_row<C, true, true>>::best() : Versions<&rmsprop_row<C, true, false>>::best();
        return a.momentum != 0 ? Versions<&rmsprop_row<C, false, true>>::best() : Versions<&rmsprop_row<C, false, false>>::best();
    }

    template <class C>
    RmspropConstants<C> constants(double lr, std::int64_t, float inv, float clip) const {
        RmspropConstants<C> c{};
        c.inv = static_cast<C>(inv);
        c.clip = static_cast<C>(clip);
        c.decay = static_cast<C>(attrs.common.weight_decay);
        c.lr = static_cast<C>(lr);
        c.alpha = static_cast<C>(attrs.alpha);
        c.toward = static_cast<C>(1.0 - attrs.alpha);
        c.rest = C{1} - c.toward;
        c.near = c.toward < C(0.5);
        c.eps = static_cast<C>(attrs.eps);
        c.momentum = static_cast<C>(attrs.momentum);
        return c;
    }
};

}  // namespace

static const RegisteredKernel registered_rmsprop("rmsprop", prepare_rule<RmspropRule>);

}  // namespace mpt::cpu
