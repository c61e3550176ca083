#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Gradients are differences of terms as large as the largest element; they read the stored (rounded) result.
constexpr Bound kSoftmax{8, Scale::Result, 8, 3, Scale::Largest};
constexpr Bound kLogSoftmax{2, Scale::Largest, 4, 3, Scale::Largest};

Values reference(const Values &x, std::int32_t dim, bool log) {
    const unsigned mask = 1u << (dim < 0 ? dim + static_cast<std::int32_t>(x.shape.size()) : dim);
    const Values top = fold(x, mask, true, -kInfinity, [](long double a, long double b) { return std::max(a, b); });
    const Values shifted = zip(x, top, [](double a, double b) { return a - b; });
    const Values sum =
        fold(map(shifted, [](double v) { return std::exp(v); }), mask, true, 0, [](long double a, long double b) { return a + b; });
    return zip(shifted, sum, [=](double a, double s) { return log ? a - std::log(s) : std::exp(a) / s; });
}

void add(std::vector<Case> &all, const char *name, const Shape &shape, std::int32_t dim, Layout layout = Layout::Contiguous) {
    for (bool log : {false, true})
        all.push_back(
            {.op = log ? "mpt_log_softmax" : "mpt_softmax",
             .name = name,
             .inputs = {{.shape = shape, .low = -4, .high = 4, .layout = layout}},
             .apply = [=](In in, Out out) { return log ? mpt_log_softmax(in[0], dim, out) : mpt_softmax(in[0], dim, out); },
             .reference = [=](const std::vector<Values> &in) { return reference(in[0], dim, log); },
             .bound = log ? kLogSoftmax : kSoftmax,
             .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all;
    add(all, "Rows", {4, 10}, 1);
    add(all, "Columns", {5, 3}, 0);
    add(all, "Negative", {2, 3, 4}, -2);
    add(all, "Vector", {13}, 0);
    add(all, "OneClass", {3, 1}, 1);
    add(all, "Transposed", {6, 7}, 1, Layout::Transposed);
    add(all, "Sliced", {3, 5}, -1, Layout::Sliced);
    add(all, "Channels", {2, 4, 3, 3}, 1, Layout::ChannelsLast);
    add(all, "NoRows", {0, 5}, 1);
    add(all, "Large", {300, 101}, 1);
    add(all, "LargeColumns", {129, 210}, 0);
    add(all, "LongRows", {3, 3001}, 1);
    add(all, "LongRowsTransposed", {3, 2100}, 1, Layout::Transposed);
    return all;
}

class Softmax : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Softmax, cases());
INSTANTIATE_ON_EVERY_DEVICE(Softmax);

TEST_P(Softmax, LargeLogitsDoNotOverflow) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, Values{{1, 3}, {30000, 30000, -30000}});
        Tensor y;
        MUST(mpt_softmax(x, 1, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{0.5, 0.5, 0})) << mpt_dtype_name(dtype);
        MUST(mpt_log_softmax(x, 1, y.out()));
        EXPECT_NEAR(read(y)[0], -std::log(2.0), 2 * roundoff(dtype));
    }
}

// As PyTorch has it: infinity minus infinity.
TEST_P(Softmax, OfInfinities) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, Values{{3, 2}, {-kInfinity, -kInfinity, -kInfinity, 1, kInfinity, 1}});
        for (auto *f : {mpt_softmax, mpt_log_softmax}) {
            Tensor y;
            MUST(f(x, 1, y.out()));
            const std::vector<double> got = read(y);
            EXPECT_TRUE(std::isnan(got[0]) && std::isnan(got[1])) << "all -inf, " << mpt_dtype_name(dtype);
            EXPECT_EQ(got[2], f == mpt_softmax ? 0 : -kInfinity);
            EXPECT_EQ(got[3], f == mpt_softmax ? 1 : 0);
            EXPECT_TRUE(std::isnan(got[4])) << "+inf, " << mpt_dtype_name(dtype);
        }
    }
}

// 16-bit inputs are read as they are: under autocast the result is f32, without it has the input's type.
TEST_P(Softmax, GivesF32UnderAutocast) {
    Policy policy;
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    for (mpt_dtype dtype : {MPT_F16, MPT_BF16})
        for (auto *f : {mpt_softmax, mpt_log_softmax}) {
            const Tensor x = make(ctx, dtype, Values{{1, 3}, {0.25, -1, 2}}), wide = make(ctx, MPT_F32, Values{{1, 3}, {0.25, -1, 2}});
            const Tensor seed = make(ctx, MPT_F32, Values{{1, 3}, {1, 3, -2}});
            MUST(mpt_tensor_set_requires_grad(x, 1));
            MUST(mpt_tensor_set_requires_grad(wide, 1));
            Tensor plain, y, exact;
            MUST(f(x, 1, plain.out()));
            EXPECT_EQ(dtype_of(plain), dtype);
            MUST(mpt_autocast_begin(ctx, policy));
            MUST(f(x, 1, y.out()));
            MUST(f(wide, 1, exact.out()));
            MUST(mpt_autocast_end(ctx));
            EXPECT_EQ(dtype_of(y), MPT_F32);
            EXPECT_EQ(dtype_of(exact), MPT_F32);
            EXPECT_EQ(read(y), read(exact)) << "nothing was rounded";
            mpt_tensor *roots[] = {y, exact}, *starts[] = {seed, seed};
            MUST(mpt_backward_from(roots, starts, 2, MPT_GRAD_WRITE));
            const std::vector<double> low = read(gradient(x)), full = read(gradient(wide));
            EXPECT_EQ(dtype_of(gradient(x)), dtype);
            for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(low[i], rounded(dtype, full[i]));
        }
}

}  // namespace test
