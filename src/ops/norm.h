// Normalisation: statistics in f32 (f64 for f64) whatever x is stored in.
#pragma once

#include "ops/emit.h"

namespace mpt::ops {

// batch_norm.cpp. running_mean and running_var are both there or both null; training writes them, evaluation reads them.
struct BatchNorm {
    Ref<Tensor> weight, bias, running_mean, running_var;
    bool training = true;
    double momentum = 0.1, eps = 1e-5;
};
Ref<Tensor> batch_norm(const Ref<Tensor> &x, const BatchNorm &how);

// layer_norm.cpp: over the last dimensions, which weight and bias (may be null) cover
Ref<Tensor> layer_norm(const Ref<Tensor> &x, int ndims, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps);
Ref<Tensor> rms_norm(const Ref<Tensor> &x, const Ref<Tensor> &weight, double eps);

// group_norm.cpp
Ref<Tensor> group_norm(const Ref<Tensor> &x, std::int64_t groups, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps);
Ref<Tensor> instance_norm(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, double eps);

}  // namespace mpt::ops
