// Products, variances, norms, log-sum-exps, and what BOOL tensors reduce to.
#include <cmath>
#include <limits>

#include "ops/reduce_forms.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A product's error grows with the number of its factors.
constexpr Bound kProd{20, Scale::Result, 20, 2, Scale::Result};
// Distances from the mean: as exact as the largest element is.
constexpr Bound kVar{8, Scale::Largest, 16, 3, Scale::Largest};
constexpr Bound kNorm{4, Scale::Result, 8, 4, Scale::Result};
// The gradient reads the stored result: its rounding is an error of that size in an exponent.
constexpr Bound kLogSumExp{4, Scale::Largest, 16, 16, Scale::Largest};

long double add(long double a, long double b) {
    return a + b;
}
std::int64_t reduced(const ReduceForm &form) {
    std::int64_t n = 1;
    for (std::size_t d = 0; d < form.shape.size(); ++d)
        if (mask_of(form) >> d & 1) n *= form.shape[d];
    return n;
}

Values sum(const Values &x, const ReduceForm &form, bool keep) {
    return fold(x, mask_of(form), keep, 0, add);
}

Values var(const Values &x, const ReduceForm &form, double correction) {
    const double n = static_cast<double>(reduced(form));
    const Values mean = map(sum(x, form, true), [=](double s) { return s / n; });
    const Values squares = zip(x, mean, [](double a, double m) { return (a - m) * (a - m); });
    return map(sum(squares, form, form.keep), [=](double s) { return s / (n - correction); });
}

Values logsumexp(const Values &x, const ReduceForm &form) {
    return map(sum(map(x, [](double v) { return std::exp(v); }), form, form.keep), [](double s) { return std::log(s); });
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const ReduceForm &form : reduce_forms()) {
        const std::int64_t n = reduced(form);
        if (n <= 70)
            all.push_back({.op = "mpt_prod",
                           .name = form.name,
                           .inputs = {{.shape = form.shape, .low = 0.75, .high = 1.35, .layout = form.layout}},
                           .apply = [=](In in, Out out) { return reduce(mpt_prod, form, in[0], out); },
                           .reference =
                               [=](const std::vector<Values> &in) {
                                   return fold(in[0], mask_of(form), form.keep, 1,
                                               [](long double a, long double b) { return a * b; });
                               },
                           .bound = kProd,
                           .any_thread_count = true});
        if (n > 1)
            for (double correction : {0.0, 1.0})
                all.push_back({.op = "mpt_var",
                               .name = std::string(form.name) + (correction == 0 ? "" : "Corrected"),
                               .inputs = {{.shape = form.shape, .low = 1, .high = 3, .layout = form.layout}},
                               .apply =
                                   [=](In in, Out out) {
                                       return mpt_var(in[0], static_cast<std::int32_t>(form.dims.size()),
                                                      form.dims.empty() ? nullptr : form.dims.data(), form.keep, correction, out);
                                   },
                               .reference = [=](const std::vector<Values> &in) { return var(in[0], form, correction); },
                               .bound = kVar,
                               .any_thread_count = true});
        all.push_back({.op = "mpt_norm",
                       .name = form.name,
                       .inputs = {{.shape = form.shape, .gap = 0.01, .layout = form.layout}},
                       .apply = [=](In in, Out out) { return reduce(mpt_norm, form, in[0], out); },
                       .reference =
                           [=](const std::vector<Values> &in) {
                               const Values squares = map(in[0], [](double v) { return v * v; });
                               return map(sum(squares, form, form.keep), [](double s) { return std::sqrt(s); });
                           },
                       .bound = kNorm,
                       .any_thread_count = true});
        all.push_back({.op = "mpt_logsumexp",
                       .name = form.name,
                       .inputs = {{.shape = form.shape, .low = -4, .high = 4, .layout = form.layout}},
                       .apply = [=](In in, Out out) { return reduce(mpt_logsumexp, form, in[0], out); },
                       .reference = [=](const std::vector<Values> &in) { return logsumexp(in[0], form); },
                       .bound = kLogSumExp,
                       .any_thread_count = true});
        // The shared body sees a BOOL result through what it chooses.
        for (const bool any : {true, false}) {
            const Values like = fold({form.shape, std::vector<double>(static_cast<std::size_t>(count(form.shape)))}, mask_of(form),
                                     form.keep, 0, add);
            if (form.shape.size() > 0 && n > 70) continue;  // nearly always true, or false
            all.push_back({.op = any ? "mpt_any" : "mpt_all",
                           .name = form.name,
                           .inputs = {{.shape = form.shape, .low = 0, .high = 2, .layout = form.layout, .index = MPT_BOOL},
                                      {.shape = like.shape}},
                           .apply =
                               [=](In in, Out out) {
                                   Tensor truth, minus;
                                   MUST(reduce(any ? mpt_any : mpt_all, form, in[0], truth.out()));
                                   MUST(mpt_neg(in[1], minus.out()));
                                   return mpt_where(truth, in[1], minus, out);
                               },
                           .reference =
                               [=](const std::vector<Values> &in) {
                                   const Values truth =
                                       fold(in[0], mask_of(form), form.keep, any ? 0 : 1, [=](long double a, long double b) {
                                           return any ? (a != 0 || b != 0 ? 1.0L : 0.0L) : (a != 0 && b != 0 ? 1.0L : 0.0L);
                                       });
                                   return zip(truth, in[1], [](double t, double x) { return t != 0 ? x : -x; });
                               },
                           .bound = {0, Scale::Result, 0, 0, Scale::Result},
                           .any_thread_count = true});
        }
    }
    return all;
}

