// "binary_grad" of device/attrs/.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "device/attrs/elementwise.h"
#include "elementwise.h"
#include "isa.h"
#include "kernel.h"
#include "quotient.h"

namespace mpt::cpu {
namespace {

template <class C>
using Row = void (*)(const C *dy, const C *a, const C *b, C *dx, std::int64_t n);

// What belongs to a is taken from (dy, a, b); what belongs to b from (dy, b, a) where the function is symmetric.
struct MaxGrad {
    template <class C>
    static C value(C dy, C a, C b) {
        return a == b ? C(0.5) * dy : a < b ? C{0} : dy;
    }
};
struct MinGrad {
    template <class C>
    static C value(C dy, C a, C b) {
        return a == b ? C(0.5) * dy : a > b ? C{0} : dy;
    }
};
struct PowBaseGrad {
    template <class C>
    static C value(C dy, C a, C b) {
        return b == C{0} ? C{0} : dy * (b * std::pow(a, b - C{1}));
    }
};
struct PowExponentGrad {
    template <class C>
    static C value(C dy, C a, C b) {
        return a == C{0} && b >= C{0} ? C{0} : dy * (std::pow(a, b) * std::log(a));
    }
};
struct FmodGrad {
    template <class C>
    static C value(C dy, C a, C b) {
        return -dy * truncated_quotient(a, b);
    }
};
struct RemainderGrad {
    template <class C>
    static C value(C dy, C a, C b) {
        return -dy * floor_quotient(a, b);
    }
};
// x / (a^2 + b^2), by the larger one so that no square overflows; 0 at the origin [PyTorch] and infinitely far from it.
template <class C>
C over_squares(C x, C a, C b) {
    const C m = std::fabs(a) > std::fabs(b) || a != a ? std::fabs(a) : std::fabs(b);  // NaN wins
    if (m == C{0} || m == std::numeric_limits<C>::infinity()) return C{0};
    const C p = a / m, q = b / m;
    return x / m / (p * p + q * q) / m;
}
struct Atan2GradA {
    template <class C>
    static C value(C dy, C a, C b) {
        return dy * over_squares(b, a, b);
    }
};
struct Atan2GradB {
    template <class C>
    static C value(C dy, C a, C b) {
        return -dy * over_squares(a, a, b);
    }
};

template <class F, class C>
void grad_row(const C *dy, const C *a, const C *b, C *dx, std::int64_t n) {
    MPT_CPU_INDEPENDENT
    for (std::int64_t i = 0; i < n; i++) dx[i] = F::value(dy[i], a[i], b[i]);
}

template <class C>
Row<C> row_of(const mpt_attrs_binary_grad &attrs) {
    const bool a = attrs.operand == 0;
    switch (attrs.kind) {
        case MPT_BINARY_MAX:
            return Versions<&grad_row<MaxGrad, C>>::best();
        case MPT_BINARY_MIN:
            return Versions<&grad_row<MinGrad, C>>::best();
        case MPT_BINARY_POW:
            return a ? grad_row<PowBaseGrad, C> : grad_row<PowExponentGrad, C>;
        case MPT_BINARY_FMOD:
            return grad_row<FmodGrad, C>;
        case MPT_BINARY_REMAINDER:
            return grad_row<RemainderGrad, C>;
        case MPT_BINARY_ATAN2:
            return a ? grad_row<Atan2GradA, C> : grad_row<Atan2GradB, C>;
        default:
            throw Failure{MPT_ERROR_UNSUPPORTED, "binary_grad: kind " + std::to_string(attrs.kind) + " is unknown"};
    }
}

template <class C>
class BinaryGrad final : public Kernel {
public:
    BinaryGrad(Pool &pool, const mpt_mod_call &call, const mpt_attrs_binary_grad &attrs)
        : pool_(pool),
          elements_("binary_grad", call.out[0], {&call.in[0], &call.in[1], &call.in[2]}),
          row_(row_of<C>(attrs)),
          swapped_(attrs.operand == 1 && (attrs.kind == MPT_BINARY_MAX || attrs.kind == MPT_BINARY_MIN)) {}

    void launch(const void *const *in, void *const *out, void *) override {
        elements_.run(pool_, in, out[0], [this](const C *const *x, C *dx, std::int64_t n) {
            row_(x[0], x[swapped_ ? 2 : 1], x[swapped_ ? 1 : 2], dx, n);
        });
    }

    const char *name() const override { return "cpu:binary_grad"; }

private:
    Pool &pool_;
    Elementwise<C, 3> elements_;
    Row<C> row_;
    bool swapped_;
};

}  // namespace

static std::unique_ptr<Kernel> prepare_binary_grad(Pool &pool, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_binary_grad>(call);
    if (call.in[0].dtype == MPT_F64) return std::make_unique<BinaryGrad<double>>(pool, call, attrs);
    return std::make_unique<BinaryGrad<float>>(pool, call, attrs);
}

static const RegisteredKernel registered_binary_grad("binary_grad", prepare_binary_grad);

}  // namespace mpt::cpu
