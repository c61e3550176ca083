#include "device/attrs/elementwise.h"

#include <cmath>

#include "api/guard.h"
#include "ops/elementwise.h"
#include "ops/ops.h"

using namespace mpt;

namespace {

template <class F>
mpt_status one(const char *function, mpt_tensor *x, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        *out = op(api::tensor(c, x, "x")).detach();
    });
}
mpt_status unary(const char *function, mpt_tensor *x, mpt_tensor **out, int kind, double scale = 1, double shift = 0) {
    return one(function, x, out, [&](const Ref<Tensor> &t) { return ops::unary(t, kind, scale, shift); });
}
mpt_status predicate(const char *function, mpt_tensor *x, mpt_tensor **out, int kind) {
    return one(function, x, out, [&](const Ref<Tensor> &t) { return ops::predicate(t, kind); });
}

template <class F>
mpt_status two(const char *function, mpt_tensor *a, mpt_tensor *b, mpt_tensor **out, F &&op) {
    return api::call(function, a, "a", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> left = api::tensor(c, a, "a"), right = api::tensor(c, b, "b");
        *out = op(left, right).detach();
    });
}
mpt_status binary(const char *function, mpt_tensor *a, mpt_tensor *b, mpt_tensor **out, int kind) {
    return two(function, a, b, out, [&](const Ref<Tensor> &left, const Ref<Tensor> &right) { return ops::binary(left, right, kind); });
}
mpt_status compare(const char *function, mpt_tensor *a, mpt_tensor *b, mpt_tensor **out, int kind) {
    return two(function, a, b, out, [&](const Ref<Tensor> &left, const Ref<Tensor> &right) { return ops::compare(left, right, kind); });
}

}  // namespace

