// What gradients are multiplied by before an optimizer uses them.
#pragma once

namespace mpt::cpu {

// scale: the loss scale, or nullptr.
inline float inverse_scale(const void *scale) {
    return scale ? static_cast<float>(1.0 / static_cast<double>(*static_cast<const float *>(scale))) : 1.0f;
}

// norm: the gradients' norm, or nullptr for no clipping. NaN stays NaN.
inline float clip_factor(const void *norm, float max_norm) {
    if (!norm) return 1.0f;
    const float factor = max_norm / (*static_cast<const float *>(norm) + 1e-6f);
    return factor > 1.0f ? 1.0f : factor;
}

}  // namespace mpt::cpu
