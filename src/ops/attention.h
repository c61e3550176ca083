// Scaled dot-product attention. The contract is in device/attrs/attention.h.
#pragma once

#include "device/attrs/attention.h"
#include "ops/emit.h"

namespace mpt::ops {

// q [B,H,T,D], k [B,H,S,D], v [B,H,S,E], of any strides; mask: null, BOOL or floating, of a shape that broadcasts to [B,H,T,S].
// attrs.scale 0: 1 / sqrt(D). The result lies in memory as [B,T,H,E], so that transpose {0,2,1,3} and reshape to [B,T,H*E] copy nothing;
// the gradients of q, k and v lie so, too.
Ref<Tensor> attention(const Ref<Tensor> &q, const Ref<Tensor> &k, const Ref<Tensor> &v, const Ref<Tensor> &mask,
                      const mpt_attrs_attention &attrs);

}  // namespace mpt::ops
