#include <cmath>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// Log-sum-exp in f32, a difference of numbers as large as the logits: measured by the largest loss and gradient.
constexpr Bound kLoss{4, Scale::Largest, 4, 1, Scale::Largest};

Values reference(const Values &x, const Values &target, mpt_reduction reduction) {
    const std::int64_t rows = x.shape[0], classes = x.shape[1];
    Values loss{{rows}, {}};
    double sum = 0;
    for (std::int64_t n = 0; n < rows; ++n) {
        double total = 0;
        for (std::int64_t c = 0; c < classes; ++c) total += std::exp(element(x, {n, c}));
        loss.data.push_back(std::log(total) - element(x, {n, static_cast<std::int64_t>(target.data[static_cast<std::size_t>(n)])}));
        sum += loss.data.back();
    }
    if (reduction == MPT_REDUCTION_NONE) return loss;
    return {{}, {reduction == MPT_REDUCTION_SUM ? sum : sum / static_cast<double>(rows)}};
}

std::vector<Case> cases() {
    struct Form {
        const char *name;
        std::int64_t rows, classes;
        mpt_dtype index;
        mpt_reduction reduction;
        Layout layout;
    };
    const Layout plain = Layout::Contiguous;
    const Form forms[] = {
        {"Mean", 5, 10, MPT_I64, MPT_REDUCTION_MEAN, plain},
        {"Sum", 5, 10, MPT_I32, MPT_REDUCTION_SUM, plain},
        {"None", 5, 10, MPT_U8, MPT_REDUCTION_NONE, plain},
        {"OneRow", 1, 3, MPT_I64, MPT_REDUCTION_MEAN, plain},
        {"OneClass", 4, 1, MPT_I64, MPT_REDUCTION_NONE, plain},
        {"Transposed", 6, 7, MPT_I64, MPT_REDUCTION_MEAN, Layout::Transposed},
        {"Sliced", 6, 7, MPT_I32, MPT_REDUCTION_NONE, Layout::Sliced},
        {"NoRows", 0, 4, MPT_I64, MPT_REDUCTION_NONE, plain},
        {"SumOfNoRows", 0, 4, MPT_I64, MPT_REDUCTION_SUM, plain},
        {"MeanOfNoRows", 0, 4, MPT_I64, MPT_REDUCTION_MEAN, plain},
        {"LongRows", 5, 2501, MPT_I32, MPT_REDUCTION_MEAN, plain},
        {"Large", 300, 101, MPT_I64, MPT_REDUCTION_MEAN, plain},
    };
    std::vector<Case> all;
    for (const Form &f : forms)
        all.push_back({.op = "mpt_cross_entropy",
                       .name = f.name,
                       .inputs = {{.shape = {f.rows, f.classes}, .low = -3, .high = 3, .layout = f.layout},
                                  {.shape = {f.rows}, .low = 0, .high = static_cast<double>(f.classes), .index = f.index}},
                       .apply = [=](In in, Out out) { return mpt_cross_entropy(in[0], in[1], f.reduction, out); },
                       .reference = [=](const std::vector<Values> &in) { return reference(in[0], in[1], f.reduction); },
                       .bound = kLoss});
    return all;
}

class CrossEntropy : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(CrossEntropy, cases());
INSTANTIATE_ON_EVERY_DEVICE(CrossEntropy);

TEST_P(CrossEntropy, TargetOutsideGivesNanAndNoGradient) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16})
        for (mpt_reduction reduction : {MPT_REDUCTION_NONE, MPT_REDUCTION_SUM, MPT_REDUCTION_MEAN}) {
            const Tensor x = make(ctx, dtype, Values{{3, 2}, {1, 2, 1, 2, 0, 0}});
            MUST(mpt_tensor_set_requires_grad(x, 1));
            const Tensor target = make(ctx, MPT_I64, {-1, 2, 1});
            Tensor loss;
            MUST(mpt_cross_entropy(x, target, reduction, loss.out()));
            EXPECT_EQ(dtype_of(loss), MPT_F32);
            const std::vector<double> got = read(loss);
            EXPECT_TRUE(std::isnan(got[0]));
            if (reduction == MPT_REDUCTION_NONE) {
                EXPECT_TRUE(std::isnan(got[1]));
                EXPECT_NEAR(got[2], std::log(2.0), 1e-6);
            }
            const Tensor seed = create(ctx, MPT_F32, shape_of(loss));
            MUST(mpt_tensor_fill(seed, 1));
            mpt_tensor *root = loss, *start = seed;
            MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
            const double half = reduction == MPT_REDUCTION_MEAN ? 0.5 / 3 : 0.5;
            const std::vector<double> grad = read(gradient(x));
            for (std::size_t i = 0; i < 6; ++i)
                EXPECT_NEAR(grad[i],
                            i < 4    ? 0
                            : i == 4 ? half
                                     : -half,
                            2 * roundoff(dtype))
                    << mpt_dtype_name(dtype) << " element " << i;
        }
}

TEST_P(CrossEntropy, LargeLogitsDoNotOverflow) {
    const Tensor x = make(ctx, MPT_F32, Values{{2, 2}, {1e30, 0, 1000, 998}}), target = make(ctx, MPT_I64, {0, 1});
    Tensor loss;
    MUST(mpt_cross_entropy(x, target, MPT_REDUCTION_NONE, loss.out()));
    EXPECT_EQ(read(loss)[0], 0);
    EXPECT_NEAR(read(loss)[1], std::log(1 + std::exp(2.0)), 1e-4);
}

}  // namespace test
