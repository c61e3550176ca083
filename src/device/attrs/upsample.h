/* Resizing. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_UPSAMPLE_H
#define MPT_DEVICE_ATTRS_UPSAMPLE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "upsample2d": in[0] x T [N,C,H,W]; out[0] y T [N,C,H',W']. NEAREST: y[i] = x[floor(i H / H')]. BILINEAR: between the two
 * neighbours of max(0, (i + 1/2) H / H' - 1/2), the second at most H - 1; a neighbour of weight 0 is not read. "upsample2d_grad":
 * in[0] dy; out[0] dx. */
typedef struct mpt_attrs_upsample2d {
    int64_t mode; /* mpt_upsample_mode */
} mpt_attrs_upsample2d;

#ifdef __cplusplus
}
#endif

#endif
