/* The kernels that a device module offers: for each its name, its operands and its attributes. This is the
 * whole contract between an op and its kernels; shapes, dtypes and broadcasting were checked by the op before.
 *
 * Formats. "T" is any of f64 f32 f16 bf16; one call's T operands share it unless stated. Arithmetic is in f32
 * for f32, f16 and bf16 and in f64 for f64, rounded once (to nearest even) when stored. Operands may have any
 * strides unless stated; inputs may have strides of 0. Scalars are tensors of ndim 0 in device memory.
 * Structs have no implicit padding (they are compared and hashed as bytes) and are zeroed before being filled. */
#ifndef MPT_DEVICE_ATTRS_H
#define MPT_DEVICE_ATTRS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- data movement ---- */

/* "fill": out[0] any dtype. */
typedef struct mpt_attrs_fill {
    double value;
} mpt_attrs_fill;

/* "copy": in[0] -> out[0], same shape, any two dtypes. Float -> float rounds to nearest even, NaN -> 7FFF for f16
 * and bf16, f32 denormals are kept, f64 -> f16/bf16 goes through f32. Float -> integer truncates and saturates, NaN
 * -> 0. Anything -> bool is x != 0. No attributes. */

/* "random": in[0] i64[2] {seed, counter}; out[0] T, filled in logical order. Element i takes lane i%4 of the Philox
 * 4x32-10 block with key = seed and 128-bit counter = {counter + offset + i/4, 0}. UNIFORM: low + (high-low) *
 * (lane >> 8) * 2^-24 in f32. NORMAL: lanes (0,1) and (2,3) are Box-Muller pairs: r = sqrt(-2 ln u0), cos and sin of 2 pi u1,
 * u0 = ((lane >> 8) + 1) * 2^-24. */
enum { MPT_RANDOM_UNIFORM = 0, MPT_RANDOM_NORMAL = 1 };
typedef struct mpt_attrs_random {
    int64_t kind;
    int64_t offset;
    double a; /* low, or mean */
    double b; /* high, or standard deviation */
} mpt_attrs_random;

/* "random_advance": out[0] i64[2] {seed, counter}, counter += blocks. */
typedef struct mpt_attrs_random_advance {
    int64_t blocks;
} mpt_attrs_random_advance;

/* ---- elementwise ---- */

/* "unary": in[0] x T, out[0] T, same shape. */
enum { MPT_UNARY_NEG = 0, MPT_UNARY_EXP = 1, MPT_UNARY_LOG = 2, MPT_UNARY_SQRT = 3, MPT_UNARY_RELU = 4, MPT_UNARY_AFFINE = 5 };
typedef struct mpt_attrs_unary {
    int64_t kind;
    double scale; /* AFFINE: scale * x + shift */
    double shift;
} mpt_attrs_unary;

/* "binary": in[0] a, in[1] b, out[0], same shape (broadcast by strides of 0). Same dtype: T, and for ADD SUB MUL also
 * i8 i16 i32 i64 u8 (wrapping). EQ gives 1 or 0 in T. RELU_GRAD: a where b > 0, else 0 (a: gradient, b: the ReLU's output).
 * out may be the same memory as a or b with the same strides. */
enum { MPT_BINARY_ADD = 0, MPT_BINARY_SUB = 1, MPT_BINARY_MUL = 2, MPT_BINARY_DIV = 3, MPT_BINARY_EQ = 4, MPT_BINARY_RELU_GRAD = 5 };
typedef struct mpt_attrs_binary {
    int64_t kind;
} mpt_attrs_binary;

/* "reduce": in[0] x T, out[0] of the same ndim, reduced extents 1, of T or (from f16, bf16) f32. MEAN divides by the
 * number of reduced elements. MAX of nothing cannot occur; SUM of nothing is 0. NaN wins MAX. The order of additions depends on
 * shapes and strides alone, never on the number of threads. */
enum { MPT_REDUCE_SUM = 0, MPT_REDUCE_MEAN = 1, MPT_REDUCE_MAX = 2 };
typedef struct mpt_attrs_reduce {
    int64_t kind;
    int64_t dims; /* the reduced dimensions, as bits */
} mpt_attrs_reduce;

/* ---- products ---- */

/* "matmul": in[0] a [B..., M, K], in[1] b [B..., K, N], in[2] bias (absent, or [N] of T or f32; only when
 * there are no batch dimensions), out[0] [B..., M, N] of T or (from f16, bf16) f32. a and b share T; batch dimensions are equal
 * (broadcast by strides of 0). Transposed operands come as strides. No attributes. K = 0 gives the bias or 0. */

/* "conv2d": in[0] x [N,C,H,W], in[1] w [O,C/g,KH,KW], in[2] bias absent or [O] (T or f32); out[0] y [N,O,H',W'].
 * "conv2d_dgrad": in[0] dy, in[1] w; out[0] dx.
 * "conv2d_wgrad": in[0] x, in[1] dy; out[0] dw of T or f32, out[1] db absent or [O], dtype of dw.
 * Any strides; the fast layout is C innermost (strides of NHWC). */
typedef struct mpt_attrs_conv2d {
    int32_t stride[2];
    int32_t padding[2];
    int32_t dilation[2];
    int32_t groups;
    int32_t reserved;
} mpt_attrs_conv2d;

