/* Connectionist temporal classification. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_CTC_H
#define MPT_DEVICE_ATTRS_CTC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "ctc": in[0] log-probabilities T [T,N,C], in[1] labels i32/i64 [N,S], in[2] input lengths, in[3] target lengths, i32/i64 [N]. out[0] loss, ndim 0
 * or [N] for NONE; out[1] [N] the loss of each item, before zero_infinity; out[2] [N,T,2S+1] for the gradient: the log-probabilities of reaching
 * each place of the labels with blanks around them at each time, up to a constant for each time. All f32 (f64 for f64).
 * An item without any alignment has the loss inf. An item with a length outside [0, T] or [0, S], or with a label among its first ones that is no
 * class or the blank: NaN. MEAN divides by max(target length, 1), then by N; zero_infinity turns inf into 0.
 * "ctc_grad": in[0..4) as above, in[4] the loss of each item, in[5] out[2], in[6] gradient of the loss; out[0] gradient of the log-probabilities T
 * [T,N,C]: minus the probability of each class at each time given the labels; 0 behind an item's length, for an item with such a length or label and,
 * with zero_infinity, for one with the loss inf; an inf that stays gives NaN. */
typedef struct mpt_attrs_ctc {
    int64_t reduction; /* mpt_reduction */
    int64_t blank;
    int64_t zero_infinity;
} mpt_attrs_ctc;

#ifdef __cplusplus
}
#endif

#endif
