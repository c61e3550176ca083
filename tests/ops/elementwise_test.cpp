// Arithmetic of two inputs, and of one.
#include "ops/elementwise_forms.h"

namespace test {

namespace {

// One rounding per operation; a broadcast operand's gradient is a sum, so its error is measured by the terms.
constexpr Bound kBinary{1, Scale::Result, 4, 2, Scale::Magnitudes};
constexpr Bound kDivide{1, Scale::Result, 4, 4, Scale::Magnitudes};
constexpr Bound kAffine{2, Scale::Largest, 1, 1, Scale::Result};
// Terms that have no such bound: every term of a sum is rounded, and the largest sum stands for their size.
constexpr Bound kTerms{2, Scale::Result, 8, 4, Scale::Largest};
constexpr Bound kFused{2, Scale::Result, 8, 2, Scale::Magnitudes};

double remainder_of(double a, double b) {
    const double r = std::fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

std::vector<Case> cases() {
    std::vector<Case> all;
    add_binary(
        all, "mpt_add", mpt_add, [](double a, double b) { return a + b; }, {}, {}, kBinary);
    add_binary(
        all, "mpt_sub", mpt_sub, [](double a, double b) { return a - b; }, {}, {}, kBinary);
    add_binary(
        all, "mpt_mul", mpt_mul, [](double a, double b) { return a * b; }, {}, {}, kBinary);
    add_binary(
        all, "mpt_div", mpt_div, [](double a, double b) { return a / b; }, {}, {.low = 0.5}, kDivide);
    add_binary(
        all, "mpt_maximum", mpt_maximum, [](double a, double b) { return std::fmax(a, b); }, {}, {}, kTerms);
    add_binary(
        all, "mpt_minimum", mpt_minimum, [](double a, double b) { return std::fmin(a, b); }, {}, {}, kTerms);
    add_binary(
        all, "mpt_pow", mpt_pow, [](double a, double b) { return std::pow(a, b); }, {.low = 1.1, .high = 3},
        {.low = 0.2, .high = 2}, kFused);
    all.push_back(
        {.op = "mpt_pow",
         .name = "NegativeExponents",
         .inputs = {{.shape = {4, 9}, .low = 0.25, .high = 3}, {.shape = {4, 9}, .low = -2, .high = 2}},
         .apply = [](In in, Out out) { return mpt_pow(in[0], in[1], out); },
         .reference =
             [](const std::vector<Values> &in) { return zip(in[0], in[1], [](double a, double b) { return std::pow(a, b); }); },
         .bound = kFunction,
         .any_thread_count = true});
    add_binary(
        all, "mpt_fmod", mpt_fmod, [](double a, double b) { return std::fmod(a, b); }, {.low = -5, .high = 5},
        {.low = 0.7, .high = 2}, kTerms);
    add_binary(all, "mpt_remainder", mpt_remainder, remainder_of, {.low = -5, .high = 5}, {.low = 0.7, .high = 2}, kTerms);
    add_binary(
        all, "mpt_floor_divide", mpt_floor_divide, [](double a, double b) { return std::floor(a / b); }, {.low = -5, .high = 5},
        {.low = 0.7, .high = 2}, kTerms);
    add_binary(
        all, "mpt_atan2", mpt_atan2, [](double a, double b) { return std::atan2(a, b); }, {.low = 0.2}, {.low = 0.2}, kFused);
    all.push_back(
        {.op = "mpt_atan2",
         .name = "Quadrants",
         .inputs = {{.shape = {4, 9}, .gap = 0.2}, {.shape = {4, 9}, .gap = 0.2}},
         .apply = [](In in, Out out) { return mpt_atan2(in[0], in[1], out); },
         .reference =
             [](const std::vector<Values> &in) { return zip(in[0], in[1], [](double a, double b) { return std::atan2(a, b); }); },
         .bound = kFunction,
         .any_thread_count = true});

    add_unary(
        all, "mpt_neg", mpt_neg, [](double x) { return -x; }, {}, kExact);
    add_unary(
        all, "mpt_affine", [](mpt_tensor *x, mpt_tensor **out) { return mpt_affine(x, 2.5, -0.75, out); },
        [](double x) { return 2.5 * x - 0.75; }, {}, kAffine);
    add_unary(
        all, "mpt_abs", mpt_abs, [](double x) { return std::fabs(x); }, {.gap = 0.01}, kExact);
    add_unary(
        all, "mpt_sign", mpt_sign, [](double x) { return x < 0 ? -1.0 : 1.0; }, {.gap = 0.01}, kExact);
    add_unary(
        all, "mpt_square", mpt_square, [](double x) { return x * x; }, {}, kFunction);
    add_unary(all, "mpt_reciprocal", mpt_reciprocal, [](double x) { return 1 / x; }, {.low = 0.5, .high = 4},
              {1, Scale::Result, 4, 3, Scale::Result});
    add_unary(
        all, "mpt_sqrt", mpt_sqrt, [](double x) { return std::sqrt(x); }, {.low = 0.25, .high = 30}, kFunction);
    add_unary(all, "mpt_rsqrt", mpt_rsqrt, [](double x) { return 1 / std::sqrt(x); }, {.low = 0.25, .high = 30},
              {2, Scale::Result, 6, 4, Scale::Result});
    add_unary(
        all, "mpt_floor", mpt_floor, [](double x) { return std::floor(x); }, {.low = -4, .high = 4}, kExact);
    add_unary(
        all, "mpt_ceil", mpt_ceil, [](double x) { return std::ceil(x); }, {.low = -4, .high = 4}, kExact);
    add_unary(
        all, "mpt_round", mpt_round, [](double x) { return std::nearbyint(x); }, {.low = -4, .high = 4}, kExact);
    add_unary(
        all, "mpt_trunc", mpt_trunc, [](double x) { return std::trunc(x); }, {.low = -4, .high = 4}, kExact);
    add_unary(
        all, "mpt_clamp", [](mpt_tensor *x, mpt_tensor **out) { return mpt_clamp(x, -0.5, 0.7, out); },
        [](double x) { return std::fmin(std::fmax(x, -0.5), 0.7); }, {}, kExact);
    return all;
}

class Elementwise : public ElementwiseTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Arithmetic, cases());
INSTANTIATE_ON_EVERY_DEVICE(Elementwise);

TEST_P(Elementwise, StepsAtTheirEnds) {
    for (mpt_dtype dtype : formats(GetParam())) {
        const std::string name = mpt_dtype_name(dtype);
        const std::vector<double> x = {kNan, -kInfinity, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, kInfinity};
        expect_same(apply(mpt_round, dtype, x), {kNan, -kInfinity, -2, -2, 0, 0, 0, 2, 2, kInfinity}, "round " + name);
        expect_same(apply(mpt_floor, dtype, x), {kNan, -kInfinity, -3, -2, -1, 0, 0, 1, 2, kInfinity}, "floor " + name);
        expect_same(apply(mpt_ceil, dtype, x), {kNan, -kInfinity, -2, -1, 0, 0, 1, 2, 3, kInfinity}, "ceil " + name);
        expect_same(apply(mpt_trunc, dtype, x), {kNan, -kInfinity, -2, -1, 0, 0, 0, 1, 2, kInfinity}, "trunc " + name);
        expect_same(apply(mpt_sign, dtype, x), {kNan, -1, -1, -1, -1, 0, 1, 1, 1, 1}, "sign " + name);
        expect_same(apply(mpt_abs, dtype, x), {kNan, kInfinity, 2.5, 1.5, 0.5, 0, 0.5, 1.5, 2.5, kInfinity}, "abs " + name);
        for (UnaryFunction f : {mpt_round, mpt_floor, mpt_ceil, mpt_trunc, mpt_sign})
            expect_same(gradient_of(f, dtype, x), std::vector<double>(x.size(), 0.0), "gradient " + name);
        expect_same(gradient_of(mpt_abs, dtype, {-3, 0, 3}), {-1, 0, 1}, "gradient of abs " + name);
    }
}

TEST_P(Elementwise, ClampAndItsBounds) {
    const auto clamp = [](double low, double high) {
        return [=](mpt_tensor *x, mpt_tensor **out) { return mpt_clamp(x, low, high, out); };
    };
    const std::vector<double> x = {kNan, -kInfinity, -1, 0.5, 1, 2, kInfinity};
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const auto through = [&](double low, double high) {
            Tensor out;
            MUST(mpt_clamp(make(ctx, dtype, x), low, high, out.out()));
            return read(out);
        };
        expect_same(through(-1, 1), {kNan, -1, -1, 0.5, 1, 1, 1});
        expect_same(through(-kInfinity, 1), {kNan, -kInfinity, -1, 0.5, 1, 1, 1});
        expect_same(through(0, kInfinity), {kNan, 0, 0, 0.5, 1, 2, kInfinity});
        expect_same(through(3, 1), {kNan, 1, 1, 1, 1, 1, 1}, "high wins");
        expect_same(gradient_of(clamp(-1, 1), dtype, x), {0, 0, 0, 1, 0, 0, 0}, "none at the bounds [PyTorch]");
    }
}

TEST_P(Elementwise, DivisionByZero) {
    const std::vector<double> got = apply(mpt_div, MPT_F32, {1, -1, 0, 1}, {0, 0, 0, kInfinity});
    EXPECT_EQ(got[0], kInfinity);
    EXPECT_EQ(got[1], -kInfinity);
    EXPECT_TRUE(std::isnan(got[2]));
    EXPECT_EQ(got[3], 0);
}

TEST_P(Elementwise, IntegersWrapAround) {
    expect_same(apply(mpt_add, MPT_I8, {127, -128, 3}, {1, -1, 4}), {-128, 127, 7});
    expect_same(apply(mpt_sub, MPT_U8, {0, 200}, {1, 100}), {255, 100});
    expect_same(apply(mpt_mul, MPT_I16, {300, -7}, {300, 6}), {24464, -42});
    expect_same(apply(mpt_mul, MPT_I32, {65536, 5}, {65536, -5}), {0, -25});
    expect_same(apply(mpt_sub, MPT_I64, {1e15}, {1}), {1e15 - 1});
    Tensor out;
    EXPECT_EQ(mpt_div(make(ctx, MPT_I32, {4}), make(ctx, MPT_I32, {2}), out.out()), MPT_ERROR_DTYPE);
}

TEST_P(Elementwise, MaximumAndMinimum) {
    for (mpt_dtype dtype : {MPT_I8, MPT_I16, MPT_I32, MPT_I64}) {
        expect_same(apply(mpt_maximum, dtype, {-5, 7, 3}, {2, 7, -4}), {2, 7, 3}, mpt_dtype_name(dtype));
        expect_same(apply(mpt_minimum, dtype, {-5, 7, 3}, {2, 7, -4}), {-5, 7, -4}, mpt_dtype_name(dtype));
    }
    expect_same(apply(mpt_maximum, MPT_U8, {200, 3}, {100, 255}), {200, 255});
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const std::vector<double> a = {kNan, 1, kNan, kInfinity, 2}, b = {1, kNan, kNan, 3, 2};
        expect_same(apply(mpt_maximum, dtype, a, b), {kNan, kNan, kNan, kInfinity, 2}, mpt_dtype_name(dtype));
        expect_same(apply(mpt_minimum, dtype, a, b), {kNan, kNan, kNan, 3, 2}, mpt_dtype_name(dtype));
        for (BinaryFunction f : {mpt_maximum, mpt_minimum}) {
            const auto [da, db] = gradients_of(f, dtype, {2, 1, 5}, {2, 3, 4});
            EXPECT_EQ(da[0], 0.5) << "equal ones share";
            EXPECT_EQ(db[0], 0.5);
            EXPECT_EQ(da[1], f == mpt_maximum ? 0 : 1);
            EXPECT_EQ(db[2], f == mpt_maximum ? 0 : 1);
        }
    }
}

