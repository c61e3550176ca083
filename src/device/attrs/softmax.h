/* Softmax. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_SOFTMAX_H
#define MPT_DEVICE_ATTRS_SOFTMAX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "softmax": in[0] x T, out[0] y T or wide T, along dim. LOG: log-softmax.
 * "softmax_grad": in[0] dy as y, in[1] y; out[0] dx T. */
typedef struct mpt_attrs_softmax {
    int32_t dim;
    int32_t log;
} mpt_attrs_softmax;

#ifdef __cplusplus
}
#endif

#endif