/* ---- pooling ---- */

/* "max_pool2d": in[0] x T [N,C,H,W]; out[0] y T [N,C,H',W'], out[1] index of the maximum in its window (row * kernel_w +
 * column; u8 when the window has at most 256 elements, else i32), strides as y's. NaN wins; the first of equals.
 * "max_pool2d_grad": in[0] dy, in[1] index; out[0] dx T [N,C,H,W]. */
typedef struct mpt_attrs_pool2d {
    int32_t kernel[2];
    int32_t stride[2];
    int32_t padding[2];
} mpt_attrs_pool2d;

/* ---- softmax and losses ---- */

/* "softmax": in[0] x T, out[0] y T, along dim. LOG: log-softmax.
 * "softmax_grad": in[0] dy, in[1] y; out[0] dx. */
typedef struct mpt_attrs_softmax {
    int32_t dim;
    int32_t log;
} mpt_attrs_softmax;

/* "cross_entropy": in[0] logits T [N,C], in[1] target u8/i32/i64 [N]; out[0] loss, ndim 0 or [N] for NONE, and out[1]
 * log-sum-exp [N]; both f32 (f64 for f64). MEAN of no rows is NaN. A target outside [0, C): loss NaN for that row.
 * "cross_entropy_grad": in[0] logits, in[1] target, in[2] log-sum-exp, in[3] gradient of the loss (its form); out[0] dlogits T
 * [N,C] = (softmax - onehot) * gradient (/ N for MEAN); a row with a target outside gives 0. */
/* "mse": in[0] prediction T, in[1] target T, same shape; out[0] loss, ndim 0 or their shape for NONE; f32 (f64 for f64).
 * "mse_grad": in[0] prediction, in[1] target, in[2] gradient of the loss; out[0] gradient of prediction T. */
typedef struct mpt_attrs_loss {
    int64_t reduction; /* mpt_reduction */
} mpt_attrs_loss;

/* ---- optimizers: all tensors of one call in one launch ----
 * Lists of tensors are flattened: an operand list of n means n consecutive operands. Scalars are f32 ndim 0 unless
 * stated. Within one index all tensors have one shape and one memory layout (dense). */

/* "grad_norm": in[0] scale (absent: 1), in[1..n] gradients of any T each (mixed allowed); out[0] found (f32: 1 when any element
 * is not finite, else 0), out[1] f32 norm of the gradients times inv = float(1.0 / double(scale)), each product
 * rounded to f32, squares added in f64. The order of additions does not depend on the number of threads. */

/* "unscale": in[0] scale; out[0..n) gradients, read and written: g = round(float(g) * inv). */

/* "adam" and "sgd": one launch per group.
 *   in[0]  lr
 *   in[1]  found (absent: 0). Not 0: nothing is written but out[1], counted as skipped.
 *   in[2]  scale: gradients are multiplied by inv as in grad_norm (absent: 1)
 *   in[3]  norm (absent: no clipping): then by min(1, max_norm / (norm + 1e-6)) in f32
 *   in[4..4+n) gradients of T
 *   out[0] step count, i64 ndim 0, read; +1 unless skipped
 *   out[1] i64[2] {stepped, skipped}, read; one of them + 1
 *   out[2..2+n)   masters (f32, or f64 for f64 gradients), read and written
 *   then n first moments (adam) or momentum buffers (sgd; there only when momentum != 0), as masters, read and written
 *   then n second moments (adam)
 *   then copies lists of n low-precision copies, written: each of any floating dtype, or absent (dtype NONE)
 * Update rules as torch.optim writes them; bias corrections and lr / (1 - beta1^t) are computed in double from t = count + 1
 * and rounded to f32; sqrt(v)/sqrt(1-beta2^t) + eps in f32 (f64 for f64). */
typedef struct mpt_attrs_adam {
    double beta1;
    double beta2;
    double eps;
    double weight_decay;
    double lr_scale; /* times in[0] */
    double max_norm; /* with in[3] */
    int32_t n;      /* tensors */
    int32_t copies; /* lists of low-precision copies */
    int32_t decoupled; /* 1: AdamW */
    int32_t reserved;
} mpt_attrs_adam;
typedef struct mpt_attrs_sgd {
    double momentum;
    double dampening;
    double weight_decay;
    double lr_scale;
    double max_norm;
    int32_t n;
    int32_t copies;
    int32_t nesterov;
    int32_t reserved;
} mpt_attrs_sgd;

/* "scaler_update": in[0..n) found of each optimizer; out[0] scale f32, out[1] tracker i32 (good iterations since the last
 * move), out[2] i64[3] {good, bad, at_minimum}; all read and written. One bad: scale *= backoff (never under min when min > 0),
 * tracker = 0. All good: tracker + 1; when it reaches interval: scale *= growth if the product is finite (never over max when
 * max > 0), tracker = 0. fixed 1: only the counts move. */
typedef struct mpt_attrs_scaler {
    double growth;
    double backoff;
    double minimum;
    double maximum;
    int64_t interval;
    int64_t fixed;
} mpt_attrs_scaler;

#ifdef __cplusplus
}
#endif

#endif
