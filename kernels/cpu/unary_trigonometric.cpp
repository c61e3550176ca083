// Trigonometric and hyperbolic functions and their inverses.
#include <cmath>

#include "device/attrs/elementwise.h"
#include "unary.h"
#include "vector_math.h"

namespace mpt::cpu {
namespace {

struct Sin {
    template <class C>
    static C value(C x, C, C) {
        return std::sin(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * std::cos(x);
    }
};
struct Cos {
    template <class C>
    static C value(C x, C, C) {
        return std::cos(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return -dy * std::sin(x);
    }
};
struct Tan {
    template <class C>
    static C value(C x, C, C) {
        return std::tan(x);
    }
    template <class C>
    static C gradient(C dy, C y, C, C) {
        return dy * (C{1} + y * y);
    }
};
struct Asin {
    template <class C>
    static C value(C x, C, C) {
        return std::asin(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy / std::sqrt((C{1} - x) * (C{1} + x));
    }
};
struct Acos {
    template <class C>
    static C value(C x, C, C) {
        return std::acos(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return -dy / std::sqrt((C{1} - x) * (C{1} + x));
    }
};
struct Atan {
    template <class C>
    static C value(C x, C, C) {
        return std::atan(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy / (C{1} + x * x);
    }
};
struct Sinh {
    template <class C>
    static C value(C x, C, C) {
        return std::sinh(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * std::cosh(x);
    }
};
struct Cosh {
    template <class C>
    static C value(C x, C, C) {
        return std::cosh(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy * std::sinh(x);
    }
};
struct Tanh {
    template <class C>
    static C value(C x, C, C) {
        return vtanh(x);
    }
    template <class C>
    static C gradient(C dy, C y, C, C) {
        return dy * ((C{1} - y) * (C{1} + y));
    }
};
struct Asinh {
    template <class C>
    static C value(C x, C, C) {
        return std::asinh(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy / std::hypot(x, C{1});  // x * x may overflow
    }
};
struct Acosh {
    template <class C>
    static C value(C x, C, C) {
        return std::acosh(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy / (std::sqrt(x - C{1}) * std::sqrt(x + C{1}));
    }
};
struct Atanh {
    template <class C>
    static C value(C x, C, C) {
        return std::atanh(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return dy / ((C{1} - x) * (C{1} + x));
    }
};

}  // namespace

UnaryFunction trigonometric_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_SIN:
            return libm<Sin>();
        case MPT_UNARY_COS:
            return libm<Cos>();
        case MPT_UNARY_TAN:
            return libm<Tan>();
        case MPT_UNARY_ASIN:
            return libm<Asin>();
        case MPT_UNARY_ACOS:
            return libm<Acos>();
        case MPT_UNARY_ATAN:
            return libm<Atan>();
        case MPT_UNARY_SINH:
            return libm<Sinh>();
        case MPT_UNARY_COSH:
            return libm<Cosh>();
        case MPT_UNARY_TANH:
            return vector_math<Tanh>();
        case MPT_UNARY_ASINH:
            return libm<Asinh>();
        case MPT_UNARY_ACOSH:
            return libm<Acosh>();
        case MPT_UNARY_ATANH:
            return libm<Atanh>();
        default:
            return {};
    }
}

}  // namespace mpt::cpu
