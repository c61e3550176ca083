// The losses of "pointwise_loss" as functions of one prediction p, one target t and the parameter a, with their derivatives.
// Each is branch-free where it matters, so that loops over it are vectorised. NaN stays NaN.
#pragma once

#include <cmath>

#include "device/attrs/loss.h"
#include "vector_math.h"

namespace mpt::cpu {

// sigmoid(-|x|) and log(1 + exp(-|x|)) come from one exponential.
template <class C>
struct Logistic {
    C sigmoid, rest;  // rest = 1 - sigmoid, exact where it is small
    explicit Logistic(C x) {
        const C e = vexp_decay(x), inverse = C{1} / (C{1} + e);
        sigmoid = x < C{0} ? e * inverse : x == x ? inverse : x;
        rest = x < C{0} ? inverse : e * inverse;
    }
};
template <class C>
inline C softplus_of_minus_magnitude(C x) {
    return log1p_to_1(vexp_decay(x));
}

template <class C>
inline C positive_part(C x) {
    return x <= C{0} ? C{0} : x;
}

template <int Kind>
struct PointwiseLoss;

template <>
struct PointwiseLoss<MPT_LOSS_MSE> {
    template <class C>
    static C value(C p, C t, C) {
        return (p - t) * (p - t);
    }
    template <class C>
    static C of_prediction(C p, C t, C) {
        return C{2} * (p - t);
    }
    template <class C>
    static C of_target(C p, C t, C a) {
        return -of_prediction(p, t, a);
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_L1> {
    template <class C>
    static C value(C p, C t, C) {
        return std::fabs(p - t);
    }
    template <class C>
    static C of_prediction(C p, C t, C) {
        const C d = p - t;
        return d > C{0} ? C{1} : d < C{0} ? C{-1} : d;
    }
    template <class C>
    static C of_target(C p, C t, C a) {
        return -of_prediction(p, t, a);
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_HUBER> {
    template <class C>
    static C value(C p, C t, C a) {
        const C d = std::fabs(p - t);
        return d > a ? a * (d - C{0.5} * a) : C{0.5} * d * d;
    }
    template <class C>
    static C of_prediction(C p, C t, C a) {
        const C d = p - t;
        return d > a ? a : d < -a ? -a : d;
    }
    template <class C>
    static C of_target(C p, C t, C a) {
        return -of_prediction(p, t, a);
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_BCE_LOGITS> {
    // -log s = log(1 + exp(-|p|)) + max(-p, 0), and -log(1 - s) the same with max(p, 0): terms that never cancel.
    template <class C>
    static C value(C p, C t, C a) {
        const C shared = softplus_of_minus_magnitude(p);
        return a * t * (shared + positive_part(-p)) + (C{1} - t) * (shared + positive_part(p));
    }
    template <class C>
    static C of_prediction(C p, C t, C a) {
        const Logistic<C> s(p);
        return (C{1} - t) * s.sigmoid - a * t * s.rest;
    }
    template <class C>
    static C of_target(C p, C, C a) {
        const C shared = softplus_of_minus_magnitude(p);
        return a * (shared + positive_part(-p)) - (shared + positive_part(p));
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_KL> {
    template <class C>
    static C value(C p, C t, C) {
        return t == C{0} ? C{0} : t * (vlog(t) - p);
    }
    template <class C>
    static C of_prediction(C, C t, C) {
        return -t;
    }
    template <class C>
    static C of_target(C p, C t, C) {
        return t == C{0} ? C{0} : (vlog(t) - p) + C{1};
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_HINGE> {
    template <class C>
    static C value(C p, C t, C a) {
        return positive_part(a - p * t);
    }
    template <class C>
    static C of_prediction(C p, C t, C a) {
        return a - p * t <= C{0} ? C{0} : -t;
    }
    template <class C>
    static C of_target(C p, C t, C a) {
        return a - p * t <= C{0} ? C{0} : -p;
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_COSINE> {
    template <class C>
    static C value(C p, C t, C a) {
        return t == C{1} ? C{1} - p : t == C{-1} ? positive_part(p - a) : C{0};
    }
    template <class C>
    static C of_prediction(C p, C t, C a) {
        const C apart = p - a <= C{0} ? C{0} : C{1};
        return t == C{1} ? C{-1} : t == C{-1} ? apart : C{0};
    }
};

}  // namespace mpt::cpu
