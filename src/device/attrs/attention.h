/* Attention. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_ATTENTION_H
#define MPT_DEVICE_ATTRS_ATTENTION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* p = softmax(scale q k^T + mask), then dropout, then p v. Products, softmax and sums in f32 (f64 for f64). Row i sees columns j where the
 * mask lets it and, with causal, j <= i + S - T; a row that sees nothing gives 0 and receives no gradient.
 * A kernel for f16 or bf16 may round weights (exponentials, probabilities and gradients of scores) to T before they are factors of a
 * product, as tensor cores want them; what is not finite in a row of an operand may then show where it is not seen.
 *
 * "attention": in[0] q T [B,H,T,D], in[1] k T [B,H,S,D], in[2] v T [B,H,S,E]; in[3] mask [B,H,T,S] or absent: BOOL (true: seen), or T or
 * wide T (added); in[4] i64[2] {seed, counter}, absent without dropout. out[0] T [B,H,T,E]; out[1] wide T [B,H,T]: log of the sum of the
 * scores' exponentials, +inf for a row that sees nothing; out[2] in[4] as it was read, absent without dropout.
 * Dropout: with u = (lane >> 8) * 2^-24 of lane j % 4 of the Philox block (see "random") with counter + ((b H + h) T + i) ceil(S / 4) +
 * j / 4, element (b,h,i,j) of p becomes 0 where u < dropout, else p / (1 - dropout).
 *
 * "attention_grad": in[0] q, in[1] k, in[2] v, in[3] mask or absent, in[4] out[0] of "attention", in[5] its out[1], in[6] T its
 * gradient, in[7] its out[2] or absent. out[0] dq, out[1] dk, out[2] dv, each T or absent. */
typedef struct mpt_attrs_attention {
    int64_t causal;
    double scale;
    double dropout; /* from [0, 1) */
} mpt_attrs_attention;

#ifdef __cplusplus
}
#endif

#endif
