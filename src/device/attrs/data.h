/* Kernels that move and make data. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_DATA_H
#define MPT_DEVICE_ATTRS_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "fill": out[0] any dtype. */
typedef struct mpt_attrs_fill {
    double value;
} mpt_attrs_fill;

/* "copy": in[0] -> out[0], same shape, any two dtypes. Float -> float rounds to nearest even, NaN -> 7FFF for f16
 * and bf16, f32 denormals are kept, f64 -> f16/bf16/fp8 goes through f32. fp8 saturates (infinity too), NaN -> 7F. Float -> integer truncates and saturates, NaN
 * -> 0. Anything -> bool is x != 0. No attributes. */

/* "random": in[0] i64[2] {seed, counter}; out[0] T, filled in logical order. Element i takes lane i%4 of the Philox
 * 4x32-10 block with key = seed and 128-bit counter = {counter + offset + i/4, 0}. UNIFORM: low + (high-low) *
 * (lane >> 8) * 2^-24 in f32. NORMAL: lanes (0,1) and (2,3) are Box-Muller pairs: r = sqrt(-2 ln u0), cos and sin of 2 pi u1,
 * u0 = ((lane >> 8) + 1) * 2^-24. */
enum { MPT_RANDOM_UNIFORM = 0, MPT_RANDOM_NORMAL = 1 };
typedef struct mpt_attrs_random {
    int64_t kind;
    int64_t offset;
    double a; /* low, or mean */
    double b; /* high, or standard deviation */
} mpt_attrs_random;

/* "random_advance": out[0] i64[2] {seed, counter}, counter += blocks. */
typedef struct mpt_attrs_random_advance {
    int64_t blocks;
} mpt_attrs_random_advance;

#ifdef __cplusplus
}
#endif

#endif