// NumPy's signs: those of remainder and floor_divide belong together, whatever a / b rounds to.
TEST_P(Elementwise, RemaindersAndTheirSigns) {
    const std::vector<double> a = {7, -7, 7, -7, 6, -6, 0.3, 5, kInfinity, 5}, b = {3, 3, -3, -3, 3, 3, 0.1, kInfinity, 2, 0};
    const mpt_dtype wide = widest(GetParam());
    // 0.3 is just below three times 0.1 in f64, and just above it in f32.
    const double rest = wide == MPT_F64 ? std::fmod(0.3, 0.1) : std::fmod(0.3f, 0.1f), times = wide == MPT_F64 ? 2 : std::floor(0.3f / 0.1f);
    expect_same(apply(mpt_fmod, wide, a, b), {1, -1, 1, -1, 0, 0, rest, 5, kNan, kNan});
    expect_same(apply(mpt_remainder, wide, a, b), {1, 2, -2, -1, 0, 0, rest, 5, kNan, kNan});
    expect_same(apply(mpt_floor_divide, wide, a, b), {2, -3, -3, 2, 2, -2, times, 0, kNan, kInfinity});
    EXPECT_TRUE(std::signbit(apply(mpt_remainder, MPT_F32, {6}, {-3})[0])) << "a zero has the sign of b";
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        expect_same(apply(mpt_remainder, dtype, {-7, 5.5}, {3, -2}), {2, -0.5}, mpt_dtype_name(dtype));
        expect_same(gradients_of(mpt_fmod, dtype, {-7, 7}, {3, -3}).second, {2, 2}, mpt_dtype_name(dtype));
        expect_same(gradients_of(mpt_remainder, dtype, {-7, 7}, {3, -3}).second, {3, 3}, mpt_dtype_name(dtype));
    }
}

