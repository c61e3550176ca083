// The moments that Adam and LAMB share.
#pragma once

#include <cstdint>

#include "device/attrs/optimizer.h"
#include "single.cuh"

namespace mpt::cuda {

struct AdamConstants {
    float decay;         // added to the gradient (Adam) or to the direction (LAMB), times the parameter
    float shrink;        // the parameter is multiplied by it first (AdamW)
    float toward_first;  // 1 - beta1
    float rest_first;    // beta1, as 1 - toward_first
    float keep_second, toward_second;
    float lr, correction;  // LAMB
    float step_size, root_correction, eps;
    bool near;  // which of lerp's two forms
};

__device__ inline AdamConstants adam_constants(const mpt_attrs_adam &a, double lr, std::int64_t t) {
    // The two powers take their time at once, in different lanes.
    const double correction = 1.0 - pow(threadIdx.x == 0 ? a.beta1 : a.beta2, static_cast<double>(t));
    const double correction1 = __shfl_sync(~0u, correction, 0), correction2 = __shfl_sync(~0u, correction, 1);
    AdamConstants c{};
    c.decay = static_cast<float>(a.common.weight_decay);
    c.shrink = 1.0f;
    c.toward_first = static_cast<float>(1.0 - a.beta1);
    c.rest_first = 1.0f - c.toward_first;
    c.near = c.toward_first < 0.5f;
    c.keep_second = static_cast<float>(a.beta2);
    c.toward_second = static_cast<float>(1.0 - a.beta2);
    c.lr = static_cast<float>(lr);
    c.correction = static_cast<float>(correction1);
    c.step_size = static_cast<float>(lr / correction1);
    c.root_correction = static_cast<float>(sqrt(correction2));
    c.eps = static_cast<float>(a.eps);
    return c;
}

// torch's lerp_, whose form depends on the weight.
__device__ __forceinline__ Single first_moment(const AdamConstants &c, Single m, Single g) {
    const Single difference = g - m;
    return c.near ? m + c.toward_first * difference : g - difference * c.rest_first;
}

__device__ __forceinline__ Single second_moment(const AdamConstants &c, Single v, Single g) {
    return v * c.keep_second + c.toward_second * g * g;
}

}  // namespace mpt::cuda
