// The moments that Adam and LAMB share.
#pragma once

#include <cmath>
#include <cstdint>

#include "device/attrs/optimizer.h"

namespace mpt::cpu {

template <class C>
struct AdamConstants {
    C inv, clip;
    C decay;         // added to the gradient (Adam) or to the direction (LAMB), times the parameter
    C shrink;        // the parameter is multiplied by it first (AdamW)
    C toward_first;  // 1 - beta1
    C rest_first;    // beta1, as 1 - toward_first
    C keep_second, toward_second;
    C lr, correction;  // LAMB
    C step_size, root_correction, eps;
    bool near;  // which of lerp's two forms
};

template <class C>
AdamConstants<C> adam_constants(const mpt_attrs_adam &a, double lr, std::int64_t t, float inv, float clip) {
    const double correction1 = 1.0 - std::pow(a.beta1, static_cast<double>(t));
    const double correction2 = 1.0 - std::pow(a.beta2, static_cast<double>(t));
    AdamConstants<C> c{};
    c.inv = static_cast<C>(inv);
    c.clip = static_cast<C>(clip);
    c.decay = static_cast<C>(a.common.weight_decay);
    c.shrink = static_cast<C>(1.0 - lr * a.common.weight_decay);
    c.toward_first = static_cast<C>(1.0 - a.beta1);
    c.rest_first = C{1} - c.toward_first;
    c.near = c.toward_first < C(0.5);
    c.keep_second = static_cast<C>(a.beta2);
    c.toward_second = static_cast<C>(1.0 - a.beta2);
    c.lr = static_cast<C>(lr);
    c.correction = static_cast<C>(correction1);
    c.step_size = static_cast<C>(lr / correction1);
    c.root_correction = static_cast<C>(std::sqrt(correction2));
    c.eps = static_cast<C>(a.eps);
    return c;
}

// torch's lerp_, whose form depends on the weight.
template <class C>
inline C first_moment(C m, C g, const AdamConstants<C> &c) {
    const C difference = g - m;
    return c.near ? m + c.toward_first * difference : g - difference * c.rest_first;
}

template <class C>
inline C second_moment(C v, C g, const AdamConstants<C> &c) {
    return v * c.keep_second + c.toward_second * g * g;
}

}  // namespace mpt::cpu
