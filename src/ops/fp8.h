// Tensors with a scale: their values are their elements times an inverse scale.
#pragma once

#include <vector>

#include "ops/emit.h"

namespace mpt::ops {

// The largest finite number of an fp8 format.
double fp8_limit(mpt_dtype dtype);

// x in fp8 with its scale, without its place in products' scaling. scale null: from x's largest magnitude; amax, if there, remembers that.
Ref<Tensor> quantize(const Ref<Tensor> &x, mpt_dtype dtype, double limit, const Ref<Tensor> &scale, const Ref<Tensor> &amax);
// x's values: elements times the inverse scale.
Ref<Tensor> dequantize(const Ref<Tensor> &x, mpt_dtype dtype);
// acc * (a * b) + bias, rounded to dtype; a, b and bias may be null.
Ref<Tensor> rescale(const Ref<Tensor> &acc, const Ref<Tensor> &a, const Ref<Tensor> &b, const Ref<Tensor> &bias, mpt_dtype dtype, Tensor *into);

// a [M,K] b [K,N] of quantized tensors, with a bias [N] of dtype or null; null where the device has no such product.
Ref<Tensor> scaled_matmul(const Ref<Tensor> &a, const Ref<Tensor> &b, const Ref<Tensor> &bias, mpt_dtype dtype, Tensor *into);

// One step of histories. Lists of slots of the same length; limits repeat every three slots.
struct Fp8Slots {
    std::vector<Ref<Tensor>> history, amax, scale, position;
};
void fp8_update(const Fp8Slots &slots, const double (&limits)[3]);

}  // namespace mpt::ops
