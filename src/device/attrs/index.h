/* Reading and writing by index. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_INDEX_H
#define MPT_DEVICE_ATTRS_INDEX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An index is u8, i32 or i64 and counts along dim; one outside [0, extent) reads NaN (0 where the dtype has none, or zero is 1) and
 * writes nowhere. Additions are in f32 (f64 for f64), rounded once; their order is that of the index, whatever the number of threads.
 *
 * "index_select": in[0] x any dtype, in[1] index [K]; out[0] x's dtype, K along dim.
 * "gather": in[0] x any dtype, in[1] index, of x's ndim and, but for dim, no larger extents; out[0] x's dtype, the index's shape.
 * "scatter_add": in[0] x T, in[1] index, in[2] src T, the index's shape; out[0] T, which may be x's memory with x's strides.
 * "index_add": in[0] index [K], in[1] src T, K along dim; out[0] T or wider: 0, with src added at the indices but for skip.
 * "one_hot": in[0] index [...]; out[0] any dtype [..., classes]. No attributes. */
typedef struct mpt_attrs_index {
    int32_t dim;
    int32_t zero; /* index_select, gather */
    int64_t skip; /* index_add; -1: none */
} mpt_attrs_index;

#ifdef __cplusplus
}
#endif

#endif
