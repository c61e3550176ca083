// The losses of "pointwise_loss" as functions of one prediction p, one target t and the parameter a, with their derivatives. NaN
// stays NaN.
#pragma once

#include "device/attrs/loss.h"

namespace mpt::cuda {

// sigmoid(-|x|) and log(1 + exp(-|x|)) come from one exponential.
struct Logistic {
    float sigmoid, rest;  // rest = 1 - sigmoid, exact where it is small
    __device__ __forceinline__ explicit Logistic(float x) {
        const float e = expf(-fabsf(x)), inverse = 1 / (1 + e);
        sigmoid = x < 0 ? e * inverse : inverse;
        rest = x < 0 ? inverse : e * inverse;
    }
};
__device__ __forceinline__ float softplus_of_minus_magnitude(float x) {
    return log1pf(expf(-fabsf(x)));
}
__device__ __forceinline__ float positive_part(float x) {
    return x <= 0 ? 0 : x;
}

template <int Kind>
struct PointwiseLoss;

template <>
struct PointwiseLoss<MPT_LOSS_MSE> {
    static __device__ __forceinline__ float value(float p, float t, float) { return (p - t) * (p - t); }
    static __device__ __forceinline__ float of_prediction(float p, float t, float) { return 2 * (p - t); }
    static __device__ __forceinline__ float of_target(float p, float t, float a) { return -of_prediction(p, t, a); }
};

template <>
struct PointwiseLoss<MPT_LOSS_L1> {
    static __device__ __forceinline__ float value(float p, float t, float) { return fabsf(p - t); }
    static __device__ __forceinline__ float of_prediction(float p, float t, float) {
        const float d = p - t;
        return d > 0 ? 1 : d < 0 ? -1 : d;
    }
    static __device__ __forceinline__ float of_target(float p, float t, float a) { return -of_prediction(p, t, a); }
};

template <>
struct PointwiseLoss<MPT_LOSS_HUBER> {
    static __device__ __forceinline__ float value(float p, float t, float a) {
        const float d = fabsf(p - t);
        return d > a ? a * (d - 0.5f * a) : 0.5f * d * d;
    }
    static __device__ __forceinline__ float of_prediction(float p, float t, float a) {
        const float d = p - t;
        return d > a ? a : d < -a ? -a : d;
    }
    static __device__ __forceinline__ float of_target(float p, float t, float a) { return -of_prediction(p, t, a); }
};

template <>
struct PointwiseLoss<MPT_LOSS_BCE_LOGITS> {
    // -log s = log(1 + exp(-|p|)) + max(-p, 0), and -log(1 - s) the same with max(p, 0): terms that never cancel.
    static __device__ __forceinline__ float value(float p, float t, float a) {
        const float shared = softplus_of_minus_magnitude(p);
        return a * t * (shared + positive_part(-p)) + (1 - t) * (shared + positive_part(p));
    }
    static __device__ __forceinline__ float of_prediction(float p, float t, float a) {
        const Logistic s(p);
        return (1 - t) * s.sigmoid - a * t * s.rest;
    }
    static __device__ __forceinline__ float of_target(float p, float, float a) {
        const float shared = softplus_of_minus_magnitude(p);
        return a * (shared + positive_part(-p)) - (shared + positive_part(p));
    }
};

template <>
struct PointwiseLoss<MPT_LOSS_KL> {
    static __device__ __forceinline__ float value(float p, float t, float) { return t == 0 ? 0 : t * (logf(t) - p); }
    static __device__ __forceinline__ float of_prediction(float, float t, float) { return -t; }
    static __device__ __forceinline__ float of_target(float p, float t, float) { return t == 0 ? 0 : (logf(t) - p) + 1; }
};

template <>
struct PointwiseLoss<MPT_LOSS_HINGE> {
    static __device__ __forceinline__ float value(float p, float t, float a) { return positive_part(a - p * t); }
    static __device__ __forceinline__ float of_prediction(float p, float t, float a) { return a - p * t <= 0 ? 0 : -t; }
    static __device__ __forceinline__ float of_target(float p, float t, float a) { return a - p * t <= 0 ? 0 : -p; }
};

template <>
struct PointwiseLoss<MPT_LOSS_COSINE> {
    static __device__ __forceinline__ float value(float p, float t, float a) {
        return t == 1 ? 1 - p : t == -1 ? positive_part(p - a) : 0;
    }
    static __device__ __forceinline__ float of_prediction(float p, float t, float a) {
        return t == 1 ? -1 : t == -1 && !(p - a <= 0) ? 1 : 0;
    }
    static __device__ __forceinline__ float of_target(float, float, float) { return 0; }
};

// f(PointwiseLoss<kind>).
template <class F>
__device__ __forceinline__ void visit_loss(int kind, F &&f) {
    switch (kind) {
        case MPT_LOSS_MSE:
            return f(PointwiseLoss<MPT_LOSS_MSE>());
        case MPT_LOSS_L1:
            return f(PointwiseLoss<MPT_LOSS_L1>());
        case MPT_LOSS_HUBER:
            return f(PointwiseLoss<MPT_LOSS_HUBER>());
        case MPT_LOSS_BCE_LOGITS:
            return f(PointwiseLoss<MPT_LOSS_BCE_LOGITS>());
        case MPT_LOSS_KL:
            return f(PointwiseLoss<MPT_LOSS_KL>());
        case MPT_LOSS_HINGE:
            return f(PointwiseLoss<MPT_LOSS_HINGE>());
        default:
            return f(PointwiseLoss<MPT_LOSS_COSINE>());
    }
}

}  // namespace mpt::cuda
