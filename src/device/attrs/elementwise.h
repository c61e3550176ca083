/* Elementwise kernels. The conventions are in README.md beside this file. */
#ifndef MPT_DEVICE_ATTRS_ELEMENTWISE_H
#define MPT_DEVICE_ATTRS_ELEMENTWISE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "unary": in[0] x T, out[0] T, same shape. ROUND: halves to even. SIGN, RELU, CLAMP, FLOOR and the like: NaN stays.
 * "unary_grad": in[0] dy T, in[1] v T, out[0] T, same shape: dy times the derivative. v is y for SQRT RSQRT RECIPROCAL EXP2 TAN TANH
 * SIGMOID, else x. There is none for those whose gradient is another kernel or 0: NEG EXP LOG RELU AFFINE, SIGN FLOOR CEIL ROUND TRUNC. At
 * the kinks: ABS 0; LEAKY_RELU and ELU as for x < 0; CLAMP 0, as for NaN. POW: 0 for an exponent of 0. */
enum {
    MPT_UNARY_NEG = 0,
    MPT_UNARY_EXP = 1,
    MPT_UNARY_LOG = 2,
    MPT_UNARY_SQRT = 3,
    MPT_UNARY_RELU = 4,
    MPT_UNARY_AFFINE = 5, /* scale * x + shift */
    MPT_UNARY_ABS = 6,
    MPT_UNARY_SIGN = 7,
    MPT_UNARY_SQUARE = 8,
    MPT_UNARY_RSQRT = 9,
    MPT_UNARY_RECIPROCAL = 10,
    MPT_UNARY_EXP2 = 11,
    MPT_UNARY_EXPM1 = 12,
    MPT_UNARY_LOG2 = 13,
    MPT_UNARY_LOG10 = 14,
    MPT_UNARY_LOG1P = 15,
    MPT_UNARY_SIN = 16,
    MPT_UNARY_COS = 17,
    MPT_UNARY_TAN = 18,
    MPT_UNARY_ASIN = 19,
    MPT_UNARY_ACOS = 20,
    MPT_UNARY_ATAN = 21,
    MPT_UNARY_SINH = 22,
    MPT_UNARY_COSH = 23,
    MPT_UNARY_TANH = 24,
    MPT_UNARY_ASINH = 25,
    MPT_UNARY_ACOSH = 26,
    MPT_UNARY_ATANH = 27,
    MPT_UNARY_ERF = 28,
    MPT_UNARY_FLOOR = 29,
    MPT_UNARY_CEIL = 30,
    MPT_UNARY_ROUND = 31,
    MPT_UNARY_TRUNC = 32,
    MPT_UNARY_SIGMOID = 33,
    MPT_UNARY_SILU = 34,
    MPT_UNARY_SOFTPLUS = 35,
    MPT_UNARY_LEAKY_RELU = 36, /* x where x > 0, else scale * x */
    MPT_UNARY_ELU = 37,        /* x where x > 0, else scale * (exp(x) - 1) */
    MPT_UNARY_GELU = 38,
    MPT_UNARY_GELU_TANH = 39,
    MPT_UNARY_CLAMP = 40, /* min(max(x, scale), shift) */
    MPT_UNARY_POW = 41    /* x to the scale; 0.5 and -0.5 as SQRT and RSQRT */
};
typedef struct mpt_attrs_unary {
    int64_t kind;
    double scale;
    double shift;
} mpt_attrs_unary;

/* "binary": in[0] a, in[1] b, out[0], same shape (broadcast by strides of 0). Same dtype: T, and for ADD SUB MUL MAX MIN also
 * i8 i16 i32 i64 u8 (wrapping). EQ gives 1 or 0 in T. RELU_GRAD: a where b > 0, else 0 (a: gradient, b: the ReLU's output).
 * MAX, MIN: NaN wins. FMOD: C's. REMAINDER: the sign of b, a zero too. FLOOR_DIVIDE: the integer q for which a = q b + REMAINDER.
 * out may be the same memory as a or b with the same strides. */
enum {
    MPT_BINARY_ADD = 0,
    MPT_BINARY_SUB = 1,
    MPT_BINARY_MUL = 2,
    MPT_BINARY_DIV = 3,
    MPT_BINARY_EQ = 4,
    MPT_BINARY_RELU_GRAD = 5,
    MPT_BINARY_MAX = 6,
    MPT_BINARY_MIN = 7,
    MPT_BINARY_POW = 8,
    MPT_BINARY_FMOD = 9,
    MPT_BINARY_REMAINDER = 10,
    MPT_BINARY_FLOOR_DIVIDE = 11,
    MPT_BINARY_ATAN2 = 12
};
typedef struct mpt_attrs_binary {
    int64_t kind;
} mpt_attrs_binary;

/* "binary_grad": in[0] dy, in[1] a, in[2] b, out[0], all T and of one shape (broadcast by strides of 0): dy times the derivative of the
 * binary kind with respect to operand (0: a, 1: b). MAX and MIN: half of dy for equal ones. FMOD and REMAINDER by b: minus the truncated or
 * floored quotient. POW by a: 0 where b is 0; by b: 0 where a is 0 and b is not negative. */
typedef struct mpt_attrs_binary_grad {
    int64_t kind; /* MAX MIN POW FMOD REMAINDER ATAN2; FMOD and REMAINDER by b only */
    int64_t operand;
} mpt_attrs_binary_grad;

/* "compare": in[0] a, in[1] b of one dtype, any; out[0] BOOL, same shape (broadcast by strides of 0). AND OR XOR: of BOOL. */
enum {
    MPT_COMPARE_EQUAL = 0,
    MPT_COMPARE_NOT_EQUAL = 1,
    MPT_COMPARE_LESS = 2,
    MPT_COMPARE_LESS_EQUAL = 3,
    MPT_COMPARE_GREATER = 4,
    MPT_COMPARE_GREATER_EQUAL = 5,
    MPT_COMPARE_AND = 6,
    MPT_COMPARE_OR = 7,
    MPT_COMPARE_XOR = 8
};
typedef struct mpt_attrs_compare {
    int64_t kind;
} mpt_attrs_compare;

/* "predicate": in[0] x T, for NOT of any dtype; out[0] BOOL, same shape. */
enum { MPT_PREDICATE_NAN = 0, MPT_PREDICATE_INF = 1, MPT_PREDICATE_FINITE = 2, MPT_PREDICATE_NOT = 3 };
typedef struct mpt_attrs_predicate {
    int64_t kind;
} mpt_attrs_predicate;

/* "where": in[0] condition BOOL, in[1] a, in[2] b, out[0], same shape (broadcast by strides of 0); a, b and out of one dtype, any. The bits of
 * a where condition, else those of b; a or b absent: zeros. No attributes. */

#ifdef __cplusplus
}
#endif

#endif
