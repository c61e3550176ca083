// Exponentials, logarithms, powers and the error function.
#include <cmath>
#include <numbers>

#include "device/attrs/elementwise.h"
#include "unary.h"
#include "vector_math.h"

namespace mpt::cpu {
namespace {

struct Exp {
    template <class C>
    static C value(C x, C, C) {
        return vexp(x);
    }
};
struct Log {
    template <class C>
    static C value(C x, C, C) {
        return vlog(x);
    }
};
struct Exp2 {
    template <class C>
    static C value(C x, C, C) {
        return vexp2(x);
    }
    template <class C>
    static C gradient(C dy, C y, C, C) {
        return dy * y * std::numbers::ln2_v<C>;
    }
};
struct Expm1 {
    template <class C>
    static C value(C x, C, C) {
        return vexpm1(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * vexp(x);
    }
};
struct Log2 {
    template <class C>
    static C value(C x, C, C) {
        return vlog2(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * std::numbers::log2e_v<C> / x;
    }
};
struct Log10 {
    template <class C>
    static C value(C x, C, C) {
        return vlog10(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * std::numbers::log10e_v<C> / x;
    }
};
struct Log1p {
    template <class C>
    static C value(C x, C, C) {
        return vlog1p(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy / (C{1} + x);
    }
};
struct Erf {
    template <class C>
    static C value(C x, C, C) {
        return verf(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * (C{2} * std::numbers::inv_sqrtpi_v<C> * vexp(-x * x));
    }
};

struct Pow {
    template <class C>
    static C value(C x, C exponent, C) {
        return std::pow(x, exponent);
    }
    template <class C>
    static C gradient(C dy, C x, C exponent, C) {
        return exponent == C{0} ? C{0} : dy * (exponent * std::pow(x, exponent - C{1}));
    }
};
// The exponents that are arithmetic.
struct PowMinus1 {
    template <class C>
    static C value(C x, C, C) {
        return C{1} / x;
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return -dy / (x * x);
    }
};
struct PowMinusHalf {
    template <class C>
    static C value(C x, C, C) {
        return C{1} / std::sqrt(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return C(-0.5) * dy / (x * std::sqrt(x));
    }
};
struct PowHalf {
    template <class C>
    static C value(C x, C, C) {
        return std::sqrt(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return C(0.5) * dy / std::sqrt(x);
    }
};
struct Pow2 {
    template <class C>
    static C value(C x, C, C) {
        return x * x;
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return C{2} * dy * x;
    }
};
struct Pow3 {
    template <class C>
    static C value(C x, C, C) {
        return x * x * x;
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return C{3} * dy * (x * x);
    }
};

}  // namespace

UnaryFunction exponential_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_EXP:
            return vector_math<Exp>();
        case MPT_UNARY_LOG:
            return vector_math<Log>();
        case MPT_UNARY_EXP2:
            return vector_math<Exp2>();
        case MPT_UNARY_EXPM1:
            return vector_math<Expm1>();
        case MPT_UNARY_LOG2:
            return vector_math<Log2>();
        case MPT_UNARY_LOG10:
            return vector_math<Log10>();
        case MPT_UNARY_LOG1P:
            return vector_math<Log1p>();
        case MPT_UNARY_ERF:
            return vector_math<Erf>();
        default:
            return {};
    }
}

UnaryFunction power_function(double exponent) {
    if (exponent == -1) return arithmetic<PowMinus1>();
    if (exponent == -0.5) return arithmetic<PowMinusHalf>();
    if (exponent == 0.5) return arithmetic<PowHalf>();
    if (exponent == 2) return arithmetic<Pow2>();
    if (exponent == 3) return arithmetic<Pow3>();
    return libm<Pow>();
}

}  // namespace mpt::cpu
