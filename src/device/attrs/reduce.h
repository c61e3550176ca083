/* Reductions. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_REDUCE_H
#define MPT_DEVICE_ATTRS_REDUCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "reduce": in[0] x T, in[1] centre c, absent (0) or f32 (f64 for f64) with out's shape and strides; out[0] of x's ndim, reduced
 * extents 1, of T or (from f16, bf16) f32. The order of additions depends on shapes and strides alone, never on the number
 * of threads.
 * SUM of nothing is 0, PROD of nothing 1; MEAN divides by the number of reduced elements. NaN wins MAX and MIN, which never see
 * nothing. SQUARES: scale times the sum of (x - c)^2; NORM: the root of the sum of x^2. LOGSUMEXP: log(sum(exp(x - c))) + c, where a c
 * that is not finite counts as 0. */
enum {
    MPT_REDUCE_SUM = 0,
    MPT_REDUCE_MEAN = 1,
    MPT_REDUCE_MAX = 2,
    MPT_REDUCE_MIN = 3,
    MPT_REDUCE_PROD = 4,
    MPT_REDUCE_SQUARES = 5,
    MPT_REDUCE_NORM = 6,
    MPT_REDUCE_LOGSUMEXP = 7
};
typedef struct mpt_attrs_reduce {
    int64_t kind;
    int64_t dims; /* the reduced dimensions, as bits */
    double scale; /* of SQUARES */
} mpt_attrs_reduce;

/* "prod_grad": in[0] dy (f32 or T, reduced extents 1), in[1] x T; out[0] dx T: dy times the product of the other elements. dims and
 * kind as in "reduce"; right where elements are 0. Products are in f64. */

#ifdef __cplusplus
}
#endif

#endif
