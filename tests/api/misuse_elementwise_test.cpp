// Wrong calls of the elementwise ops.
#include <cmath>

#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

#define PAIR_ROWS(function, good)                                       \
    ROW(Null, "a", "", function, nullptr, w.good, w.out()),             \
    ROW(Null, "b", "", function, w.good, nullptr, w.out()),             \
    ROW(Null, "out", "", function, w.good, w.good, nullptr),            \
    ROW(Foreign, "b", "", function, w.good, w.other.good, w.out()),     \
    ROW(State, "a", "", function, w.output, w.good, w.out()),           \
    ROW(State, "b", "", function, w.good, w.output, w.out())

#define MIXED_ROWS(function)                                                     \
    ROW(Shape, "b", "[4]", function, w.x, w.row, w.out()),                       \
    ROW(Dtype, "b", "is i32", function, w.x, w.ints, w.out()),                   \
    ROW(Dtype, "b", "is f32", function, w.ints, w.x, w.out()),                   \
    ROW(Taken, "b", "", function, w.x, w.half, w.out())

#define BINARY_ROWS(function)                                           \
    PAIR_ROWS(function, x),                                             \
    MIXED_ROWS(function),                                               \
    ROW(Dtype, "a", "is bool", function, w.bools, w.bools, w.out()),    \
    STEPS(#function, Dtype, "a", "is f8e4m3", net::Tensor x = of(w, MPT_F8E4M3, {2, 3}); return function(x, x, w.out()))
#define INTEGER_ROWS(function) BINARY_ROWS(function), ROW(Taken, "a", "", function, w.ints, w.ints, w.out())
#define FLOATING_ROWS(function) BINARY_ROWS(function), ROW(Dtype, "a", "is i32", function, w.ints, w.ints, w.out())

#define COMPARE_ROWS(function)                                          \
    PAIR_ROWS(function, x),                                             \
    MIXED_ROWS(function),                                               \
    ROW(Taken, "a", "", function, w.bools, w.bools, w.out()),           \
    STEPS(#function, Dtype, "a", "is f8e5m2", net::Tensor x = of(w, MPT_F8E5M2, {2, 3}); return function(x, x, w.out()))

#define LOGIC_ROWS(function)                                                                                       \
    PAIR_ROWS(function, bools),                                                                                    \
    ROW(Dtype, "a", "is f32", function, w.x, w.bools, w.out()),                                                    \
    ROW(Dtype, "b", "is i32", function, w.bools, w.ints, w.out()),                                                 \
    STEPS(#function, Shape, "b", "[4]", net::Tensor b = of(w, MPT_BOOL, {4}); return function(w.bools, b, w.out()))

#define UNARY_ROWS(function, ...)                                                    \
    ROW(Null, "x", "", function, nullptr, __VA_ARGS__ w.out()),                      \
    ROW(Null, "out", "", function, w.x, __VA_ARGS__ nullptr),                        \
    ROW(Dtype, "x", "is i32", function, w.ints, __VA_ARGS__ w.out()),                \
    ROW(Dtype, "x", "is bool", function, w.bools, __VA_ARGS__ w.out()),              \
    ROW(State, "x", "", function, w.output, __VA_ARGS__ w.out())

const misuse::Rows binary_rows{
    INTEGER_ROWS(mpt_add),
    INTEGER_ROWS(mpt_sub),
    INTEGER_ROWS(mpt_mul),
    INTEGER_ROWS(mpt_maximum),
    INTEGER_ROWS(mpt_minimum),
    FLOATING_ROWS(mpt_div),
    FLOATING_ROWS(mpt_pow),
    FLOATING_ROWS(mpt_fmod),
    FLOATING_ROWS(mpt_remainder),
    FLOATING_ROWS(mpt_floor_divide),
    FLOATING_ROWS(mpt_atan2),

    COMPARE_ROWS(mpt_equal),
    COMPARE_ROWS(mpt_not_equal),
    COMPARE_ROWS(mpt_less),
    COMPARE_ROWS(mpt_less_equal),
    COMPARE_ROWS(mpt_greater),
    COMPARE_ROWS(mpt_greater_equal),
    LOGIC_ROWS(mpt_logical_and),
    LOGIC_ROWS(mpt_logical_or),
    LOGIC_ROWS(mpt_logical_xor),

    ROW(Null, "condition", "", mpt_where, nullptr, w.x, w.x, w.out()),
    ROW(Null, "a", "", mpt_where, w.bools, nullptr, w.x, w.out()),
    ROW(Null, "b", "", mpt_where, w.bools, w.x, nullptr, w.out()),
    ROW(Null, "out", "", mpt_where, w.bools, w.x, w.x, nullptr),
    ROW(Foreign, "a", "", mpt_where, w.bools, w.other.x, w.x, w.out()),
    ROW(Foreign, "b", "", mpt_where, w.bools, w.x, w.other.x, w.out()),
    ROW(State, "a", "", mpt_where, w.bools, w.output, w.x, w.out()),
    ROW(Dtype, "condition", "is f32", mpt_where, w.x, w.x, w.x, w.out()),
    ROW(Dtype, "b", "is i32", mpt_where, w.bools, w.x, w.ints, w.out()),
    ROW(Shape, "a", "[4]", mpt_where, w.bools, w.row, w.x, w.out()),
    ROW(Shape, "b", "[4]", mpt_where, w.bools, w.x, w.row, w.out()),
    ROW(Taken, "b", "", mpt_where, w.bools, w.x, w.half, w.out()),
    ROW(Taken, "a", "", mpt_where, w.bools, w.bools, w.bools, w.out()),
    STEPS("mpt_where", Dtype, "a", "is f8e4m3", net::Tensor x = of(w, MPT_F8E4M3, {2, 3}); return mpt_where(w.bools, x, x, w.out())),
};

const misuse::Rows unary_rows{
    UNARY_ROWS(mpt_neg),
    UNARY_ROWS(mpt_exp),
    UNARY_ROWS(mpt_log),
    UNARY_ROWS(mpt_sqrt),
    UNARY_ROWS(mpt_relu),
    UNARY_ROWS(mpt_abs),
    UNARY_ROWS(mpt_sign),
    UNARY_ROWS(mpt_square),
    UNARY_ROWS(mpt_rsqrt),
    UNARY_ROWS(mpt_reciprocal),
    UNARY_ROWS(mpt_exp2),
    UNARY_ROWS(mpt_expm1),
    UNARY_ROWS(mpt_log2),
    UNARY_ROWS(mpt_log10),
    UNARY_ROWS(mpt_log1p),
    UNARY_ROWS(mpt_sin),
    UNARY_ROWS(mpt_cos),
    UNARY_ROWS(mpt_tan),
    UNARY_ROWS(mpt_asin),
    UNARY_ROWS(mpt_acos),
    UNARY_ROWS(mpt_atan),
    UNARY_ROWS(mpt_sinh),
    UNARY_ROWS(mpt_cosh),
    UNARY_ROWS(mpt_tanh),
    UNARY_ROWS(mpt_asinh),
    UNARY_ROWS(mpt_acosh),
    UNARY_ROWS(mpt_atanh),
    UNARY_ROWS(mpt_erf),
    UNARY_ROWS(mpt_floor),
    UNARY_ROWS(mpt_ceil),
    UNARY_ROWS(mpt_round),
    UNARY_ROWS(mpt_trunc),
    UNARY_ROWS(mpt_sigmoid),
    UNARY_ROWS(mpt_silu),
    UNARY_ROWS(mpt_softplus),
    UNARY_ROWS(mpt_isnan),
    UNARY_ROWS(mpt_isinf),
    UNARY_ROWS(mpt_isfinite),
    STEPS("mpt_relu", Dtype, "x", "is f8e4m3", net::Tensor x = of(w, MPT_F8E4M3, {2, 3}); return mpt_relu(x, w.out())),

    ROW(Null, "x", "", mpt_logical_not, nullptr, w.out()),
    ROW(Null, "out", "", mpt_logical_not, w.x, nullptr),
    ROW(State, "x", "", mpt_logical_not, w.output, w.out()),
    ROW(Taken, "x", "", mpt_logical_not, w.ints, w.out()),
    STEPS("mpt_logical_not", Dtype, "x", "is f8e5m2", net::Tensor x = of(w, MPT_F8E5M2, {2, 3}); return mpt_logical_not(x, w.out())),

    UNARY_ROWS(mpt_affine, 2, 1, ),
    ROW(Taken, "scale", "", mpt_affine, w.x, INFINITY, 0, w.out()),
    ROW(Taken, "shift", "", mpt_affine, w.x, 1, NAN, w.out()),
    UNARY_ROWS(mpt_leaky_relu, 0.1, ),
    ROW(Taken, "slope", "", mpt_leaky_relu, w.x, -2, w.out()),
    UNARY_ROWS(mpt_elu, 1, ),
    ROW(Taken, "alpha", "", mpt_elu, w.x, 0, w.out()),
    UNARY_ROWS(mpt_pow_scalar, 2, ),
    ROW(Taken, "exponent", "", mpt_pow_scalar, w.x, -INFINITY, w.out()),
    UNARY_ROWS(mpt_gelu, MPT_GELU_EXACT, ),
    ROW(Range, "kind", "is 2", mpt_gelu, w.x, static_cast<mpt_gelu_kind>(2), w.out()),
    ROW(Range, "kind", "is -1", mpt_gelu, w.x, static_cast<mpt_gelu_kind>(-1), w.out()),
    UNARY_ROWS(mpt_clamp, 0, 1, ),
    ROW(Range, "low", "is nan", mpt_clamp, w.x, NAN, 1, w.out()),
    ROW(Range, "high", "is nan", mpt_clamp, w.x, 0, NAN, w.out()),
    ROW(Taken, "low", "", mpt_clamp, w.x, -INFINITY, INFINITY, w.out()),
    ROW(Taken, "high", "", mpt_clamp, w.x, 2, 1, w.out()),
};

}  // namespace
