// "lamb" of device/attrs/ [You et al. 2020]. The norms of a parameter and of its direction come first, over all of it; the
// direction is then computed again from the moments, which is cheaper than keeping it.
#include "adam.h"
#include "optimizer.h"
#include "sums.h"

namespace mpt::cpu {
namespace {

template <class C>
inline C direction(C p, C m, C v, const AdamConstants<C> &c) {
    const C d = m / c.correction / (std::sqrt(v) / c.root_correction + c.eps);
    return d + c.decay * p;
}

template <class C>
void measure_row(const UpdateRow<C> &row, const AdamConstants<C> &k, Norms &norms) {
    const C *p = row.parameter, *gradient = row.gradient;
    C *m = row.state[0], *v = row.state[1];
    const AdamConstants<C> c = k;
    constexpr int kLanes = 16;
    alignas(64) double parameter[kLanes] = {}, toward[kLanes] = {};
    const auto add = [&](std::int64_t i, int lane) {
        const C g = gradient[i] * c.inv * c.clip;
        const C first = first_moment(m[i], g, c), second = second_moment(v[i], g, c);
        m[i] = first;
        v[i] = second;
        const double a = static_cast<double>(p[i]), d = static_cast<double>(direction(p[i], first, second, c));
        parameter[lane] += a * a;
        toward[lane] += d * d;
    };
    std::int64_t i = 0;
    for (; i + kLanes <= row.n; i += kLanes) {
        MPT_CPU_INDEPENDENT
        for (int lane = 0; lane < kLanes; lane++) add(i + lane, lane);
    }
    for (; i < row.n; i++) add(i, 0);
    norms.parameter += sum_run(parameter, kLanes);
    norms.direction += sum_run(toward, kLanes);
}

template <class C>
void lamb_row(const UpdateRow<C> &row, const AdamConstants<C> &k, C ratio) {
    C *p = row.parameter;
    const C *m = row.state[0], *v = row.state[1];
    const AdamConstants<C> c = k;
    const C step = c.lr * ratio;
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < row.n; i++) p[i] = p[i] - step * direction(p[i], m[i], v[i], c);
}

struct LambRule {
    static constexpr const char *kName = "cpu:lamb";
    static constexpr bool kByNorms = true;
    static constexpr int states = 2;
    using Attrs = mpt_attrs_adam;

    explicit LambRule(const mpt_attrs_adam &a) : attrs(a) {}

    template <class C>
    AdamConstants<C> constants(double lr, std::int64_t t, float inv, float clip) const {
        return adam_constants<C>(attrs, lr, t, inv, clip);
    }

    template <class C>
    struct Rows {
        void (*measure)(const UpdateRow<C> &, const AdamConstants<C> &, Norms &) = Versions<&measure_row<C>>::best();
        void (*update)(const UpdateRow<C> &, const AdamConstants<C> &, C) = Versions<&lamb_row<C>>::best();
    };
    template <class C>
    const Rows<C> &rows() const {
        if constexpr (sizeof(C) == 8)
            return wide;
        else
            return narrow;
    }
    template <class C>
    void measure(const UpdateRow<C> &r, const AdamConstants<C> &c, Norms &norms) const {
        rows<C>().measure(r, c, norms);
    }
    template <class C>
    void update(const UpdateRow<C> &r, const AdamConstants<C> &c, C ratio) const {
        rows<C>().update(r, c, ratio);
    }

    mpt_attrs_adam attrs;
    Rows<float> narrow;
    Rows<double> wide;
};

}  // namespace

static const RegisteredKernel registered_lamb("lamb", prepare_rule<LambRule>);

}  // namespace mpt::cpu
