// Losses. Results are f32 (f64 for f64); inputs of 16 bits are read as they are.
#pragma once

#include "device/attrs/loss.h"
#include "ops/emit.h"

namespace mpt::ops {

// weight: of the classes, or null.
Ref<Tensor> cross_entropy(const Ref<Tensor> &logits, const Ref<Tensor> &target, const Ref<Tensor> &weight,
                          const mpt_attrs_cross_entropy &attrs);
Ref<Tensor> nll(const Ref<Tensor> &log_probabilities, const Ref<Tensor> &target, const Ref<Tensor> &weight,
                const mpt_attrs_cross_entropy &attrs);
// kind: MPT_LOSS_*.
Ref<Tensor> pointwise_loss(const Ref<Tensor> &prediction, const Ref<Tensor> &target, int kind, mpt_reduction reduction,
                           double parameter = 0);
Ref<Tensor> cosine_similarity(const Ref<Tensor> &a, const Ref<Tensor> &b, int dim, double eps);
Ref<Tensor> cosine_embedding(const Ref<Tensor> &a, const Ref<Tensor> &b, const Ref<Tensor> &target, double margin,
                             mpt_reduction reduction);
Ref<Tensor> ctc(const Ref<Tensor> &log_probabilities, const Ref<Tensor> &targets, const Ref<Tensor> &input_lengths,
                const Ref<Tensor> &target_lengths, std::int64_t blank, mpt_reduction reduction, bool zero_infinity);

// Checks of operands that several losses share.
void need_floating(const Tensor &x, const char *name);
// The form of a loss whose elements, before the reduction, have this shape.
Spec loss_form(mpt_dtype dtype, const Dims &shape, const Dims &strides, std::int64_t reduction);

}  // namespace mpt::ops