TEST_P(Elementwise, PowersAtTheirEnds) {
    expect_same(apply(mpt_pow, MPT_F32, {0, 0, -2, -2, 5, kNan, 2}, {0, -1, 3, 0.5, 0, 0, kNan}),
                {1, kInfinity, -8, kNan, 1, 1, kNan});
    const auto [base, exponent] = gradients_of(mpt_pow, MPT_F32, {0, 0, 0, -2, 3}, {2, 0, 1, 2, 0});
    expect_same(base, {0, 0, 1, -4, 0});
    EXPECT_EQ(exponent[0], 0) << "0 to the x is flat for x >= 0";
    EXPECT_EQ(exponent[1], 0);
    EXPECT_EQ(exponent[2], 0);
    EXPECT_TRUE(std::isnan(exponent[3])) << "of a negative base";
    EXPECT_NEAR(exponent[4], std::log(3.0), 1e-6);
}

TEST_P(Elementwise, AngleInEveryQuadrant) {
    const double pi = 3.14159265358979324;
    const mpt_dtype wide = widest(GetParam());
    const double large = wide == MPT_F64 ? 1e300 : 1e38;
    const std::vector<double> got = apply(mpt_atan2, wide, {1, 1, -1, -1, 0, 0, large}, {1, -1, -1, 1, 1, -1, large});
    const std::vector<double> exact = {pi / 4, 3 * pi / 4, -3 * pi / 4, -pi / 4, 0, pi, pi / 4};
    for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(got[i], exact[i], 8 * roundoff(wide));
    const auto [da, db] = gradients_of(mpt_atan2, MPT_F32, {3e30}, {4e30});  // whose squares overflow
    EXPECT_NEAR(da[0], 4e30 / 25e60, 1e-6 * 4 / 25 * 1e-30);
    EXPECT_NEAR(db[0], -3e30 / 25e60, 1e-6 * 3 / 25 * 1e-30);
    const auto [oa, ob] = gradients_of(mpt_atan2, MPT_F32, {0, kInfinity}, {0, 1});
    expect_same(oa, {0, 0}, "at the origin and far from it [PyTorch]");
    expect_same(ob, {0, 0}, "at the origin and far from it [PyTorch]");
}

