#include <cmath>
#include <functional>
#include <limits>

#include "ops/loss_cases.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Loss = std::function<mpt_status(mpt_tensor *, mpt_tensor *, mpt_reduction, mpt_tensor **)>;
struct Kind {
    const char *op;
    Loss loss;
    std::function<double(double, double)> reference;
    Operand prediction, target;
    Bound bound;
};

constexpr double kDelta = 0.75, kPositiveWeight = 2.5, kMargin = 0.5;

mpt_status huber(mpt_tensor *p, mpt_tensor *t, mpt_reduction reduction, mpt_tensor **out) {
    return mpt_huber(p, t, kDelta, reduction, out);
}
mpt_status bce(mpt_tensor *p, mpt_tensor *t, mpt_reduction reduction, mpt_tensor **out) {
    return mpt_bce_with_logits(p, t, kPositiveWeight, reduction, out);
}
mpt_status hinge(mpt_tensor *p, mpt_tensor *t, mpt_reduction reduction, mpt_tensor **out) {
    return mpt_hinge(p, t, kMargin, reduction, out);
}

// The difference is exact to one rounding, and the terms of a sum are positive. Where a difference of products is near 0 (hinge),
// or a gradient is one of near numbers (BCE), the error is measured by the largest element.
const Bound kExact{4, Scale::Result, 4, 1, Scale::Result}, kFunctions{8, Scale::Result, 8, 1, Scale::Largest};
const Bound kHinge{4, Scale::Largest, 4, 1, Scale::Result};

const Kind kKinds[] = {
    {"mpt_mse", mpt_mse, [](double p, double t) { return (p - t) * (p - t); }, {}, {}, kExact},
    {"mpt_l1", mpt_l1, [](double p, double t) { return std::fabs(p - t); }, {}, {}, kExact},
    {"mpt_huber",
     huber,
     [](double p, double t) {
         const double d = std::fabs(p - t);
         return d <= kDelta ? d * d / 2 : kDelta * (d - kDelta / 2);
     },
     {},
     {},
     kExact},
    {"mpt_bce_with_logits",
     bce,
     [](double p, double t) { return kPositiveWeight * t * std::log1p(std::exp(-p)) + (1 - t) * std::log1p(std::exp(p)); },
     {.low = -9, .high = 9},
     {.low = 0, .high = 1},
     kFunctions},
    {"mpt_kl_div",
     mpt_kl_div,
     [](double p, double t) { return t * (std::log(t) - p); },
     {.low = -6, .high = -3},
     {.low = 0.1, .high = 1},
     kFunctions},
    {"mpt_hinge", hinge, [](double p, double t) { return std::max(0.0, kMargin - p * t); }, {.low = -2, .high = 2}, {}, kHinge},
};

std::vector<Case> cases() {
    struct Form {
        const char *name;
        Shape shape;
        mpt_reduction reduction;
        Layout prediction, target;
    };
    const Layout plain = Layout::Contiguous;
    const Form forms[] = {
        {"Mean", {3, 5}, MPT_REDUCTION_MEAN, plain, plain},
        {"Sum", {3, 5}, MPT_REDUCTION_SUM, plain, plain},
        {"None", {3, 5}, MPT_REDUCTION_NONE, plain, plain},
        {"BatchMean", {3, 5}, MPT_REDUCTION_BATCH_MEAN, plain, plain},
        {"Scalar", {}, MPT_REDUCTION_MEAN, plain, plain},
        {"ScalarNone", {}, MPT_REDUCTION_NONE, plain, plain},
        {"Transposed", {4, 5}, MPT_REDUCTION_MEAN, Layout::Transposed, plain},
        {"TransposedNone", {4, 5}, MPT_REDUCTION_NONE, plain, Layout::Transposed},
        {"Sliced", {2, 3, 4}, MPT_REDUCTION_SUM, Layout::Sliced, Layout::Strided},
        {"SumOfNothing", {0, 4}, MPT_REDUCTION_SUM, plain, plain},
        {"MeanOfNothing", {0, 4}, MPT_REDUCTION_MEAN, plain, plain},
        {"BatchMeanOfNothing", {0, 4}, MPT_REDUCTION_BATCH_MEAN, plain, plain},
        {"Large", {70, 501}, MPT_REDUCTION_MEAN, plain, plain},
        {"LargeNone", {35, 501}, MPT_REDUCTION_NONE, plain, plain},
    };
    std::vector<Case> all;
    for (const Kind &kind : kKinds)
        for (const Form &f : forms) {
            Operand prediction = kind.prediction, target = kind.target;
            prediction.shape = target.shape = f.shape;
            prediction.layout = f.prediction;
            target.layout = f.target;
            all.push_back(
                {.op = kind.op,
                 .name = f.name,
                 .inputs = {prediction, target},
                 .apply = [=](In in, Out out) { return kind.loss(in[0], in[1], f.reduction, out); },
                 .reference =
                     [=](const std::vector<Values> &in) { return reduced(zip(in[0], in[1], kind.reference), f.reduction); },
                 .bound = kind.bound,
                 .any_thread_count = true});
        }
    return all;
}

