#include <cmath>
#include <limits>

#include "ops/reduce_forms.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Sums of up to 40 000 terms: blocked, so that the error grows far slower than the number of terms.
constexpr Bound kSum{2, Scale::Magnitudes, 1, 1, Scale::Result};
constexpr Bound kMean{2, Scale::Magnitudes, 2, 2, Scale::Result};
// A maximum is exact; its gradient is divided among the equal ones.
constexpr Bound kMax{0, Scale::Result, 2, 2, Scale::Result};

std::vector<Case> cases() {
    struct Kind {
        const char *op;
        ReduceFunction function;
        Bound bound;
    };
    const Kind kinds[] = {
        {"mpt_sum", mpt_sum, kSum}, {"mpt_mean", mpt_mean, kMean}, {"mpt_max", mpt_max, kMax}, {"mpt_min", mpt_min, kMax}};
    std::vector<Case> all;
    for (const Kind &kind : kinds)
        for (const ReduceForm &form : reduce_forms()) {
            const bool max = kind.function == mpt_max, min = kind.function == mpt_min, mean = kind.function == mpt_mean;
            all.push_back({.op = kind.op,
                           .name = form.name,
                           .inputs = {{.shape = form.shape, .distinct = max || min, .layout = form.layout}},
                           .apply = [=](In in, Out out) { return reduce(kind.function, form, in[0], out); },
                           .reference =
                               [=](const std::vector<Values> &in) {
                                   const unsigned mask = mask_of(form);
                                   if (max)
                                       return fold(in[0], mask, form.keep, -kInfinity,
                                                   [](long double a, long double b) { return std::max(a, b); });
                                   if (min)
                                       return fold(in[0], mask, form.keep, kInfinity,
                                                   [](long double a, long double b) { return std::min(a, b); });
                                   const Values sum =
                                       fold(in[0], mask, form.keep, 0, [](long double a, long double b) { return a + b; });
                                   const double n = static_cast<double>(in[0].data.size()) / static_cast<double>(sum.data.size());
                                   return mean ? map(sum, [=](double x) { return x / n; }) : sum;
                               },
                           .bound = kind.bound,
                           .any_thread_count = true});
        }
    return all;
}

class Reduce : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Reduce, cases());
INSTANTIATE_ON_EVERY_DEVICE(Reduce);

TEST_P(Reduce, EqualMaximaShareTheGradient) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, Values{{2, 4}, {1, 5, 5, 2, 7, 7, 7, 7}});
        MUST(mpt_tensor_set_requires_grad(x, 1));
        Tensor y;
        const std::int32_t dim = 1;
        MUST(mpt_max(x, 1, &dim, 0, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{5, 7}));
        const Tensor seed = make(ctx, dtype, {3, 2});
        mpt_tensor *root = y, *start = seed;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        EXPECT_EQ(read(gradient(x)), (std::vector<double>{0, 1.5, 1.5, 0, 0.5, 0.5, 0.5, 0.5}));
    }
}

TEST_P(Reduce, NanWinsMaximumAndMinimum) {
    const double nan = std::nan("");
    const std::int32_t rows = 1, columns = 0;
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16})
        for (std::int64_t at : {0, 7, 40}) {
            Values v{{2, 41}, std::vector<double>(82, 1.0)};
            v.data[static_cast<std::size_t>(at)] = nan;
            const Tensor x = make(ctx, dtype, v);
            Tensor y;
            for (ReduceFunction f : {mpt_max, mpt_min}) {
                MUST(f(x, 1, &rows, 0, y.out()));
                EXPECT_TRUE(std::isnan(read(y)[0])) << at;
                EXPECT_EQ(read(y)[1], 1);
                MUST(f(x, 1, &columns, 0, y.out()));
                EXPECT_TRUE(std::isnan(read(y)[static_cast<std::size_t>(at)])) << at;
            }
        }
    Tensor y;
    MUST(mpt_max(make(ctx, MPT_F32, {-kInfinity, -kInfinity}), 0, nullptr, 0, y.out()));
    EXPECT_EQ(read(y)[0], -kInfinity);
    MUST(mpt_min(make(ctx, MPT_F32, {kInfinity, kInfinity}), 0, nullptr, 0, y.out()));
    EXPECT_EQ(read(y)[0], kInfinity);
}

TEST_P(Reduce, OfNothing) {
    const std::int32_t dim = 0;
    const Tensor x = create(ctx, MPT_F32, {0, 3});
    MUST(mpt_tensor_set_requires_grad(x, 1));
    Tensor y;
    MUST(mpt_sum(x, 1, &dim, 0, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{0, 0, 0}));
    const Tensor seed = make(ctx, MPT_F32, {1, 1, 1});
    mpt_tensor *root = y, *start = seed;
    MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
    MUST(mpt_mean(x, 1, &dim, 0, y.out()));
    for (double mean : read(y)) EXPECT_TRUE(std::isnan(mean));
    EXPECT_EQ(mpt_max(x, 1, &dim, 0, y.out()), MPT_ERROR_SHAPE);
}

// In a 16-bit accumulator the sum would stick at 2048 (f16) or 256 (bf16).
TEST_P(Reduce, SumsOf16BitFormatsAccumulateInF32) {
    for (mpt_dtype dtype : {MPT_F16, MPT_BF16}) {
        const Tensor ones = make(ctx, dtype, std::vector<double>(32768, 1.0));
        Tensor y;
        MUST(mpt_sum(ones, 0, nullptr, 0, y.out()));
        EXPECT_EQ(read(y)[0], 32768) << mpt_dtype_name(dtype);
        MUST(mpt_mean(ones, 0, nullptr, 0, y.out()));
        EXPECT_EQ(read(y)[0], 1) << mpt_dtype_name(dtype);
    }
}

}  // namespace test
