#include <cmath>
#include <limits>

#include "ops/loss_cases.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Log-sum-exp in f32, a difference of numbers as large as the logits: measured by the largest loss and gradient.
constexpr Bound kLoss{4, Scale::Largest, 4, 1, Scale::Largest};
// No class stands out: an error of log-sum-exp, as many roundings as it is large, shows in every gradient.
constexpr Bound kEven{4, Scale::Largest, 16, 1, Scale::Largest};

struct Form {
    const char *name;
    std::int64_t rows, classes;
    mpt_reduction reduction;
    mpt_dtype index = MPT_I64;
    Layout layout = Layout::Contiguous;
    double smoothing = 0;
    bool weighted = false;
    std::int64_t ignore = -100;
    bool probabilities = false;
};

// What integers are multiplied with to become weights from (0, 2], and rows of probabilities whose sums are about 1.
constexpr double kWeightUnit = 0.25;
double probability_unit(const Form &f) {
    return f.classes > 100 ? 0x1p-14 : 0x1p-4;
}

mpt_cross_entropy_params params_of(mpt_reduction reduction) {
    mpt_cross_entropy_params params;
    MUST(mpt_cross_entropy_params_init(&params, sizeof params));
    params.reduction = reduction;
    return params;
}

mpt_status apply(const Form &f, In in, Out out) {
    mpt_cross_entropy_params params = params_of(f.reduction);
    params.label_smoothing = f.smoothing;
    params.ignore_index = f.ignore;
    const mpt_dtype dtype = dtype_of(in[0]);
    const Tensor weight = constant(in[2], wide(dtype), kWeightUnit, 0);
    if (f.weighted) params.weight = weight;
    if (!f.probabilities) return mpt_cross_entropy(in[0], in[1], &params, out);
    return mpt_cross_entropy(in[0], constant(in[1], dtype, probability_unit(f), 0), &params, out);
}

// As torch.nn.functional.cross_entropy says it.
Values reference(const Form &f, const std::vector<Values> &in) {
    const Values &x = in[0];
    Values loss{{f.rows}, {}};
    double counted = 0;
    for (std::int64_t n = 0; n < f.rows; ++n) {
        double total = 0, row = 0;
        for (std::int64_t c = 0; c < f.classes; ++c) total += std::exp(element(x, {n, c}));
        const auto index = f.probabilities ? -1 : static_cast<std::int64_t>(in[1].data[static_cast<std::size_t>(n)]);
        const bool counts = f.probabilities || index != f.ignore;
        const auto weight = [&](std::int64_t c) { return f.weighted ? kWeightUnit * element(in[2], {c}) : 1; };
        for (std::int64_t c = 0; counts && c < f.classes; ++c) {
            const double p = f.probabilities ? probability_unit(f) * element(in[1], {n, c}) : c == index;
            row += weight(c) * ((1 - f.smoothing) * p + f.smoothing / static_cast<double>(f.classes)) *
                   (std::log(total) - element(x, {n, c}));
        }
        if (counts) counted += f.probabilities ? 1 : weight(index);
        loss.data.push_back(row);
    }
    return reduced(loss, f.reduction, counted);
}