mpt_status MPT_CALL mpt_add(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_add", a, b, out, MPT_BINARY_ADD); }
mpt_status MPT_CALL mpt_sub(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_sub", a, b, out, MPT_BINARY_SUB); }
mpt_status MPT_CALL mpt_mul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_mul", a, b, out, MPT_BINARY_MUL); }
mpt_status MPT_CALL mpt_div(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_div", a, b, out, MPT_BINARY_DIV); }
mpt_status MPT_CALL mpt_pow(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_pow", a, b, out, MPT_BINARY_POW); }
mpt_status MPT_CALL mpt_maximum(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_maximum", a, b, out, MPT_BINARY_MAX); }
mpt_status MPT_CALL mpt_minimum(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_minimum", a, b, out, MPT_BINARY_MIN); }
mpt_status MPT_CALL mpt_fmod(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_fmod", a, b, out, MPT_BINARY_FMOD); }
mpt_status MPT_CALL mpt_remainder(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_remainder", a, b, out, MPT_BINARY_REMAINDER); }
mpt_status MPT_CALL mpt_floor_divide(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_floor_divide", a, b, out, MPT_BINARY_FLOOR_DIVIDE); }
mpt_status MPT_CALL mpt_atan2(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return binary("mpt_atan2", a, b, out, MPT_BINARY_ATAN2); }

mpt_status MPT_CALL mpt_neg(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_neg", x, out, MPT_UNARY_NEG); }
mpt_status MPT_CALL mpt_exp(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_exp", x, out, MPT_UNARY_EXP); }
mpt_status MPT_CALL mpt_log(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_log", x, out, MPT_UNARY_LOG); }
mpt_status MPT_CALL mpt_sqrt(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_sqrt", x, out, MPT_UNARY_SQRT); }
mpt_status MPT_CALL mpt_relu(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_relu", x, out, MPT_UNARY_RELU); }
mpt_status MPT_CALL mpt_abs(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_abs", x, out, MPT_UNARY_ABS); }
mpt_status MPT_CALL mpt_sign(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_sign", x, out, MPT_UNARY_SIGN); }
mpt_status MPT_CALL mpt_square(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_square", x, out, MPT_UNARY_SQUARE); }
mpt_status MPT_CALL mpt_rsqrt(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_rsqrt", x, out, MPT_UNARY_RSQRT); }
mpt_status MPT_CALL mpt_reciprocal(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_reciprocal", x, out, MPT_UNARY_RECIPROCAL); }
mpt_status MPT_CALL mpt_exp2(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_exp2", x, out, MPT_UNARY_EXP2); }
mpt_status MPT_CALL mpt_expm1(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_expm1", x, out, MPT_UNARY_EXPM1); }
mpt_status MPT_CALL mpt_log2(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_log2", x, out, MPT_UNARY_LOG2); }
mpt_status MPT_CALL mpt_log10(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_log10", x, out, MPT_UNARY_LOG10); }
mpt_status MPT_CALL mpt_log1p(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_log1p", x, out, MPT_UNARY_LOG1P); }
mpt_status MPT_CALL mpt_sin(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_sin", x, out, MPT_UNARY_SIN); }
mpt_status MPT_CALL mpt_cos(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_cos", x, out, MPT_UNARY_COS); }
mpt_status MPT_CALL mpt_tan(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_tan", x, out, MPT_UNARY_TAN); }
mpt_status MPT_CALL mpt_asin(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_asin", x, out, MPT_UNARY_ASIN); }
mpt_status MPT_CALL mpt_acos(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_acos", x, out, MPT_UNARY_ACOS); }
mpt_status MPT_CALL mpt_atan(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_atan", x, out, MPT_UNARY_ATAN); }
mpt_status MPT_CALL mpt_sinh(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_sinh", x, out, MPT_UNARY_SINH); }
mpt_status MPT_CALL mpt_cosh(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_cosh", x, out, MPT_UNARY_COSH); }
mpt_status MPT_CALL mpt_tanh(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_tanh", x, out, MPT_UNARY_TANH); }
mpt_status MPT_CALL mpt_asinh(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_asinh", x, out, MPT_UNARY_ASINH); }
mpt_status MPT_CALL mpt_acosh(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_acosh", x, out, MPT_UNARY_ACOSH); }
mpt_status MPT_CALL mpt_atanh(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_atanh", x, out, MPT_UNARY_ATANH); }
mpt_status MPT_CALL mpt_erf(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_erf", x, out, MPT_UNARY_ERF); }
mpt_status MPT_CALL mpt_floor(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_floor", x, out, MPT_UNARY_FLOOR); }
mpt_status MPT_CALL mpt_ceil(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_ceil", x, out, MPT_UNARY_CEIL); }
mpt_status MPT_CALL mpt_round(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_round", x, out, MPT_UNARY_ROUND); }
mpt_status MPT_CALL mpt_trunc(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_trunc", x, out, MPT_UNARY_TRUNC); }
mpt_status MPT_CALL mpt_sigmoid(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_sigmoid", x, out, MPT_UNARY_SIGMOID); }
mpt_status MPT_CALL mpt_silu(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_silu", x, out, MPT_UNARY_SILU); }
mpt_status MPT_CALL mpt_softplus(mpt_tensor *x, mpt_tensor **out) { return unary("mpt_softplus", x, out, MPT_UNARY_SOFTPLUS); }

mpt_status MPT_CALL mpt_affine(mpt_tensor *x, double scale, double shift, mpt_tensor **out) {
    return unary("mpt_affine", x, out, MPT_UNARY_AFFINE, scale, shift);
}
mpt_status MPT_CALL mpt_leaky_relu(mpt_tensor *x, double slope, mpt_tensor **out) { return unary("mpt_leaky_relu", x, out, MPT_UNARY_LEAKY_RELU, slope); }
mpt_status MPT_CALL mpt_elu(mpt_tensor *x, double alpha, mpt_tensor **out) { return unary("mpt_elu", x, out, MPT_UNARY_ELU, alpha); }
mpt_status MPT_CALL mpt_pow_scalar(mpt_tensor *x, double exponent, mpt_tensor **out) { return unary("mpt_pow_scalar", x, out, MPT_UNARY_POW, exponent); }
mpt_status MPT_CALL mpt_gelu(mpt_tensor *x, mpt_gelu_kind kind, mpt_tensor **out) {
    return one("mpt_gelu", x, out, [&](const Ref<Tensor> &t) {
        if (kind != MPT_GELU_EXACT && kind != MPT_GELU_TANH)
            fail(MPT_ERROR_ARGUMENT, "argument 'kind' is ", static_cast<int>(kind), ", which is none of mpt_gelu_kind");
        return ops::unary(t, kind == MPT_GELU_TANH ? MPT_UNARY_GELU_TANH : MPT_UNARY_GELU);
    });
}
mpt_status MPT_CALL mpt_clamp(mpt_tensor *x, double low, double high, mpt_tensor **out) {
    return one("mpt_clamp", x, out, [&](const Ref<Tensor> &t) {
        if (std::isnan(low)) fail(MPT_ERROR_ARGUMENT, "argument 'low' is nan: give -infinity for no lower bound");
        if (std::isnan(high)) fail(MPT_ERROR_ARGUMENT, "argument 'high' is nan: give infinity for no upper bound");
        return ops::unary(t, MPT_UNARY_CLAMP, low, high);
    });
}

mpt_status MPT_CALL mpt_isnan(mpt_tensor *x, mpt_tensor **out) { return predicate("mpt_isnan", x, out, MPT_PREDICATE_NAN); }
mpt_status MPT_CALL mpt_isinf(mpt_tensor *x, mpt_tensor **out) { return predicate("mpt_isinf", x, out, MPT_PREDICATE_INF); }
mpt_status MPT_CALL mpt_isfinite(mpt_tensor *x, mpt_tensor **out) { return predicate("mpt_isfinite", x, out, MPT_PREDICATE_FINITE); }
mpt_status MPT_CALL mpt_logical_not(mpt_tensor *x, mpt_tensor **out) { return predicate("mpt_logical_not", x, out, MPT_PREDICATE_NOT); }

mpt_status MPT_CALL mpt_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_equal", a, b, out, MPT_COMPARE_EQUAL); }
mpt_status MPT_CALL mpt_not_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_not_equal", a, b, out, MPT_COMPARE_NOT_EQUAL); }
mpt_status MPT_CALL mpt_less(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_less", a, b, out, MPT_COMPARE_LESS); }
mpt_status MPT_CALL mpt_less_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_less_equal", a, b, out, MPT_COMPARE_LESS_EQUAL); }
mpt_status MPT_CALL mpt_greater(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_greater", a, b, out, MPT_COMPARE_GREATER); }
mpt_status MPT_CALL mpt_greater_equal(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_greater_equal", a, b, out, MPT_COMPARE_GREATER_EQUAL); }
mpt_status MPT_CALL mpt_logical_and(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_logical_and", a, b, out, MPT_COMPARE_AND); }
mpt_status MPT_CALL mpt_logical_or(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_logical_or", a, b, out, MPT_COMPARE_OR); }
mpt_status MPT_CALL mpt_logical_xor(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) { return compare("mpt_logical_xor", a, b, out, MPT_COMPARE_XOR); }

mpt_status MPT_CALL mpt_where(mpt_tensor *condition, mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) {
    return api::call("mpt_where", condition, "condition", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> chosen = api::tensor(c, condition, "condition"), yes = api::tensor(c, a, "a"), no = api::tensor(c, b, "b");
        *out = ops::where(chosen, yes, no).detach();
    });
}
