// What the ops of normalisation share.
#pragma once

#include <vector>

#include "ops/emit.h"

namespace mpt {

void check_norm_input(const Tensor &x);
void check_eps(double eps);
// A weight, bias or statistic, null: absent. type: x's, which it may have unless statistic; or the wide one.
void check_norm_vector(const Tensor *vector, const char *name, const Dims &shape, mpt_dtype type, bool statistic = false);

// Ops with the kernels "channel_norm" and "channel_norm_grad". in: x, weight, bias, mean, variance; out: y, mean, rstd, running mean and
// variance. The norms of precision's class "f32" compute in f32 and keep their statistics in it, but read and write 16-bit elements
// themselves: nothing is gained by a conversion in front, so autocast leaves x as it is.
void infer_channel_norm(const Call &call, std::vector<Spec> &out);
void channel_norm_gradient(GradRule &rule);

}  // namespace mpt
