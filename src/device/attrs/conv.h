/* Convolutions. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_CONV_H
#define MPT_DEVICE_ATTRS_CONV_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "conv2d": in[0] x [N,C,H,W], in[1] w [O,C/g,KH,KW], in[2] bias absent or [O] (T or f32); out[0] y [N,O,H',W'].
 * "conv2d_dgrad": in[0] dy, in[1] w, in[2] absent or the bias of a transposed convolution, [C] (T or f32); out[0] dx. Where no tap
 * meets dx it is the bias, or 0.
 * "conv2d_wgrad": in[0] x, in[1] dy; out[0] dw of T or f32, out[1] db absent or [O], dtype of dw.
 * Any strides; the fast layout is C innermost (strides of NHWC). */
typedef struct mpt_attrs_conv2d {
    int32_t stride[2];
    int32_t padding[2];
    int32_t dilation[2];
    int32_t groups;
    int32_t reserved;
} mpt_attrs_conv2d;

#ifdef __cplusplus
}
#endif

#endif
