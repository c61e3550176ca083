#include <cmath>

#include "ops/loss_cases.h"

namespace test {

namespace {

constexpr Bound kLoss{2, Scale::Result, 4, 1, Scale::Result};

struct Form {
    const char *name;
    std::int64_t rows, classes;
    mpt_reduction reduction;
    mpt_dtype index;
    Layout layout;
    bool weighted;
    std::int64_t ignore;
};

constexpr double kWeightUnit = 0.25;

mpt_cross_entropy_params params_of(mpt_reduction reduction) {
    mpt_cross_entropy_params params;
    MUST(mpt_cross_entropy_params_init(&params, sizeof params));
    params.reduction = reduction;
    return params;
}

mpt_status apply(const Form &f, In in, Out out) {
    mpt_cross_entropy_params params = params_of(f.reduction);
    params.ignore_index = f.ignore;
    const Tensor weight = constant(in[2], wide(dtype_of(in[0])), kWeightUnit, 0);
    if (f.weighted) params.weight = weight;
    return mpt_nll(in[0], in[1], &params, out);
}

Values reference(const Form &f, const std::vector<Values> &in) {
    Values loss{{f.rows}, {}};
    double counted = 0;
    for (std::int64_t n = 0; n < f.rows; ++n) {
        const auto index = static_cast<std::int64_t>(in[1].data[static_cast<std::size_t>(n)]);
        const double weight = index == f.ignore ? 0 : f.weighted ? kWeightUnit * element(in[2], {index}) : 1;
        loss.data.push_back(-weight * element(in[0], {n, index}));
        counted += weight;
    }
    return reduced(loss, f.reduction, counted);
}

std::vector<Case> cases() {
    const Layout plain = Layout::Contiguous;
    const Form forms[] = {
        {"Mean", 5, 10, MPT_REDUCTION_MEAN, MPT_I64, plain, false, -100},
        {"Sum", 5, 10, MPT_REDUCTION_SUM, MPT_I32, plain, false, -100},
        {"None", 5, 10, MPT_REDUCTION_NONE, MPT_U8, plain, false, -100},
        {"BatchMean", 5, 10, MPT_REDUCTION_BATCH_MEAN, MPT_I64, plain, true, -100},
        {"Transposed", 6, 7, MPT_REDUCTION_MEAN, MPT_I64, Layout::Transposed, true, -100},
        {"Sliced", 6, 7, MPT_REDUCTION_NONE, MPT_I64, Layout::Sliced, false, 3},
        {"WeightedIgnored", 12, 3, MPT_REDUCTION_MEAN, MPT_I64, plain, true, 1},
        {"MeanOfNoRows", 0, 4, MPT_REDUCTION_MEAN, MPT_I64, plain, false, -100},
        {"LongRows", 5, 2501, MPT_REDUCTION_MEAN, MPT_I64, plain, true, -100},
    };
    std::vector<Case> all;
    for (const Form &f : forms)
        all.push_back({.op = "mpt_nll",
                       .name = f.name,
                       .inputs = {{.shape = {f.rows, f.classes}, .low = -6, .high = -0.1, .layout = f.layout},
                                  {.shape = {f.rows}, .low = 0, .high = static_cast<double>(f.classes), .index = f.index},
                                  {.shape = {f.classes}, .low = 1, .high = 9, .index = MPT_I32}},
                       .apply = [=](In in, Out out) { return apply(f, in, out); },
                       .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
                       .bound = kLoss,
                       .any_thread_count = true});
    return all;
}

class Nll : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Nll, cases());
INSTANTIATE_ON_EVERY_DEVICE(Nll);

// torch.nn.functional.nll_loss (PyTorch 2, f64).
TEST_P(Nll, AsInPyTorch) {
    const Tensor x = leaf(ctx, MPT_F32, Values{{4, 3}, {1, -2, .5, 0, .25, -1, 2, 1, 0, -.5, .5, 1.5}});
    const Tensor target = make(ctx, MPT_I64, {2, 0, 1, 2}), weight = make(ctx, MPT_F32, {.5, 1, 2});
    mpt_cross_entropy_params params = params_of(MPT_REDUCTION_MEAN);
    params.ignore_index = 0;
    params.weight = weight;
    Tensor loss;
    MUST(mpt_nll(x, target, &params, loss.out()));
    EXPECT_NEAR(read(loss)[0], -1, 1e-6);
    expect_near(gradients(ctx, loss, {x})[0], {0, 0, -.4, 0, 0, 0, 0, -.2, 0, 0, 0, -.4}, 1e-6, "gradient");
}

// Cross entropy in two steps.
TEST_P(Nll, OfLogSoftmaxIsCrossEntropy) {
    Random random(7);
    Values logits{{40, 9}, {}};
    std::vector<double> classes;
    for (int i = 0; i < 40 * 9; ++i) logits.data.push_back(random.uniform(-4, 4));
    for (int i = 0; i < 40; ++i) classes.push_back(static_cast<double>(random.below(9)));
    const Tensor x = leaf(ctx, MPT_F32, logits), target = make(ctx, MPT_I32, classes);
    Tensor logs, in_two, in_one;
    MUST(mpt_log_softmax(x, 1, logs.out()));
    MUST(mpt_nll(logs, target, nullptr, in_two.out()));
    const std::vector<double> gradient_in_two = gradients(ctx, in_two, {x})[0];
    MUST(mpt_cross_entropy(x, target, nullptr, in_one.out()));
    EXPECT_NEAR(read(in_two)[0], read(in_one)[0], 1e-6);
    expect_near(gradient_in_two, gradients(ctx, in_one, {x})[0], 1e-7, "gradient");
}

TEST_P(Nll, TargetOutsideGivesNanAndNoGradient) {
    const Tensor x = leaf(ctx, MPT_BF16, Values{{3, 2}, {-1, -2, -1, -2, -3, -4}}), target = make(ctx, MPT_I64, {-1, 2, 1});
    const mpt_cross_entropy_params params = params_of(MPT_REDUCTION_NONE);
    Tensor loss;
    MUST(mpt_nll(x, target, &params, loss.out()));
    EXPECT_EQ(dtype_of(loss), MPT_F32);
    const std::vector<double> got = read(loss);
    EXPECT_TRUE(std::isnan(got[0]) && std::isnan(got[1]));
    EXPECT_EQ(got[2], 4);
    EXPECT_EQ(gradients(ctx, loss, {x})[0], (std::vector<double>{0, 0, 0, 0, 0, -1}));
}

}  // namespace test
