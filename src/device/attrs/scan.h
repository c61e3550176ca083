/* Running sums. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_SCAN_H
#define MPT_DEVICE_ATTRS_SCAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "cumsum": in[0] x T, out[0] T, same shape: the sum of the elements along dim up to each (reverse: from each on). The CPU adds in f64,
 * other devices at least in the type that T computes in. The order of additions does not depend on the number of threads. */
typedef struct mpt_attrs_scan {
    int32_t dim;
    int32_t reverse;
} mpt_attrs_scan;

#ifdef __cplusplus
}
#endif

#endif
