#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One rounding per operation; a broadcast operand's gradient is a sum, so its error is measured by the terms.
constexpr Bound kBinary{1, Scale::Result, 4, 2, Scale::Magnitudes};
constexpr Bound kDivide{1, Scale::Result, 4, 4, Scale::Magnitudes};
constexpr Bound kExact{1, Scale::Result, 1, 1, Scale::Result};
// exp and log are polynomials within 2 units in the last place; log's value crosses 0, so it is measured by the largest.
constexpr Bound kFunction{2, Scale::Result, 4, 2, Scale::Result};
constexpr Bound kLog{1, Scale::Largest, 2, 1, Scale::Result};
constexpr Bound kAffine{2, Scale::Largest, 1, 1, Scale::Result};

using Function = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_tensor **);
using UnaryFunction = mpt_status (*)(mpt_tensor *, mpt_tensor **);

void add_binary(std::vector<Case> &cases, const std::string &op, Function function, double (*f)(double, double), double low,
                const Bound &bound) {
    struct Form {
        const char *name;
        Shape a, b;
        Layout la, lb;
    };
    const Layout plain = Layout::Contiguous;
    const Form forms[] = {
        {"Same", {3, 5}, {3, 5}, plain, plain},
        {"Scalars", {}, {}, plain, plain},
        {"ScalarLeft", {}, {2, 3}, plain, plain},
        {"Row", {4, 7}, {7}, plain, plain},
        {"Column", {4, 7}, {4, 1}, plain, plain},
        {"BothBroadcast", {3, 1, 5}, {2, 1}, plain, plain},
        {"Channels", {2, 3, 4, 5}, {3, 1, 1}, Layout::ChannelsLast, plain},
        {"Transposed", {5, 6}, {5, 6}, Layout::Transposed, plain},
        {"SlicedStrided", {3, 4, 5}, {3, 4, 5}, Layout::Sliced, Layout::Strided},
        {"Empty", {0, 3}, {1, 3}, plain, plain},
        {"Large", {37, 1031}, {1031}, plain, plain},
        {"LargeTransposed", {211, 190}, {211, 190}, Layout::Transposed, plain},
    };
    for (const Form &form : forms)
        cases.push_back({.op = op,
                         .name = form.name,
                         .inputs = {{.shape = form.a, .layout = form.la}, {.shape = form.b, .low = low, .layout = form.lb}},
                         .apply = [=](In in, Out out) { return function(in[0], in[1], out); },
                         .reference = [=](const std::vector<Values> &in) { return zip(in[0], in[1], f); },
                         .bound = bound,
                         .any_thread_count = true});
}

void add_unary(std::vector<Case> &cases, const std::string &op,
               const std::function<mpt_status(mpt_tensor *, mpt_tensor **)> &function, double (*f)(double), const Operand &domain,
               const Bound &bound) {
    struct Form {
        const char *name;
        Shape shape;
        Layout layout;
    };
    const Form forms[] = {
        {"Vector", {17}, Layout::Contiguous},       {"Scalar", {}, Layout::Contiguous},
        {"Transposed", {5, 3}, Layout::Transposed}, {"Sliced", {3, 2, 5}, Layout::Sliced},
        {"Strided", {4, 3}, Layout::Strided},       {"ChannelsLast", {2, 3, 4, 2}, Layout::ChannelsLast},
        {"Empty", {2, 0, 3}, Layout::Contiguous},   {"Large", {3, 20011}, Layout::Contiguous},
    };
    for (const Form &form : forms) {
        Operand x = domain;
        x.shape = form.shape;
        x.layout = form.layout;
        cases.push_back({.op = op,
                         .name = form.name,
                         .inputs = {x},
                         .apply = [=](In in, Out out) { return function(in[0], out); },
                         .reference = [=](const std::vector<Values> &in) { return map(in[0], f); },
                         .bound = bound,
                         .any_thread_count = true});
    }
}