class PointwiseLoss : public DeviceTest {
protected:
    struct Result {
        double loss;
        std::vector<double> of_prediction, of_target;
    };
    Result run(const Loss &loss, mpt_reduction reduction, const Values &prediction, const Values &target) {
        const Tensor p = leaf(ctx, MPT_F32, prediction), t = leaf(ctx, MPT_F32, target);
        Tensor out;
        MUST(loss(p, t, reduction, out.out()));
        const auto grads = gradients(ctx, out, {p, t});
        return {read(out)[0], grads[0], grads[1]};
    }
    std::vector<double> elements_of(const Loss &loss, const std::vector<double> &prediction, const std::vector<double> &target) {
        Tensor out;
        MUST(loss(make(ctx, MPT_F32, prediction), make(ctx, MPT_F32, target), MPT_REDUCTION_NONE, out.out()));
        return read(out);
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(PointwiseLoss, cases());
INSTANTIATE_ON_EVERY_DEVICE(PointwiseLoss);

// torch.nn.functional.mse_loss, l1_loss, huber_loss, binary_cross_entropy_with_logits, kl_div (PyTorch 2, f64).
TEST_P(PointwiseLoss, AsInPyTorch) {
    const Values p{{2, 2}, {-1.5, 0, .5, 2}}, t{{2, 2}, {.25, 0, 1, .5}}, positive{{2, 2}, {.25, .125, 1, .5}};
    const auto bce2 = [](mpt_tensor *x, mpt_tensor *y, mpt_reduction r, mpt_tensor **out) {
        return mpt_bce_with_logits(x, y, 2, r, out);
    };
    struct Gold {
        const char *name;
        Loss loss;
        mpt_reduction reduction;
        const Values &target;
        Result expected;
    };
    const Gold all[] = {
        {"mse", mpt_mse, MPT_REDUCTION_MEAN, t, {1.390625, {-.875, 0, -.25, .75}, {.875, 0, .25, -.75}}},
        {"l1", mpt_l1, MPT_REDUCTION_MEAN, t, {.9375, {-.25, 0, -.25, .25}, {.25, 0, .25, -.25}}},
        {"huber", huber, MPT_REDUCTION_MEAN, t, {.5, {-.1875, 0, -.125, .1875}, {.1875, 0, .125, -.1875}}},
        {"bce",
         bce2,
         MPT_REDUCTION_MEAN,
         t,
         {0.958364941,
          {-0.0679920238, 0.125, -0.188770334, 0.0802989042},
          {0.800353319, 0.173286795, -0.00648075395, -0.468267997}}},
        {"kl",
         mpt_kl_div,
         MPT_REDUCTION_BATCH_MEAN,
         positive,
         {-1.03903869, {-.125, -.0625, -.5, -.25}, {0.556852819, -0.539720771, .25, -0.84657359}}},
    };
    for (const Gold &gold : all) {
        const Result got = run(gold.loss, gold.reduction, p, gold.target);
        EXPECT_NEAR(got.loss, gold.expected.loss, 1e-6) << gold.name;
        expect_near(got.of_prediction, gold.expected.of_prediction, 1e-6, gold.name);
        expect_near(got.of_target, gold.expected.of_target, 1e-6, gold.name);
    }
}

TEST_P(PointwiseLoss, KinksAndEnds) {
    const Result l1 = run(mpt_l1, MPT_REDUCTION_SUM, {{3}, {1, 0, -1}}, {{3}, {1, 0, 1}});
    EXPECT_EQ(l1.of_prediction, (std::vector<double>{0, 0, -1}));
    // At the margin and beyond it nothing flows.
    const Result at = run(hinge, MPT_REDUCTION_SUM, {{4}, {.5, 2, 0, -.5}}, {{4}, {1, 1, -1, -1}});
    EXPECT_EQ(at.loss, 0.5);
    EXPECT_EQ(at.of_prediction, (std::vector<double>{0, 0, 1, 0}));
    // Both sides of delta are one curve.
    const Result bent = run(huber, MPT_REDUCTION_SUM, {{3}, {kDelta, -kDelta, 100}}, {{3}, {0, 0, 0}});
    EXPECT_NEAR(bent.loss, kDelta * kDelta + kDelta * (100 - kDelta / 2), 1e-5);
    EXPECT_EQ(bent.of_prediction, (std::vector<double>{kDelta, -kDelta, kDelta}));
    const Result none = run(mpt_kl_div, MPT_REDUCTION_SUM, {{2}, {-kInfinity, -1}}, {{2}, {0, 0}});
    EXPECT_EQ(none.loss, 0);
    EXPECT_EQ(none.of_target, (std::vector<double>{0, 0}));
}

TEST_P(PointwiseLoss, LargeLogitsDoNotOverflow) {
    const Result got = run(bce, MPT_REDUCTION_NONE, {{4}, {1e4, 1e4, -1e4, -1e4}}, {{4}, {1, 0, 1, 0}});
    EXPECT_EQ(elements_of(bce, {1e4, 1e4, -1e4, -1e4}, {1, 0, 1, 0}), (std::vector<double>{0, 1e4, kPositiveWeight * 1e4, 0}));
    EXPECT_EQ(got.of_prediction, (std::vector<double>{0, 1, -kPositiveWeight, 0}));
    // What is left of a confident and right answer.
    const double left = elements_of(bce, {-20}, {0})[0];
    EXPECT_NEAR(left / std::exp(-20.0), 1, 1e-6);
}

TEST_P(PointwiseLoss, NanIsSeen) {
    for (const Kind &kind : kKinds) {
        EXPECT_TRUE(std::isnan(elements_of(kind.loss, {std::nan("")}, {1})[0])) << kind.op;
        EXPECT_TRUE(std::isnan(elements_of(kind.loss, {1}, {std::nan("")})[0])) << kind.op;
        const Result of_target = run(kind.loss, MPT_REDUCTION_SUM, {{1}, {1}}, {{1}, {std::nan("")}});
        EXPECT_TRUE(std::isnan(of_target.of_prediction[0])) << kind.op;
    }
    const Result of_logit = run(bce, MPT_REDUCTION_SUM, {{1}, {std::nan("")}}, {{1}, {1}});
    EXPECT_TRUE(std::isnan(of_logit.of_prediction[0]) && std::isnan(of_logit.of_target[0]));
}

// Each operand is read in its own format; the result is f32, or f64 beside one f64.
TEST_P(PointwiseLoss, FormatsMix) {
    const std::vector<double> p{0.5, -1, 2}, t{0.3, 0.1, 0.7};
    for (const Kind &kind : kKinds)
        for (mpt_dtype of_p : formats(GetParam()))
            for (mpt_dtype of_t : formats(GetParam())) {
                const Tensor x = leaf(ctx, of_p, Values{{3}, p}), y = leaf(ctx, of_t, Values{{3}, t});
                Tensor loss;
                MUST(kind.loss(x, y, MPT_REDUCTION_SUM, loss.out()));
                EXPECT_EQ(dtype_of(loss), of_p == MPT_F64 || of_t == MPT_F64 ? MPT_F64 : MPT_F32);
                double exact = 0;
                for (std::size_t i = 0; i < 3; ++i) exact += kind.reference(p[i], rounded(of_t, t[i]));
                EXPECT_NEAR(read(loss)[0], exact, 1e-5)
                    << kind.op << " of " << mpt_dtype_name(of_p) << " and " << mpt_dtype_name(of_t);
                gradients(ctx, loss, {x, y});
                EXPECT_EQ(dtype_of(gradient(x)), of_p);
                EXPECT_EQ(dtype_of(gradient(y)), of_t);
            }
}

}  // namespace test