std::vector<Case> cases() {
    const Layout plain = Layout::Contiguous;
    const mpt_reduction mean = MPT_REDUCTION_MEAN, sum = MPT_REDUCTION_SUM, none = MPT_REDUCTION_NONE;
    const Form forms[] = {
        {"Mean", 5, 10, mean},
        {"Sum", 5, 10, sum, MPT_I32},
        {"None", 5, 10, none, MPT_U8},
        {"BatchMean", 5, 10, MPT_REDUCTION_BATCH_MEAN, MPT_U8, plain, 0, true, 3},
        {"OneRow", 1, 3, mean},
        {"OneClass", 4, 1, none},
        {"Transposed", 6, 7, mean, MPT_I64, Layout::Transposed},
        {"Sliced", 6, 7, none, MPT_I32, Layout::Sliced},
        {"NoRows", 0, 4, none},
        {"SumOfNoRows", 0, 4, sum},
        {"MeanOfNoRows", 0, 4, mean},
        {"LongRows", 5, 2501, mean, MPT_I32},
        {"Large", 300, 101, mean},
        {"Ignored", 12, 3, mean, MPT_I64, plain, 0, false, 1},
        {"IgnoredNone", 12, 3, none, MPT_I32, plain, 0, false, 1},
        {"Weighted", 9, 4, mean, MPT_I64, plain, 0, true},
        {"WeightedIgnoredSum", 9, 4, sum, MPT_U8, plain, 0, true, 2},
        {"Smoothed", 9, 4, mean, MPT_I64, plain, 0.25},
        {"SmoothedAll", 9, 4, none, MPT_I64, plain, 1},
        {"SmoothedWeighted", 9, 4, mean, MPT_I64, plain, 0.1, true},
        {"SmoothedWeightedIgnored", 12, 4, mean, MPT_I64, Layout::Transposed, 0.1, true, 0},
        {"SmoothedLongRows", 4, 2501, mean, MPT_I64, plain, 0.1, true},
        {"Probabilities", 6, 7, mean, MPT_I32, plain, 0, false, -100, true},
        {"ProbabilitiesNone", 6, 7, none, MPT_I32, Layout::Sliced, 0, false, -100, true},
        {"ProbabilitiesWeightedSmoothed", 6, 7, mean, MPT_I32, plain, 0.2, true, -100, true},
        {"ProbabilitiesLongRows", 4, 2501, sum, MPT_I32, Layout::Transposed, 0.1, true, -100, true},
        {"ProbabilitiesNoRows", 0, 4, mean, MPT_I32, plain, 0, false, -100, true},
    };
    std::vector<Case> all;
    for (const Form &f : forms) {
        Operand target{.shape = {f.rows}, .low = 0, .high = static_cast<double>(f.classes), .index = f.index};
        if (f.probabilities) target = {.shape = {f.rows, f.classes}, .low = 0, .high = 16, .index = f.index};
        all.push_back({.op = "mpt_cross_entropy",
                       .name = f.name,
                       .inputs = {{.shape = {f.rows, f.classes}, .low = -3, .high = 3, .layout = f.layout},
                                  target,
                                  {.shape = {f.classes}, .low = 1, .high = 9, .index = MPT_I32}},
                       .apply = [=](In in, Out out) { return apply(f, in, out); },
                       .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
                       .bound = f.probabilities ? kEven : kLoss,
                       .any_thread_count = true});
    }
    return all;
}

class CrossEntropy : public DeviceTest {
protected:
    Tensor loss_of(mpt_tensor *logits, mpt_tensor *target, mpt_reduction reduction) {
        return loss_of(logits, target, params_of(reduction));
    }
    Tensor loss_of(mpt_tensor *logits, mpt_tensor *target, const mpt_cross_entropy_params &params) {
        Tensor loss;
        MUST(mpt_cross_entropy(logits, target, &params, loss.out()));
        return loss;
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(CrossEntropy, cases());
INSTANTIATE_ON_EVERY_DEVICE(CrossEntropy);

// torch.nn.functional.cross_entropy (PyTorch 2, f64).
TEST_P(CrossEntropy, AsInPyTorch) {
    const Values logits{{4, 3}, {1, -2, .5, 0, .25, -1, 2, 1, 0, -.5, .5, 1.5}};
    const Values probabilities{{4, 3}, {.5, .25, .25, 1, 0, 0, .125, .75, .125, 0, .5, .5}};
    const Tensor indices = make(ctx, MPT_I64, {2, 0, 1, 2}), shares = make(ctx, MPT_F32, probabilities),
                 weight = make(ctx, MPT_F32, {.5, 1, 2});
    mpt_cross_entropy_params params = params_of(MPT_REDUCTION_MEAN);
    params.label_smoothing = 0.1;
    params.ignore_index = 0;
    params.weight = weight;
    const Tensor x = leaf(ctx, MPT_F32, logits);
    const Tensor of_indices = loss_of(x, indices, params);
    EXPECT_NEAR(read(of_indices)[0], 0.865890978, 1e-6);
    expect_near(gradients(ctx, of_indices, {x})[0],
                {0.228103744, 0.0048559069, -0.23295965, 0, 0, 0, 0.131932328, -0.136905211, 0.00497288321, 0.0311783864,
                 0.0871459139, -0.1183243},
                1e-6, "indices");
    const Tensor of_shares = loss_of(x, shares, params);
    EXPECT_NEAR(read(of_shares)[0], 1.25020345, 1e-6);
    expect_near(gradients(ctx, of_shares, {x})[0],
                {0.0930361778, -0.0569433661, -0.0360928117, -0.0632459467, 0.0602602288, 0.00298571792, 0.160207861, -0.111440019,
                 -0.0487678411, 0.0288445435, -0.0310995606, 0.00225501712},
                1e-6, "probabilities");
    params.weight = nullptr;
    const Tensor unweighted = loss_of(x, indices, params);
    EXPECT_NEAR(read(unweighted)[0], 0.995491833, 1e-6);
    expect_near(gradients(ctx, unweighted, {x})[0],
                {0.190138521, -0.00109148192, -0.189047039, 0, 0, 0, 0.210635874, -0.229534954, 0.0188990799, 0.0188990799,
                 0.0704650459, -0.0893641259},
                1e-6, "without weights");
}

TEST_P(CrossEntropy, TargetOutsideGivesNanAndNoGradient) {
    for (double smoothing : {0.0, 0.1})
        for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16})
            for (mpt_reduction reduction : {MPT_REDUCTION_NONE, MPT_REDUCTION_SUM, MPT_REDUCTION_MEAN}) {
                const Tensor x = leaf(ctx, dtype, Values{{3, 2}, {1, 2, 1, 2, 0, 0}});
                const Tensor target = make(ctx, MPT_I64, {-1, 2, 1});
                mpt_cross_entropy_params params = params_of(reduction);
                params.label_smoothing = smoothing;
                const Tensor loss = loss_of(x, target, params);
                EXPECT_EQ(dtype_of(loss), MPT_F32);
                const std::vector<double> got = read(loss);
                EXPECT_TRUE(std::isnan(got[0]));
                if (reduction == MPT_REDUCTION_NONE) {
                    EXPECT_TRUE(std::isnan(got[1]));
                    EXPECT_NEAR(got[2], std::log(2.0), 1e-6);
                }
                const double g = (0.5 - smoothing / 2) / (reduction == MPT_REDUCTION_MEAN ? 3 : 1);
                expect_near(gradients(ctx, loss, {x})[0], {0, 0, 0, 0, g, -g}, 2 * roundoff(dtype), mpt_dtype_name(dtype));
            }
}

