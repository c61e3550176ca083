/* Normalisation. The conventions are in README.md beside this file. "Wide" is f32, and f64 for f64. */
#ifndef MPT_DEVICE_ATTRS_NORM_H
#define MPT_DEVICE_ATTRS_NORM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "channel_norm" (batch, group and instance norm): y = (x - mean) * rstd * weight + bias, with statistics of each group of
 * C / groups channels: of the whole batch (B = 1), or of each image (per_image 1: B = N). The variance is over the count;
 * rstd = 1 / sqrt(variance + eps).
 *   in[0]  x T [N,C,...]
 *   in[1]  weight, in[2] bias: absent (1, 0) or [C] of T or wide
 *   in[3]  mean, in[4] variance, wide [C]: given statistics (groups = C, B = 1); absent: those of x
 *   out[0] y T
 *   out[1] mean, out[2] rstd: wide [B, groups], contiguous
 *   out[3] running mean, out[4] running variance: absent or wide [C], read and written (groups = C, B = 1):
 *          running += momentum * (batch - running), the batch's variance over count - 1
 * "channel_norm_grad": in[0] dy, in[1] x, in[2] weight or absent, in[3] mean, in[4] rstd as above; out[0] dx T, out[1] dweight,
 * out[2] dbias, wide [C], each may be absent. given 1: the statistics did not come from x.
 * The order of additions depends on shapes and strides alone, never on the number of threads; chunks are combined in f64. */
typedef struct mpt_attrs_channel_norm {
    double eps;
    double momentum;
    int64_t groups;
    int32_t per_image;
    int32_t given;
} mpt_attrs_channel_norm;

/* "row_norm" (layer and RMS norm): over rows, the last dimension.
 *   in[0]  x T [...,L]
 *   in[1]  weight, in[2] bias: absent or [L] of T or wide
 *   out[0] y T
 *   out[1] mean (absent with rms), out[2] rstd: wide, x's shape without L, contiguous
 * rms 1: the mean is taken for 0, so that rstd = 1 / sqrt(mean(x^2) + eps).
 * "row_norm_grad": in[0] dy, in[1] x, in[2] weight or absent, in[3] mean (absent with rms), in[4] rstd; out[0] dx T, out[1] dweight,
 * out[2] dbias, wide [L], each may be absent. Order of additions as above. */
typedef struct mpt_attrs_row_norm {
    double eps;
    int64_t rms;
} mpt_attrs_row_norm;

#ifdef __cplusplus
}
#endif

#endif
