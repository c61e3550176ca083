/* Orders along a dimension. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_SORT_H
#define MPT_DEVICE_ATTRS_SORT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NaN counts as the largest, all NaN as equal, and -0 as 0. Equal elements keep their order. At most 2^32 - 1 elements along dim.
 * "sort": in[0] x T; out[0] values T, moved bit for bit, out[1] i64 where they were; the first k in the asked order, k being
 * the outputs' extent along dim (x's: a whole sort).
 * "arg": in[0] x T; out[0] i64, extent 1 along dim: where the first element of the order is; but NaN comes first in both orders. */
typedef struct mpt_attrs_sort {
    int32_t dim;
    int32_t descending;
} mpt_attrs_sort;

#ifdef __cplusplus
}
#endif

#endif
