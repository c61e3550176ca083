/* Pooling. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_POOL_H
#define MPT_DEVICE_ATTRS_POOL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "max_pool2d": in[0] x T [N,C,H,W]; out[0] y T [N,C,H',W'], out[1] index of the maximum in its window (row * kernel_w +
 * column, counted from the window's first row and column, padding included; u8 when the window has at most 256 elements, else i32),
 * strides as y's. NaN wins; the first of equals.
 * "max_pool2d_grad": in[0] dy, in[1] index; out[0] dx T [N,C,H,W].
 * "avg_pool2d": in[0] x T; out[0] y T: the sum of the window's elements inside the image, divided by their number (exclude_padding 1)
 * or by kernel_h * kernel_w.
 * "avg_pool2d_grad": in[0] dy; out[0] dx.
 * adaptive 1: window i of H' has rows [floor(i H / H'), ceil((i + 1) H / H')), all inside; kernel is at least the largest window,
 * stride and padding do not count. */
typedef struct mpt_attrs_pool2d {
    int32_t kernel[2];
    int32_t stride[2];
    int32_t padding[2];
    int32_t exclude_padding;
    int32_t adaptive;
} mpt_attrs_pool2d;

#ifdef __cplusplus
}
#endif

#endif
