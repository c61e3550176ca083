/* Optimizers: all tensors of one call in one launch. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_OPTIMIZER_H
#define MPT_DEVICE_ATTRS_OPTIMIZER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Scalars are f32 ndim 0 unless stated. Within one index all tensors have one shape and one memory layout (dense). */

/* "grad_norm": in[0] scale (absent: 1), in[1..n] gradients of any T each (mixed allowed); out[0] found (f32: 1 when any element
 * is not finite, else 0), out[1] f32 norm of the gradients times inv = float(1.0 / double(scale)), each product
 * rounded to f32, squares added in f64; out[2] (may be absent) the same norm with each product clipped to
 * [-max_value, max_value]. The order of additions does not depend on the number of threads. */
typedef struct mpt_attrs_grad_norm {
    double max_value; /* with out[2] */
} mpt_attrs_grad_norm;

/* "unscale": in[0] scale; out[0..n) gradients, read and written: g = round(float(g) * inv). No attributes. */

/* The update rules "sgd", "adam", "lamb", "adagrad", "adadelta" and "rmsprop": one launch per group.
 *   in[0]  lr
 *   in[1]  found (absent: 0). Not 0: nothing is written but out[1], counted as skipped, and out[3].
 *   in[2]  scale: gradients are multiplied by inv as in grad_norm (absent: 1), then clipped to max_value when that is not 0
 *   in[3]  norm (absent: no clipping): then by min(1, max_norm / (norm + 1e-6)) in f32
 *   in[4..4+n) gradients of T
 *   out[0] step count, i64 ndim 0, read; +1 unless skipped
 *   out[1] i64[2] {stepped, skipped}, read; one of them + 1
 *   out[2] the lr that was used
 *   out[3] i64[2] {seed, counter} (absent unless rounding is STOCHASTIC), read; the counter + the blocks that all tensors take
 *   out[4..4+n)   parameters, read and written. MASTER: f32 masters (f64 for f64 gradients). Otherwise the f16 or bf16
 *                 parameters themselves: the rule is applied to their values in f32 and the result is rounded
 *   then the lists of n states of the rule, in the order given below, f32 (f64 for f64), read and written
 *   then, when rounding is KAHAN, n compensations of the parameters' type, read and written
 *   then copies lists of n low-precision copies, written: each of any floating dtype, or absent (dtype NONE)
 * Rounding (mpt_rounding): NEAREST to even. STOCHASTIC: bf16 only; 16 random bits are added below the bits that stay, and the
 * rest is cut off. Element j of a tensor in memory order takes half j%2 (0: low) of lane (j%8)/2 of the Philox block (as in
 * "random") counter + j/8 + the blocks of the tensors before; a tensor has ceil(numel/8). KAHAN: the rule sees p + c, or p
 * where p + c/2 to nearest is not p: then c is of another p, which somebody has replaced. p becomes the result r to nearest and c becomes
 * r - p to nearest (0 where p is not finite).
 * Update rules as torch.optim writes them (single tensor); bias corrections and rates are computed in double from
 * t = count + 1 and rounded to the type of the arithmetic. */
typedef struct mpt_attrs_update {
    double weight_decay;
    double lr_scale;  /* times in[0] */
    double max_norm;  /* with in[3] */
    double max_value; /* 0: no clipping */
    int32_t n;        /* tensors */
    int32_t copies;   /* lists of low-precision copies */
    int32_t rounding; /* mpt_rounding */
    int32_t reserved;
} mpt_attrs_update;

/* "sgd": a momentum buffer, there only when momentum is not 0; it begins as the first gradient. */
typedef struct mpt_attrs_sgd {
    mpt_attrs_update common;
    double momentum;
    double dampening;
    int32_t nesterov;
    int32_t reserved;
} mpt_attrs_sgd;

/* "adam": first and second moment; sqrt(v)/sqrt(1-beta2^t) + eps in f32 (f64 for f64).
 * "lamb": the same states; d = (m/(1-beta1^t)) / (sqrt(v)/sqrt(1-beta2^t) + eps) + weight_decay * p, p -= lr * ratio * d,
 * ratio = |p| / |d| over the whole parameter before the update, 1 where a norm is 0. Squares are added in f64, in an order that does
 * not depend on the number of threads. decoupled is not looked at. */
typedef struct mpt_attrs_adam {
    mpt_attrs_update common;
    double beta1;
    double beta2;
    double eps;
    int32_t decoupled; /* 1: AdamW */
    int32_t reserved;
} mpt_attrs_adam;

/* "adagrad": sum of squares, which the op has filled with its initial value. lr / (1 + (t - 1) * lr_decay). */
typedef struct mpt_attrs_adagrad {
    mpt_attrs_update common;
    double lr_decay;
    double eps;
} mpt_attrs_adagrad;

/* "adadelta": average of squared gradients, average of squared changes. */
typedef struct mpt_attrs_adadelta {
    mpt_attrs_update common;
    double rho;
    double eps;
} mpt_attrs_adadelta;

/* "rmsprop": average of squared gradients; the average of gradients when centered; the momentum buffer when momentum is not 0.
 * A variance that rounding makes negative counts as 0 (torch: NaN). */
typedef struct mpt_attrs_rmsprop {
    mpt_attrs_update common;
    double alpha;
    double eps;
    double momentum;
    int32_t centered;
    int32_t reserved;
} mpt_attrs_rmsprop;

#ifdef __cplusplus
}
#endif

#endif
