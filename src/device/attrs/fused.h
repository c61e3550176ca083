/* Fused kernels. The conventions are in README.md beside this file. A module may lack any of them and may refuse any call
 * (MPT_ERROR_UNSUPPORTED): then a program keeps the kernels of the parts. Each gives the bits that its parts give one after the
 * other, intermediate roundings included. Only programs ask for them (src/program/fusions/). */
#ifndef MPT_DEVICE_ATTRS_FUSED_H
#define MPT_DEVICE_ATTRS_FUSED_H

#include <stdint.h>

#include "device/attrs/elementwise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "activation_grad_sum": the gradient of an activation, and the sum over the first dimension of what it gives, as "reduce" adds.
 *   in[0] dy, in[1] v, T [M,N]; out[0] dx T [M,N]; out[1] f32 or T [1,N]; all contiguous. */
typedef struct mpt_attrs_activation_grad_sum {
    int64_t relu;          /* 1: RELU_GRAD of "binary"; 0: "unary_grad" with unary */
    mpt_attrs_unary unary;
} mpt_attrs_activation_grad_sum;

/* "residual_norm": "row_norm" with its attributes of an f32 sum, whose result is rounded to another type. All but vectors contiguous.
 *   in[0] x f32 [...,L]; in[1] absent, or what is added to it, f32 or T of its shape; in[2] weight, in[3] bias as for "row_norm"
 *   out[0] y f32 or T; out[1] mean, out[2] rstd; out[3] absent without in[1], else the sum, f32.
 * "residual_norm_grad": the gradient of that, with what another branch gives x.
 *   in[0] dy f32 or T, in[1] the sum, f32, in[2] weight or absent, in[3] mean, in[4] rstd, in[5] absent, or f32 of x's shape
 *   out[0] dx + in[5], f32; out[1] dweight, out[2] dbias as for "row_norm_grad"; out[3] absent, or out[0] rounded to T. */

/* "cross_entropy_with_grad": "cross_entropy" with its attributes, and "cross_entropy_grad" of what it gives.
 *   in[0] logits, in[1] target, in[2] weight or absent; in[3] the gradient of the loss
 *   out[0] loss, out[1] log-sum-exp, out[2] the divisor, as for "cross_entropy"; out[3] dlogits. */

/* "channel_norm_relu": "channel_norm" with its attributes, then the sum with another tensor where there is one, then ReLU.
 *   in[0] to in[4] and out[0] to out[4] as for "channel_norm"; in[5] absent, or what is added, T of x's shape.
 *   y = relu(round(round(norm) + in[5])).
 * "channel_norm_relu_grad": the gradient of that.
 *   in[0] dy, in[1] absent, or T of dy's shape: its other part (dy = round(dy + in[1]))
 *   in[2] x, in[3] weight or absent, in[4] bias or absent, in[5] mean, in[6] rstd, in[7] y
 *   out[0] dx T, out[1] dweight, out[2] dbias, as for "channel_norm_grad"
 *   out[3] absent, or T of y's shape: dy where y is positive, else 0, which is the gradient of what was added.
 * y may be left unread where nothing was added: its sign is that of the norm, which x gives. */

#ifdef __cplusplus
}
#endif

#endif
