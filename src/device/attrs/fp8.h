/* fp8. The conventions are in README.md beside this file.
 *
 * An fp8 tensor's value is element * inverse scale. Conversions to fp8 round to nearest even and saturate, NaN gives 7F ("copy" does so, too). */
#ifndef MPT_DEVICE_ATTRS_FP8_H
#define MPT_DEVICE_ATTRS_FP8_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "quantize": in[0] x T, in[1] scale f32 or absent; out[0] f8e4m3 or f8e5m2, dense in x's layout; out[1] inverse scale f32; out[2] amax f32 or
 * absent, read and written: the larger one of it and of x's largest finite magnitude.
 * The scale is in[1], or where that is absent or 0: limit / x's largest finite magnitude (1 where that is 0; at most 2^126).
 * out[0] = f8(float(x) * scale), NaN where x is not finite. out[1] = 1 / scale. */
typedef struct mpt_attrs_quantize {
    double limit;
} mpt_attrs_quantize;

/* "matmul_f8", where a module has it: in[0] a [M,K], in[1] b [K,N], each f8e4m3 or f8e5m2 but not both f8e5m2, in[2] bias absent or [N] of T',
 * in[3] a's inverse scale f32, in[4] b's, each may be absent (1); out[0] [M,N] of T' = round((a b) * in[3] * in[4] + in[2]), added up in f32, where
 * T' is f32, f16 or bf16. No attributes. Without it a product's operands are decoded, and "rescale" comes behind. */

/* "rescale": in[0] acc f32, in[1] inverse scale f32 or absent, in[2] another or absent, in[3] bias T or f32, broadcast to acc, or absent;
 * out[0] T' = round(acc * (in[1] * in[2]) + in[3]), where T' is f32, f16 or bf16. out[0] may be in[0]. No attributes. */

/* "fp8_update", n slots: out[0..n) histories f32[H], out[n..2n) amax, out[2n..3n) scale, out[3n..4n) position i64, all read and written.
 * A slot whose amax is 0 was not used and stays as it is. Else history[position % H] = amax, position + 1, amax = 0, and
 * scale = limit / max(history), at most 2^126. */
typedef struct mpt_attrs_fp8_update {
    double limit[3]; /* of slots 0, 1, 2, 0, 1, 2, ... */
    int64_t n;
} mpt_attrs_fp8_update;

#ifdef __cplusplus
}
#endif

#endif
