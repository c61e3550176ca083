/* Recurrent cells. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_RECURRENT_H
#define MPT_DEVICE_ATTRS_RECURRENT_H

#include <stdint.h>

/* Gates are the sums of products and biases, before their functions; s is the logistic function. The state's type is T or wide T.
 *
 * "lstm_cell": in[0] gates T [N,4H] (i, f, g, o), in[1] cell state's type [N,H], in[2] absent, or what is added to the gates, as they. out[1] c = s(f) cell + s(i) tanh(g), as cell;
 * out[0] h = s(o) tanh(c) T [N,H], of c before it is rounded. No attributes.
 * "lstm_cell_grad": in[0] gates, in[1] cell, in[2] dh T or absent, in[3] dc as cell or absent, in[4] in[2] of "lstm_cell"; out[0] dgates or absent, out[1] dcell or
 * absent. No attributes.
 *
 * "gru_cell": in[0] x T [N,3H] (r, z, n) from the input, in[1] y T [N,3H] from the state, in[2] hidden state's type [N,H].
 * n = tanh(x_n + s(x_r + y_r) y_n), z = s(x_z + y_z), out[0] n + z (hidden - n), as hidden. No attributes.
 * "gru_cell_grad": in[0] x, in[1] y, in[2] hidden, in[3] dout as hidden; out[0] dx, out[1] dy, out[2] dhidden, each may be absent. No
 * attributes.
 *
 * All steps of an LSTM at once: "lstm_sequence": in[0] gates T [L,N,4H] of the inputs, in[1] weight T [4H,H], in[2] absent, or bias T or f32 [4H],
 * in[3] hidden T [N,H] and in[4] cell, the state's type [N,H], before the first step. out[0] h T [L,N,H], out[1] c, the state's type [L,N,H], out[2] the sums T [L,N,4H] of
 * gates, bias and the products of the state before with weight, rounded once; h and c are those of "lstm_cell" of the sums, with c as it is stored.
 * "lstm_sequence_grad": in[0] sums, in[1] weight, in[2] cell, in[3] c, in[4] dh T or absent, in[5] dc or absent; out[0] dgates T [L,N,4H], out[1] dhidden or absent,
 * out[2] dcell or absent. What a step passes back is made of dgates as stored; dc is added up in f32.
 *
 * All steps of a GRU at once: "gru_sequence": in[0] gates T [L,N,3H] of the inputs, in[1] weight T [3H,H], in[2] absent, or bias T or f32 [3H], in[3] hidden,
 * the state's type [N,H], in[4] the same in T, or absent where it is that. out[0] y, the state's type [L,N,H], out[1] the same in T, or absent, out[2] T [L,N,3H]: of r and z the
 * sums of gates, bias and product, of n that of bias and product, rounded once; y is that of "gru_cell" of these.
 * "gru_sequence_grad": in[0] sums, in[1] weight, in[2] gates, in[3] hidden, in[4] y, in[5] dy; out[0] dgates, out[1] the same of what comes from the state, T [L,N,3H],
 * out[2] dhidden or absent. What a step passes back is made of out[1] as stored.
 *
 * A device may lack all of these or refuse a call (MPT_ERROR_UNSUPPORTED), and refuses rows of other strides than multiples of 16 bytes. */

typedef struct mpt_attrs_recurrent_sequence {
    int64_t reverse; /* 0: from step 0 on; 1: from step L-1 back */
} mpt_attrs_recurrent_sequence;

#endif
