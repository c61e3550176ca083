/* Losses but ctc. The conventions are in README.md beside this file. Results are f32 (f64 for f64). A reduced loss has ndim 0 and is a sum of
 * rows or elements, divided by what mpt_reduction says; for NONE it has one element per row or element. */
#ifndef MPT_DEVICE_ATTRS_LOSS_H
#define MPT_DEVICE_ATTRS_LOSS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "cross_entropy": in[0] logits x, T [N,C]; in[1] target, u8/i32/i64 [N] or of any T (f64 beside f64 alone) [N,C]; in[2] weight w of the classes,
 * [C] f32 (f64 for f64) or absent (1). out[0] loss; out[1] log-sum-exp l [N]; out[2] ndim 0, what the sum was divided by.
 *   row = sum_c q_c (l - x_c), where for an index t:  q_c = (1 - s) w_t [c = t] + s / C w_c   (s 0: column t alone is read)
 *                             for probabilities p:  q_c = w_c ((1 - s) p_c + s / C)
 * out[2]: MEAN the sum of w_t over the rows that count (indices), N (probabilities); BATCH_MEAN N; else 1.
 * A row whose index is ignore_index gives 0 and does not count. An index outside [0, C): NaN for its row, which counts as 1.
 * "cross_entropy_grad": in[0] logits, in[1] target, in[2] weight, in[3] log-sum-exp, in[4] the divisor, in[5] gradient of the loss (its form);
 * out[0] dlogits T [N,C] = (softmax_c sum q - q_c) * gradient / divisor; a row that does not count or has an index outside gives 0. */
/* "nll": in[0] log-probabilities x, T [N,C], in[1] target (indices), in[2] weight; out[0] loss; out[1] the divisor; row = -w_t x_t, all else as above.
 * "nll_grad": in[0] x, of which the form alone is read, in[1] target, in[2] weight, in[3] the divisor, in[4] gradient of the loss; out[0] its
 * gradient T [N,C]. */
typedef struct mpt_attrs_cross_entropy {
    int64_t reduction; /* mpt_reduction */
    int64_t ignore_index;
    double smoothing; /* s; nll: 0 */
} mpt_attrs_cross_entropy;

/* "pointwise_loss": in[0] prediction p, in[1] target t, same shape, any T each; out[0] loss (f64 if either is f64).
 *   MSE (p - t)^2; L1 |p - t|; HUBER d^2/2 for d = |p - t| <= parameter, else parameter (d - parameter / 2);
 *   BCE_LOGITS -(parameter t log s + (1 - t) log(1 - s)), s = sigmoid(p); KL t (log t - p), 0 for t = 0;
 *   HINGE max(0, parameter - p t); COSINE 1 - p for t = 1, max(0, p - parameter) for t = -1, else 0.
 * "pointwise_loss_grad": in[0] prediction, in[1] target, in[2] gradient of the loss; out[0] gradient of in[side] in its dtype.
 * At a kink the gradient is 0, as is that of KL's target at 0. COSINE has none of the target. */
enum {
    MPT_LOSS_MSE = 0,
    MPT_LOSS_L1 = 1,
    MPT_LOSS_HUBER = 2,
    MPT_LOSS_BCE_LOGITS = 3,
    MPT_LOSS_KL = 4,
    MPT_LOSS_HINGE = 5,
    MPT_LOSS_COSINE = 6
};
typedef struct mpt_attrs_pointwise_loss {
    int64_t reduction;
    int32_t kind;
    int32_t side; /* grad: 0 the prediction, 1 the target */
    double parameter;
} mpt_attrs_pointwise_loss;

/* "cosine": in[0] a, in[1] b, same shape, any T each, along dim, which the outputs lack; out[0] a.b / max(|a| |b|, eps), out[1] |a|, out[2] |b|.
 * "cosine_grad": in[0] a, in[1] b, in[2..4] the outputs, in[5] gradient of the similarity; out[0] gradient of in[side] in its dtype. */
typedef struct mpt_attrs_cosine {
    int32_t dim;
    int32_t side;
    double eps;
} mpt_attrs_cosine;

#ifdef __cplusplus
}
#endif

#endif