class Statistics : public DeviceTest {
protected:
    // The gradient of sum(f(x) * seed) over the last dimension.
    std::vector<double> gradient_of(ReduceFunction f, mpt_dtype dtype, const Values &values, const std::vector<double> &seed) {
        const Tensor x = make(ctx, dtype, values);
        MUST(mpt_tensor_set_requires_grad(x, 1));
        Tensor y;
        const std::int32_t dim = -1;
        MUST(f(x, 1, &dim, 0, y.out()));
        const Tensor start = make(ctx, dtype, seed);
        mpt_tensor *root = y, *from = start;
        MUST(mpt_backward_from(&root, &from, 1, MPT_GRAD_WRITE));
        return read(gradient(x));
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Statistics, cases());
INSTANTIATE_ON_EVERY_DEVICE(Statistics);

TEST_P(Statistics, GradientsOfProductsWithZeros) {
    for (mpt_dtype dtype : formats(GetParam()))
        EXPECT_EQ(gradient_of(mpt_prod, dtype, {{3, 3}, {2, 0, 3, 0, 5, 0, 2, 4, 8}}, {1, 1, 0.5}),
                  (std::vector<double>{0, 6, 0, 0, 0, 0, 16, 8, 4}))
            << mpt_dtype_name(dtype);
}

TEST_P(Statistics, TheGradientOfANormOf0Is0) {
    for (mpt_dtype dtype : formats(GetParam())) {
        EXPECT_EQ(gradient_of(mpt_norm, dtype, {{2, 2}, {0, 0, 3, 4}}, {1, 5}), (std::vector<double>{0, 0, 3, 4}))
            << mpt_dtype_name(dtype);
        for (double g : gradient_of(mpt_norm, dtype, {{1, 2}, {std::nan(""), 1}}, {1}))
            EXPECT_TRUE(std::isnan(g)) << mpt_dtype_name(dtype);
    }
}

TEST_P(Statistics, LogSumExpOfLargeAndInfiniteElements) {
    const std::int32_t rows = 1, columns = 0;
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16})
        for (const std::int32_t *dim : {&rows, &columns}) {
            Tensor x = make(ctx, dtype, Values{{4, 2}, {30000, 30000, -kInfinity, -kInfinity, kInfinity, 1, std::nan(""), 1}});
            if (dim == &columns) {
                Tensor turned;
                MUST(mpt_transpose(x, 0, nullptr, turned.out()));
                MUST(mpt_contiguous(turned, x.out()));
            }
            Tensor y;
            MUST(mpt_logsumexp(x, 1, dim, 0, y.out()));
            const std::vector<double> got = read(y);
            EXPECT_NEAR(got[0], 30000 + std::log(2.0), 30000 * roundoff(dtype));
            EXPECT_EQ(got[1], -kInfinity);
            EXPECT_EQ(got[2], kInfinity);
            EXPECT_TRUE(std::isnan(got[3]));
        }
}

// The mean is not rounded to the format on the way.
TEST_P(Statistics, TheVarianceOfNeighbours) {
    for (mpt_dtype dtype : {MPT_F16, MPT_BF16}) {
        const double one = 1 + 2 * roundoff(dtype);
        Tensor y;
        MUST(mpt_var(make(ctx, dtype, {1, one, 1, one}), 0, nullptr, 0, 0, y.out()));
        EXPECT_EQ(read(y)[0], rounded(dtype, roundoff(dtype) * roundoff(dtype))) << mpt_dtype_name(dtype);
    }
    Tensor y;
    MUST(mpt_var(make(ctx, MPT_F32, {kInfinity, 1}), 0, nullptr, 0, 0, y.out()));
    EXPECT_TRUE(std::isnan(read(y)[0]));
    MUST(mpt_var(make(ctx, MPT_F32, {3.0}), 0, nullptr, 0, 1, y.out()));
    EXPECT_TRUE(std::isnan(read(y)[0])) << "0 / 0";
}

TEST_P(Statistics, OfNothing) {
    const std::int32_t dim = 0;
    const Tensor x = create(ctx, MPT_F32, {0, 2}), none = create(ctx, MPT_BOOL, {0, 2});
    Tensor y;
    MUST(mpt_prod(x, 1, &dim, 0, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{1, 1}));
    MUST(mpt_norm(x, 1, &dim, 0, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{0, 0}));
    MUST(mpt_logsumexp(x, 1, &dim, 0, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{-kInfinity, -kInfinity}));
    MUST(mpt_var(x, 1, &dim, 0, 0, y.out()));
    for (double v : read(y)) EXPECT_TRUE(std::isnan(v));
    MUST(mpt_any(none, 1, &dim, 0, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{0, 0}));
    MUST(mpt_all(none, 1, &dim, 0, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{1, 1}));
    EXPECT_EQ(mpt_min(x, 1, &dim, 0, y.out()), MPT_ERROR_SHAPE);
}

}  // namespace test
