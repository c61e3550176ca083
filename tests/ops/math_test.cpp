// Exponentials, logarithms, powers, trigonometric and hyperbolic functions.
#include "ops/elementwise_forms.h"

namespace test {

namespace {

// The gradient 1 - y^2 from the rounded result y: up to 2 y^2 / (1 - y^2) roundings more.
constexpr Bound kFromTanh{2, Scale::Result, 12, 11, Scale::Result};

std::vector<Case> cases() {
    std::vector<Case> all;
    const auto add = [&](const char *op, UnaryFunction function, double (*f)(double), double low, double high,
                         const Bound &bound = kFunction) { add_unary(all, op, function, f, {.low = low, .high = high}, bound); };
    add("mpt_exp", mpt_exp, std::exp, -9, 5);
    add("mpt_exp2", mpt_exp2, std::exp2, -9, 5);
    add("mpt_expm1", mpt_expm1, std::expm1, -5, 5);
    add("mpt_log", mpt_log, std::log, 0.25, 30);
    add("mpt_log2", mpt_log2, std::log2, 0.25, 30);
    add("mpt_log10", mpt_log10, std::log10, 0.25, 30);
    add("mpt_log1p", mpt_log1p, std::log1p, -0.7, 20);
    add("mpt_erf", mpt_erf, std::erf, -2.5, 2.5, {2, Scale::Result, 8, 2, Scale::Result});
    add("mpt_sin", mpt_sin, std::sin, -6, 6);
    add("mpt_cos", mpt_cos, std::cos, -6, 6);
    add("mpt_tan", mpt_tan, std::tan, -1.2, 1.2, {2, Scale::Result, 4, 3, Scale::Result});
    add("mpt_asin", mpt_asin, std::asin, -0.95, 0.95);
    add("mpt_acos", mpt_acos, std::acos, -0.95, 0.95);
    add("mpt_atan", mpt_atan, std::atan, -5, 5);
    add("mpt_sinh", mpt_sinh, std::sinh, -4, 4);
    add("mpt_cosh", mpt_cosh, std::cosh, -4, 4);
    add("mpt_tanh", mpt_tanh, std::tanh, -1.5, 1.5, kFromTanh);
    add("mpt_asinh", mpt_asinh, std::asinh, -20, 20);
    add("mpt_acosh", mpt_acosh, std::acosh, 1.1, 20);
    add("mpt_atanh", mpt_atanh, std::atanh, -0.9, 0.9);
    for (const double exponent : {-2.3, -1.0, -0.5, 0.0, 0.5, 1.0, 1.7, 2.0, 3.0}) {
        const std::string name =
            (exponent < 0 ? "Minus" : "") + std::to_string(static_cast<int>(std::fabs(exponent) * 10)) + "Tenths";
        add_unary(
            all, "mpt_pow_scalar", [=](mpt_tensor *x, mpt_tensor **out) { return mpt_pow_scalar(x, exponent, out); },
            [=](double x) { return std::pow(x, exponent); }, {.low = 0.25, .high = 4}, kFunction, name);
    }
    return all;
}

class MathFunctions : public ElementwiseTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Math, cases());
INSTANTIATE_ON_EVERY_DEVICE(MathFunctions);

TEST_P(MathFunctions, FunctionsAtTheirEnds) {
    const std::vector<double> exp = apply(mpt_exp, MPT_F32, {-kInfinity, kInfinity, 0, -200, 200, kNan});
    EXPECT_EQ(std::vector<double>(exp.begin(), exp.end() - 1), (std::vector<double>{0, kInfinity, 1, 0, kInfinity}));
    EXPECT_TRUE(std::isnan(exp[5]));
    const std::vector<double> log = apply(mpt_log, MPT_F32, {0, kInfinity, 1, -1, kNan});
    EXPECT_EQ(std::vector<double>(log.begin(), log.begin() + 3), (std::vector<double>{-kInfinity, kInfinity, 0}));
    EXPECT_TRUE(std::isnan(log[3]) && std::isnan(log[4]));
    EXPECT_NEAR(apply(mpt_log, MPT_F32, {0x1p-149})[0], std::log(0x1p-149), 2e-5) << "of the smallest denormal";
    EXPECT_NEAR(apply(mpt_exp, MPT_F32, {-100})[0], std::exp(-100.0), 0x1p-149) << "a denormal result";
    EXPECT_EQ(apply(mpt_exp, MPT_F16, {12})[0], kInfinity) << "above the largest f16";
    const std::vector<double> root = apply(mpt_sqrt, MPT_F32, {0, kInfinity, -1, 0x1p-148});
    EXPECT_EQ(root[0], 0);
    EXPECT_EQ(root[1], kInfinity);
    EXPECT_TRUE(std::isnan(root[2]));
    EXPECT_EQ(root[3], 0x1p-74);
}

TEST_P(MathFunctions, MoreFunctionsAtTheirEnds) {
    const std::vector<double> ends = {-kInfinity, kInfinity, 0, kNan};
    const auto check = [&](UnaryFunction f, const std::vector<double> &wanted, const char *name) {
        expect_same(apply(f, MPT_F32, ends), wanted, name);
    };
    check(mpt_exp2, {0, kInfinity, 1, kNan}, "exp2");
    check(mpt_expm1, {-1, kInfinity, 0, kNan}, "expm1");
    check(mpt_log2, {kNan, kInfinity, -kInfinity, kNan}, "log2");
    check(mpt_log10, {kNan, kInfinity, -kInfinity, kNan}, "log10");
    check(mpt_log1p, {kNan, kInfinity, 0, kNan}, "log1p");
    check(mpt_erf, {-1, 1, 0, kNan}, "erf");
    check(mpt_tanh, {-1, 1, 0, kNan}, "tanh");
    check(mpt_sin, {kNan, kNan, 0, kNan}, "sin");
    check(mpt_sinh, {-kInfinity, kInfinity, 0, kNan}, "sinh");
    check(mpt_cosh, {kInfinity, kInfinity, 1, kNan}, "cosh");
    check(mpt_asinh, {-kInfinity, kInfinity, 0, kNan}, "asinh");
    check(mpt_reciprocal, {0, 0, kInfinity, kNan}, "reciprocal");
    check(mpt_rsqrt, {kNan, 0, kInfinity, kNan}, "rsqrt");
    expect_same(apply(mpt_log1p, MPT_F32, {-1, -2, 1e-30}), {-kInfinity, kNan, static_cast<float>(1e-30)});
    expect_same(apply(mpt_acosh, MPT_F32, {1, 0.5}), {0, kNan});
    expect_same(apply(mpt_atanh, MPT_F32, {1, -1, 2}), {kInfinity, -kInfinity, kNan});
    expect_same(apply(mpt_asin, MPT_F32, {2}), {kNan});
    EXPECT_TRUE(std::signbit(apply(mpt_tanh, MPT_F32, {-0.0})[0]));
    // Powers of the base are exact.
    expect_same(apply(mpt_exp2, MPT_F32, {-149, -126, -1, 10, 127}), {0x1p-149, 0x1p-126, 0.5, 1024, 0x1p127});
    expect_same(apply(mpt_log2, MPT_F32, {0x1p-149, 0x1p-126, 0.5, 1024, 0x1p127}), {-149, -126, -1, 10, 127});
    expect_same(apply(mpt_log10, MPT_F32, {1000, 1e10}), {3, 10});
    // Gradients whose squares overflow.
    EXPECT_NEAR(gradient_of(mpt_asinh, MPT_F32, {1e30})[0], 1e-30, 1e-36);
    EXPECT_NEAR(gradient_of(mpt_acosh, MPT_F32, {1e30})[0], 1e-30, 1e-36);
}

// The f32 functions over their whole range, beyond what the table's intervals show.
TEST_P(MathFunctions, OverTheWholeRange) {
    std::vector<double> any, powers, positive, exponents, turns, above;
    Random random(3);
    for (int i = 0; i < 40000; ++i) {
        exponents.push_back(static_cast<float>(random.uniform(-87.3, 88.7)));
        powers.push_back(static_cast<float>(random.uniform(-126, 128)));
        positive.push_back(static_cast<float>(std::exp(random.uniform(-100, 88))));
        const double sign = random.uniform(-1, 1) < 0 ? -1 : 1;
        any.push_back(static_cast<float>(sign * std::exp(random.uniform(-40, 4))));
        above.push_back(static_cast<float>(std::expm1(random.uniform(-12, 88))));
        turns.push_back(static_cast<float>(random.uniform(-3000, 3000)));
    }
    expect_close(mpt_exp, exponents, std::exp, 2, "exp");
    expect_close(mpt_exp2, powers, std::exp2, 2, "exp2");
    expect_close(mpt_expm1, exponents, std::expm1, 2, "expm1");
    expect_close(mpt_expm1, any, std::expm1, 2, "expm1");
    expect_close(mpt_log, positive, std::log, 2, "log");
    expect_close(mpt_log2, positive, std::log2, 2, "log2");
    expect_close(mpt_log10, positive, std::log10, 2, "log10");
    expect_close(mpt_log1p, above, std::log1p, 2, "log1p");
    expect_close(mpt_log1p, {1e-8, -1e-8, 0x1p-24, 0x1p-100, 0.5, -0.5, -0.99}, std::log1p, 2, "log1p");
    expect_close(mpt_erf, any, std::erf, 3, "erf");
    expect_close(mpt_tanh, any, std::tanh, 3, "tanh");
    const std::vector<double> slope = gradient_of(mpt_tanh, MPT_F32, any);
    for (std::size_t i = 0; i < any.size(); ++i)
        ASSERT_NEAR(slope[i], std::pow(std::cosh(any[i]), -2), 0x1p-21) << "gradient of tanh of " << any[i];
    expect_close(mpt_sin, turns, std::sin, 2, "sin");
    expect_close(mpt_cos, turns, std::cos, 2, "cos");
}

TEST_P(MathFunctions, PowersByANumber) {
    const auto power = [&](mpt_dtype dtype, const std::vector<double> &x, double exponent) {
        Tensor out;
        MUST(mpt_pow_scalar(make(ctx, dtype, x), exponent, out.out()));
        return read(out);
    };
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        expect_same(power(dtype, {-2, 0, 3, kNan}, 2), {4, 0, 9, kNan});
        expect_same(power(dtype, {-2, 0, 3, kNan}, 3), {-8, 0, 27, kNan});
        expect_same(power(dtype, {-2, 0, 4, kNan}, 0), {1, 1, 1, 1});
        expect_same(power(dtype, {-2, 0, 4, kNan}, 0.5), {kNan, 0, 2, kNan});
        expect_same(power(dtype, {-2, 0, 4, kNan}, -1), {-0.5, kInfinity, 0.25, kNan});
        expect_same(power(dtype, {-2, 2}, 5), {-32, 32});
        const auto constant = [](mpt_tensor *x, mpt_tensor **out) { return mpt_pow_scalar(x, 0, out); };
        expect_same(gradient_of(constant, dtype, {0, 2}), {0, 0}, "of a power of 0");
    }
}

}  // namespace test
