/* Moving averages of parameters: all tensors of a group in one launch. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_AVERAGE_H
#define MPT_DEVICE_ATTRS_AVERAGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Within one index all tensors have one shape and one memory layout (dense); averages are f32 (f64 for f64). */

/* "average": in[0] step count, i64 ndim 0; in[1..1+n) parameters, or their masters; out[0] i64 ndim 0, the count of the last
 * update; out[1..1+n) averages; all read and written. Equal counts: nothing is written. Otherwise a = decay * a + (1 - decay) * p,
 * the two factors rounded from double to the average's type, and out[0] = in[0]. */
typedef struct mpt_attrs_average {
    double decay;
    int32_t n;
    int32_t reserved;
} mpt_attrs_average;

/* "average_swap": out[0..n) parameters, or their masters; out[n..2n) averages; out[2n..3n) rests; read and written; then copies lists of
 * n low-precision copies as in device/attrs/optimizer.h, written with the new parameters. A parameter of the average's type has no rest
 * (dtype NONE): the two change places. An f16 or bf16 parameter has an f32 rest, 0 at first, so that two swaps leave every bit: the average
 * becomes float(p) + rest, p becomes the old average to nearest, and the rest what that lost (0 where it is not finite). */
typedef struct mpt_attrs_average_swap {
    int32_t n;
    int32_t copies;
} mpt_attrs_average_swap;

#ifdef __cplusplus
}
#endif

#endif
