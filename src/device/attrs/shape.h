/* Kernels that arrange elements. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_SHAPE_H
#define MPT_DEVICE_ATTRS_SHAPE_H

#include <stdint.h>

#include "mpt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "concat": in[0..n) any one dtype; out[0] that dtype: the inputs one after the other along dim. */
typedef struct mpt_attrs_concat {
    int64_t dim;
} mpt_attrs_concat;

/* "pad": in[0] any dtype; out[0] that dtype, where in[0] begins at before; value, rounded, elsewhere. */
typedef struct mpt_attrs_pad {
    double value;
    int32_t before[MPT_MAX_DIMS];
    int32_t after[MPT_MAX_DIMS];
} mpt_attrs_pad;

/* "triangle": in[0] T [..., M, N], out[0] of its form: element (i, j) where j - i <= diagonal (upper: >= diagonal), else 0. */
typedef struct mpt_attrs_triangle {
    int64_t diagonal;
    int64_t upper;
} mpt_attrs_triangle;

/* "range": out[0] T or integers: element i, in logical order, is start + i * step in f64, converted as "copy" does. */
typedef struct mpt_attrs_range {
    double start;
    double step;
} mpt_attrs_range;

#ifdef __cplusplus
}
#endif

#endif