TEST_P(CrossEntropy, LargeLogitsDoNotOverflow) {
    const Tensor x = make(ctx, MPT_F32, Values{{2, 2}, {1e30, 0, 1000, 998}}), target = make(ctx, MPT_I64, {0, 1});
    const std::vector<double> loss = read(loss_of(x, target, MPT_REDUCTION_NONE));
    EXPECT_EQ(loss[0], 0);
    EXPECT_NEAR(loss[1], std::log(1 + std::exp(2.0)), 1e-4);
}

// A class that a mask has ruled out.
TEST_P(CrossEntropy, MinusInfinityIsNoClass) {
    const Tensor x = leaf(ctx, MPT_F32, Values{{2, 3}, {0, -kInfinity, 0, 0, -kInfinity, 0}}), target = make(ctx, MPT_I64, {0, 1});
    const Tensor loss = loss_of(x, target, MPT_REDUCTION_NONE);
    EXPECT_NEAR(read(loss)[0], std::log(2.0), 1e-6);
    EXPECT_EQ(read(loss)[1], kInfinity);
    expect_near(gradients(ctx, loss, {x})[0], {-0.5, 0, 0.5, 0.5, -1, 0.5}, 1e-6, "gradient");
}

TEST_P(CrossEntropy, MeanOfIgnoredRowsAloneIsNan) {
    const Tensor x = leaf(ctx, MPT_F32, Values{{2, 2}, {1, 2, kInfinity, std::nan("")}}), target = make(ctx, MPT_I64, {-100, -100});
    const Tensor loss = loss_of(x, target, MPT_REDUCTION_MEAN);
    EXPECT_TRUE(std::isnan(read(loss)[0]));
    EXPECT_EQ(gradients(ctx, loss, {x})[0], (std::vector<double>{0, 0, 0, 0}));
    EXPECT_EQ(read(loss_of(x, target, MPT_REDUCTION_SUM))[0], 0);
    EXPECT_EQ(read(loss_of(x, target, MPT_REDUCTION_NONE)), (std::vector<double>{0, 0}));
}

// Logits of 16 bits are read as they are, beside probabilities of another format; f64 on one side makes an f64 loss.
TEST_P(CrossEntropy, FormatsMix) {
    const Values logits{{2, 2}, {1, 2, 0.5, -1}}, shares{{2, 2}, {0.25, 0.75, 0.3, 0.7}};
    const auto loss = [&](mpt_dtype of_logits, mpt_dtype of_shares) {
        return loss_of(make(ctx, of_logits, logits), make(ctx, of_shares, shares), MPT_REDUCTION_SUM);
    };
    const mpt_dtype wide = widest(GetParam());
    const double exact = read(loss(wide, wide))[0];
    EXPECT_EQ(dtype_of(loss(wide, MPT_F32)), wide);
    EXPECT_EQ(dtype_of(loss(MPT_F32, wide)), wide);
    EXPECT_EQ(read(loss(MPT_F32, wide))[0], exact);
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        EXPECT_EQ(dtype_of(loss(dtype, MPT_F32)), MPT_F32);
        EXPECT_NEAR(read(loss(dtype, MPT_F32))[0], exact, 1e-6) << mpt_dtype_name(dtype);
    }
}

}  // namespace test
