/* Dropout. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_DROPOUT_H
#define MPT_DEVICE_ATTRS_DROPOUT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "dropout": in[0] x T, in[1] i64[2] {seed, counter}; out[0] y T and out[1] mask u8, both dense with the same strides. Element i of
 * the mask's memory takes lane i%4 of Philox block i/4 (as "random" in data.h): kept (mask 1) when (lane >> 8) >= ceil(p * 2^24).
 * y = x / (1 - p) where kept (the factor rounded to f32, or f64 for f64), else 0.
 * "dropout_grad": in[0] dy T, in[1] mask; out[0] dx T with the mask's strides. */
typedef struct mpt_attrs_dropout {
    double p;
} mpt_attrs_dropout;

#ifdef __cplusplus
}
#endif

#endif