// Mixed floating types meet in the widest; each gradient comes back in its input's type.
TEST_P(Elementwise, MixedTypesArePromoted) {
    struct Mix {
        mpt_dtype a, b, result;
    };
    for (const Mix &mix : {Mix{MPT_F16, MPT_F32, MPT_F32}, Mix{MPT_F32, MPT_BF16, MPT_F32}, Mix{MPT_F16, MPT_BF16, MPT_F32},
                           Mix{MPT_BF16, MPT_F64, MPT_F64}}) {
        if (GetParam() == Device::Cuda && mix.result == MPT_F64) continue;
        const Tensor a = make(ctx, mix.a, {1.5, -2}), b = make(ctx, mix.b, {0.25, 3});
        MUST(mpt_tensor_set_requires_grad(a, 1));
        MUST(mpt_tensor_set_requires_grad(b, 1));
        Tensor out;
        MUST(mpt_mul(a, b, out.out()));
        EXPECT_EQ(dtype_of(out), mix.result);
        EXPECT_EQ(read(out), (std::vector<double>{0.375, -6}));
        const Tensor seed = make(ctx, mix.result, {1, 1});
        mpt_tensor *root = out, *start = seed;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        EXPECT_EQ(dtype_of(gradient(a)), mix.a);
        EXPECT_EQ(read(gradient(a)), (std::vector<double>{0.25, 3}));
        EXPECT_EQ(read(gradient(b)), (std::vector<double>{1.5, -2}));
    }
}

}  // namespace test
