// Activation functions.
#include "ops/elementwise_forms.h"

namespace test {

namespace {

constexpr double kRootOfTwo = 1.41421356237309505, kTwoOverRootPi = 1.12837916709551257;

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}
double silu(double x) {
    return x * sigmoid(x);
}
double softplus(double x) {
    return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}
double gelu(double x) {
    return x * 0.5 * std::erfc(-x / kRootOfTwo);
}
double gelu_tanh(double x) {
    return 0.5 * x * (1 + std::tanh(kTwoOverRootPi / kRootOfTwo * (x + 0.044715 * x * x * x)));
}

mpt_status exact_gelu(mpt_tensor *x, mpt_tensor **out) {
    return mpt_gelu(x, MPT_GELU_EXACT, out);
}
mpt_status approximate_gelu(mpt_tensor *x, mpt_tensor **out) {
    return mpt_gelu(x, MPT_GELU_TANH, out);
}
mpt_status leaky(mpt_tensor *x, mpt_tensor **out) {
    return mpt_leaky_relu(x, 0.1, out);
}
mpt_status elu(mpt_tensor *x, mpt_tensor **out) {
    return mpt_elu(x, 0.7, out);
}

// A gradient that crosses 0, or that reads a rounded result close to 1: measured by the largest.
constexpr Bound kCrosses{4, Scale::Result, 4, 1, Scale::Largest};
constexpr Bound kFromResult{3, Scale::Result, 4, 5, Scale::Largest};

std::vector<Case> cases() {
    std::vector<Case> all;
    add_unary(
        all, "mpt_relu", mpt_relu, [](double x) { return x > 0 ? x : 0; }, {.gap = 0.01}, kExact);
    add_unary(
        all, "mpt_leaky_relu", leaky, [](double x) { return x > 0 ? x : 0.1 * x; }, {.gap = 0.01}, kFunction);
    add_unary(all, "mpt_elu", elu, [](double x) { return x > 0 ? x : 0.7 * std::expm1(x); }, {.low = -4, .high = 2, .gap = 0.01},
              {3, Scale::Result, 4, 1, Scale::Result});
    add_unary(all, "mpt_sigmoid", mpt_sigmoid, sigmoid, {.low = -6, .high = 6}, kFromResult);
    add_unary(all, "mpt_silu", mpt_silu, silu, {.low = -6, .high = 6}, kCrosses);
    add_unary(all, "mpt_softplus", mpt_softplus, softplus, {.low = -6, .high = 6}, {3, Scale::Result, 4, 1, Scale::Result});
    add_unary(all, "mpt_gelu", exact_gelu, gelu, {.low = -4, .high = 4}, {2, Scale::Largest, 4, 1, Scale::Largest});
    add_unary(all, "mpt_gelu", approximate_gelu, gelu_tanh, {.low = -4, .high = 4}, {2, Scale::Largest, 4, 1, Scale::Largest},
              "Tanh");
    return all;
}

class Activations : public ElementwiseTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Activation, cases());
INSTANTIATE_ON_EVERY_DEVICE(Activations);

TEST_P(Activations, ReluKeepsNanAndStopsAtZero) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, {kNan, -kInfinity, -1, -0.0, 0, 2, kInfinity});
        MUST(mpt_tensor_set_requires_grad(x, 1));
        Tensor y;
        MUST(mpt_relu(x, y.out()));
        const std::vector<double> got = read(y);
        EXPECT_TRUE(std::isnan(got[0])) << mpt_dtype_name(dtype);
        EXPECT_EQ(std::vector<double>(got.begin() + 1, got.end()), (std::vector<double>{0, 0, 0, 0, 2, kInfinity}));
        const Tensor ones = make(ctx, dtype, std::vector<double>(7, 1.0));
        mpt_tensor *root = y, *start = ones;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        const std::vector<double> grad = read(gradient(x));
        EXPECT_EQ(std::vector<double>(grad.begin() + 1, grad.end()), (std::vector<double>{0, 0, 0, 0, 1, 1}))
            << mpt_dtype_name(dtype);
    }
}

TEST_P(Activations, AtTheirEnds) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const std::string name = mpt_dtype_name(dtype);
        const std::vector<double> x = {kNan, -200, 0, 200, kInfinity};
        expect_same(apply(mpt_sigmoid, dtype, x), {kNan, 0, 0.5, 1, 1}, "sigmoid " + name);
        expect_same(apply(mpt_silu, dtype, x), {kNan, 0, 0, 200, kInfinity}, "silu " + name);
        const std::vector<double> plus = apply(mpt_softplus, dtype, x);
        expect_same({plus[0], plus[1], plus[3], plus[4]}, {kNan, 0, 200, kInfinity}, "softplus " + name);
        expect_same(apply(exact_gelu, dtype, x), {kNan, 0, 0, 200, kInfinity}, "gelu " + name);
        expect_same(apply(approximate_gelu, dtype, x), {kNan, 0, 0, 200, kInfinity}, "gelu by tanh " + name);
        expect_same(apply(elu, dtype, {kNan, 0, 2, kInfinity}), {kNan, 0, 2, kInfinity}, "elu " + name);
        expect_same(apply(leaky, dtype, {kNan, 0, 2, -kInfinity}), {kNan, 0, 2, -kInfinity}, "leaky " + name);
        for (UnaryFunction f : {mpt_silu, exact_gelu, approximate_gelu})
            expect_same(gradient_of(f, dtype, {-200, 0, 200}), {0, 0.5, 1}, "gradient " + name);
        expect_same(gradient_of(mpt_softplus, dtype, {-200, 0, 200}), {0, 0.5, 1}, "gradient of softplus " + name);
        expect_same(gradient_of(mpt_sigmoid, dtype, {-200, 0, 200}), {0, 0.25, 0}, "gradient of sigmoid " + name);
    }
    for (UnaryFunction f : {mpt_silu, exact_gelu, approximate_gelu, elu, mpt_sigmoid, mpt_softplus})
        expect_same(gradient_of(f, MPT_F32, {kNan}), {kNan}, "a NaN is not hidden");
    expect_same(gradient_of(approximate_gelu, MPT_F32, {-1e30, 1e30}), {0, 1}, "whose cubes overflow");
}

// The tails, too, are exact relative to themselves: x/2 (1 + erf) would lose all digits of negative x.
TEST_P(Activations, OverTheWholeRange) {
    std::vector<double> x;
    Random random(4);
    for (int i = 0; i < 40000; ++i) x.push_back(static_cast<float>(random.uniform(-12, 12)));
    expect_close(exact_gelu, x, gelu, 4, "gelu");
    expect_close(mpt_sigmoid, x, sigmoid, 3, "sigmoid");
    expect_close(mpt_silu, x, silu, 3, "silu");
    expect_close(mpt_softplus, x, softplus, 3, "softplus");
}

}  // namespace test
