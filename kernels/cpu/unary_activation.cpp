// Activation functions.
#include <cmath>
#include <numbers>

#include "device/attrs/elementwise.h"
#include "unary.h"
#include "vector_math.h"

namespace mpt::cpu {
namespace {

struct Relu {
    template <class C>
    static C value(C x, C, C) {
        return x < C{0} ? C{0} : x;  // NaN stays
    }
};
struct Sigmoid {
    template <class C>
    static C value(C x, C, C) {
        return vsigmoid(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {  // from x: near 1 the rounded result has lost its distance from it
        const C e = vexp_decay(x), large = C{1} / (C{1} + e);
        return x != x ? x : dy * (e * large * large);
    }
};
struct Silu {
    template <class C>
    static C value(C x, C, C) {
        return x * vsigmoid(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        const C e = vexp_decay(x);
        const C large = C{1} / (C{1} + e), small = e * large;  // sigmoids of |x| and -|x|
        return dy * (x < C{0} ? small * (C{1} + x * large) : large * (C{1} + x * small));
    }
};
struct Softplus {
    template <class C>
    static C value(C x, C, C) {
        return (x < C{0} ? C{0} : x) + log1p_to_1(vexp_decay(x));
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * vsigmoid(x);
    }
};
struct LeakyRelu {
    template <class C>
    static C value(C x, C slope, C) {
        return x > C{0} ? x : slope * x;
    }
    template <class C>
    static C gradient(C dy, C x, C slope, C) {
        return x > C{0} ? dy : slope * dy;
    }
};
struct Elu {
    template <class C>
    static C value(C x, C alpha, C) {
        return x > C{0} ? x : alpha * vexpm1_decay(x);
    }
    template <class C>
    static C gradient(C dy, C x, C alpha, C) {
        return x > C{0} ? dy : dy * (alpha * (x == x ? vexp_decay(x) : x));
    }
};
// x times the normal distribution's integral up to x.
struct Gelu {
    template <class C>
    static C value(C x, C, C) {
        const Normal<C> n = normal(x);
        return (x < C{0} ? C{0} : x) - n.a * n.tail;
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        const Normal<C> n = normal(x);
        constexpr C kDensity = std::numbers::inv_sqrtpi_v<C> / std::numbers::sqrt2_v<C>;
        return dy * ((x < C{0} ? n.tail : C{1} - n.tail) + x * (n.e * kDensity));
    }
};
// x/2 (1 + tanh u) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3).
struct GeluTanh {
    template <class C>
    static constexpr C kTwice = C{2} * std::numbers::sqrt2_v<C> *std::numbers::inv_sqrtpi_v<C>;
    template <class C>
    static constexpr C kCubic = C(0.044715);

    template <class C>
    static C value(C x, C, C) {
        const C square = min_magnitude(x * x, C{10000});  // beyond, sigmoid is 0 or 1, and powers may overflow
        const C w = x * (kTwice<C> + kTwice<C> * kCubic<C> * square);
        const C e = vexp_decay(w);
        return x * ((x < C{0} ? e : C{1}) / (C{1} + e));
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        const C square = min_magnitude(x * x, C{10000});
        const C w = x * (kTwice<C> + kTwice<C> * kCubic<C> * square);
        const C slope = x * (kTwice<C> + C{3} * kTwice<C> * kCubic<C> * square);  // x dw/dx
        const C e = vexp_decay(w);
        const C large = C{1} / (C{1} + e), small = e * large;
        return dy * (x < C{0} ? small * (C{1} + slope * large) : large * (C{1} + slope * small));
    }
};

}  // namespace

UnaryFunction activation_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_RELU:
            return arithmetic<Relu>();
        case MPT_UNARY_SIGMOID:
            return vector_math<Sigmoid>();
        case MPT_UNARY_SILU:
            return vector_math<Silu>();
        case MPT_UNARY_SOFTPLUS:
            return vector_math<Softplus>();
        case MPT_UNARY_LEAKY_RELU:
            return arithmetic<LeakyRelu>();
        case MPT_UNARY_ELU:
            return vector_math<Elu>();
        case MPT_UNARY_GELU:
            return vector_math<Gelu>();
        case MPT_UNARY_GELU_TANH:
            return vector_math<GeluTanh>();
        default:
            return {};
    }
}

}  // namespace mpt::cpu
