// Functions of one input that need no more than arithmetic.
#include <cmath>

#include "device/attrs/elementwise.h"
#include "unary.h"

namespace mpt::cpu {
namespace {

struct Neg {
    template <class C>
    static C value(C x, C, C) {
        return -x;
    }
};
struct Sqrt {
    template <class C>
    static C value(C x, C, C) {
        return std::sqrt(x);
    }
    template <class C>
    static C gradient(C dy, C y, C, C) {
        return C(0.5) * dy / y;
    }
};
struct Affine {
    template <class C>
    static C value(C x, C scale, C shift) {
        return scale * x + shift;
    }
};
struct Abs {
    template <class C>
    static C value(C x, C, C) {
        return std::fabs(x);
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return x > C{0} ? dy : x < C{0} ? -dy : dy * x;  // 0 at 0; NaN stays
    }
};
struct Sign {
    template <class C>
    static C value(C x, C, C) {
        return x > C{0} ? C{1} : x < C{0} ? C{-1} : x;
    }
};
struct Square {
    template <class C>
    static C value(C x, C, C) {
        return x * x;
    }
    template <class C>
    static C gradient(C dy, C x, C, C) {
        return C{2} * dy * x;
    }
};
struct Rsqrt {
    template <class C>
    static C value(C x, C, C) {
        return C{1} / std::sqrt(x);
    }
    template <class C>
    static C gradient(C dy, C y, C, C) {
        return C(-0.5) * dy * y * y * y;
    }
};
struct Reciprocal {
    template <class C>
    static C value(C x, C, C) {
        return C{1} / x;
    }
    template <class C>
    static C gradient(C dy, C y, C, C) {
        return -dy * y * y;
    }
};
struct Floor {
    template <class C>
    static C value(C x, C, C) {
        return std::floor(x);
    }
};
struct Ceil {
    template <class C>
    static C value(C x, C, C) {
        return std::ceil(x);
    }
};
struct Round {
    template <class C>
    static C value(C x, C, C) {
        return std::nearbyint(x);
    }
};
struct Trunc {
    template <class C>
    static C value(C x, C, C) {
        return std::trunc(x);
    }
};
struct Clamp {
    template <class C>
    static C value(C x, C low, C high) {
        x = x < low ? low : x;
        return x > high ? high : x;
    }
    template <class C>
    static C gradient(C dy, C x, C low, C high) {
        return x > low && x < high ? dy : C{0};
    }
};

}  // namespace

UnaryFunction arithmetic_function(std::int64_t kind) {
    switch (kind) {
        case MPT_UNARY_NEG:
            return arithmetic<Neg>();
        case MPT_UNARY_SQRT:
            return arithmetic<Sqrt>();
        case MPT_UNARY_AFFINE:
            return arithmetic<Affine>();
        case MPT_UNARY_ABS:
            return arithmetic<Abs>();
        case MPT_UNARY_SIGN:
            return arithmetic<Sign>();
        case MPT_UNARY_SQUARE:
            return arithmetic<Square>();
        case MPT_UNARY_RSQRT:
            return arithmetic<Rsqrt>();
        case MPT_UNARY_RECIPROCAL:
            return arithmetic<Reciprocal>();
        case MPT_UNARY_FLOOR:
            return arithmetic<Floor>();
        case MPT_UNARY_CEIL:
            return arithmetic<Ceil>();
        case MPT_UNARY_ROUND:
            return arithmetic<Round>();
        case MPT_UNARY_TRUNC:
            return arithmetic<Trunc>();
        case MPT_UNARY_CLAMP:
            return arithmetic<Clamp>();
        default:
            return {};
    }
}

}  // namespace mpt::cpu
