/* Matrix products. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_PRODUCT_H
#define MPT_DEVICE_ATTRS_PRODUCT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "matmul": in[0] a [B..., M, K], in[1] b [B..., K, N], in[2] bias (absent, or [N] of T or f32; only when
 * there are no batch dimensions), out[0] [B..., M, N] of T or (from f16, bf16) f32. a and b share T; batch dimensions are equal
 * (broadcast by strides of 0). Transposed operands come as strides. No attributes. K = 0 gives the bias or 0. */

#ifdef __cplusplus
}
#endif

#endif
