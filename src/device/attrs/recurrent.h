/* Recurrent cells. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_RECURRENT_H
#define MPT_DEVICE_ATTRS_RECURRENT_H

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
 * attributes. */

#endif