std::vector<Case> cases() {
    std::vector<Case> all;
    add_binary(
        all, "mpt_add", mpt_add, [](double a, double b) { return a + b; }, -1, kBinary);
    add_binary(
        all, "mpt_sub", mpt_sub, [](double a, double b) { return a - b; }, -1, kBinary);
    add_binary(
        all, "mpt_mul", mpt_mul, [](double a, double b) { return a * b; }, -1, kBinary);
    add_binary(
        all, "mpt_div", mpt_div, [](double a, double b) { return a / b; }, 0.5, kDivide);
    add_unary(
        all, "mpt_neg", mpt_neg, [](double x) { return -x; }, {}, kExact);
    add_unary(
        all, "mpt_exp", mpt_exp, [](double x) { return std::exp(x); }, {.low = -9, .high = 5}, kFunction);
    add_unary(
        all, "mpt_log", mpt_log, [](double x) { return std::log(x); }, {.low = 0.25, .high = 30}, kLog);
    add_unary(
        all, "mpt_sqrt", mpt_sqrt, [](double x) { return std::sqrt(x); }, {.low = 0.25, .high = 30}, kFunction);
    add_unary(
        all, "mpt_relu", mpt_relu, [](double x) { return x > 0 ? x : 0; }, {.gap = 0.01}, kExact);
    add_unary(
        all, "mpt_affine", [](mpt_tensor *x, mpt_tensor **out) { return mpt_affine(x, 2.5, -0.75, out); },
        [](double x) { return 2.5 * x - 0.75; }, {}, kAffine);
    return all;
}

class Elementwise : public DeviceTest {
protected:
    std::vector<double> apply(UnaryFunction f, mpt_dtype dtype, const std::vector<double> &x) {
        Tensor out;
        MUST(f(make(ctx, dtype, x), out.out()));
        return read(out);
    }
    std::vector<double> apply(Function f, const Tensor &a, const Tensor &b, mpt_dtype dtype) {
        Tensor out;
        MUST(f(a, b, out.out()));
        EXPECT_EQ(dtype_of(out), dtype);
        return read(out);
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Elementwise, cases());
INSTANTIATE_ON_EVERY_DEVICE(Elementwise);

TEST_P(Elementwise, ReluKeepsNanAndStopsAtZero) {
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

TEST_P(Elementwise, FunctionsAtTheirEnds) {
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

// exp and log over their whole f32 range, beyond what the table's intervals show.
TEST_P(Elementwise, FunctionsOverTheWholeRange) {
    std::vector<double> x, y;
    Random random(3);
    for (int i = 0; i < 40000; ++i) {
        x.push_back(static_cast<float>(random.uniform(-87.3, 88.7)));
        y.push_back(static_cast<float>(std::exp(random.uniform(-100, 88))));
    }
    const std::vector<double> exp = apply(mpt_exp, MPT_F32, x), log = apply(mpt_log, MPT_F32, y);
    for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_NEAR(exp[i], std::exp(x[i]), 4 * 0x1p-24 * std::exp(x[i])) << "exp of " << x[i];
        ASSERT_NEAR(log[i], std::log(y[i]), 4 * 0x1p-24 * std::fabs(std::log(y[i])) + 0x1p-24) << "log of " << y[i];
    }
}

TEST_P(Elementwise, DivisionByZero) {
    const std::vector<double> got =
        apply(mpt_div, make(ctx, MPT_F32, {1, -1, 0, 1}), make(ctx, MPT_F32, {0, 0, 0, kInfinity}), MPT_F32);
    EXPECT_EQ(got[0], kInfinity);
    EXPECT_EQ(got[1], -kInfinity);
    EXPECT_TRUE(std::isnan(got[2]));
    EXPECT_EQ(got[3], 0);
}

TEST_P(Elementwise, IntegersWrapAround) {
    EXPECT_EQ(apply(mpt_add, make(ctx, MPT_I8, {127, -128, 3}), make(ctx, MPT_I8, {1, -1, 4}), MPT_I8),
              (std::vector<double>{-128, 127, 7}));
    EXPECT_EQ(apply(mpt_sub, make(ctx, MPT_U8, {0, 200}), make(ctx, MPT_U8, {1, 100}), MPT_U8), (std::vector<double>{255, 100}));
    EXPECT_EQ(apply(mpt_mul, make(ctx, MPT_I16, {300, -7}), make(ctx, MPT_I16, {300, 6}), MPT_I16),
              (std::vector<double>{24464, -42}));
    EXPECT_EQ(apply(mpt_mul, make(ctx, MPT_I32, {65536, 5}), make(ctx, MPT_I32, {65536, -5}), MPT_I32),
              (std::vector<double>{0, -25}));
    EXPECT_EQ(apply(mpt_sub, make(ctx, MPT_I64, {1e15}), make(ctx, MPT_I64, {1}), MPT_I64), (std::vector<double>{1e15 - 1}));
    Tensor out;
    EXPECT_EQ(mpt_div(make(ctx, MPT_I32, {4}), make(ctx, MPT_I32, {2}), out.out()), MPT_ERROR_DTYPE);
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
