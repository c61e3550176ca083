// Update rules against torch.optim's, written again in double, over a dozen steps.
#include <cmath>

#include "common/devices.h"
#include "ops/update_rules.h"

namespace test {

namespace {

constexpr int kSteps = 14;

// limit: each value is clipped to it first; 0: none.
double norm_of(const std::vector<std::vector<double>> &grads, double limit = 0) {
    double squares = 0;
    for (const auto &grad : grads)
        for (double g : grad) {
            const double value = limit > 0 ? std::fmin(std::fabs(g), limit) : g;
            squares += value * value;
        }
    return std::sqrt(squares);
}

// A parameter is its reference rounded to its type, up to 4 units of the f32 arithmetic per step.
void expect_close(const mpt_tensor *parameter, const Reference &reference, int steps, const std::string &what) {
    const std::vector<double> got = read(parameter);
    const mpt_dtype dtype = dtype_of(parameter);
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double exact = reference.p[i];
        const double own = wide(dtype) == dtype ? 0 : roundoff(dtype) * std::fabs(exact) + smallest(dtype);
        ASSERT_NEAR(got[i], exact, own + steps * 4 * 0x1p-24 * std::max(1.0, std::fabs(exact)))
            << what << " element " << i << " in " << mpt_dtype_name(dtype);
    }
}

class OptimizerRules : public DeviceTest {
protected:
    // kSteps steps of two groups, the second with half the rate and no decay.
    void follow(const Rule &rule, mpt_dtype dtype) {
        Random random(31);
        const Shape shapes[] = {{4, 33}, {7}, {3, 2, 5}, {}};
        std::vector<Tensor> groups[2];
        std::vector<Reference> references;
        for (std::size_t i = 0; i < 4; ++i) {
            const Values start{shapes[i], draw(random, count(shapes[i]), dtype, 1)};
            groups[i / 2].push_back(parameter(ctx, dtype, start));
            references.emplace_back(start.data);
        }
        const Optimizer optimizer = create(ctx, rule);
        add_group(optimizer, "a", groups[0]);
        add_group(optimizer, "b", groups[1], group_desc(MPT_ROUNDING_MASTER, 0.5, 0));
        double lr = static_cast<float>(rule.lr);
        for (int t = 1; t <= kSteps; ++t) {
            std::vector<std::vector<double>> grads;
            for (std::size_t i = 0; i < 4; ++i) {
                grads.push_back(draw(random, count(shapes[i]), dtype, t % 4 ? 0.1 : 1));
                write(gradient(groups[i / 2][i % 2]), grads.back());
            }
            if (t == 8) {  // a schedule moves the rate
                lr = static_cast<float>(rule.lr / 3);
                MUST(mpt_optimizer_set_lr(optimizer, rule.lr / 3));
            }
            MUST(mpt_optimizer_step(optimizer, nullptr));
            const double factor = rule.clip > 0 ? std::min(1.0, rule.clip / (norm_of(grads, rule.clip_value) + 1e-6)) : 1;
            for (std::size_t i = 0; i < 4; ++i) {
                references[i].step(rule, lr * (i < 2 ? 1 : 0.5), i < 2 ? rule.decay : 0, t, grads[i], factor);
                ASSERT_NO_FATAL_FAILURE(
                    expect_close(groups[i / 2][i % 2], references[i], t,
                                 std::string(rule.name) + " step " + std::to_string(t) + " parameter " + std::to_string(i)));
                EXPECT_EQ(read(gradient(groups[i / 2][i % 2])), grads[i]) << "the step changed a gradient";
            }
            if (rule.clip > 0 || rule.clip_value > 0) {
                double seen;
                MUST(mpt_optimizer_grad_norm(optimizer, &seen));
                EXPECT_NEAR(seen, norm_of(grads), 1e-6 * norm_of(grads)) << "before clipping";
            }
        }
        std::int64_t stepped, skipped;
        MUST(mpt_optimizer_counts(optimizer, &stepped, &skipped));
        EXPECT_EQ(stepped, kSteps);
        EXPECT_EQ(skipped, 0);
    }
};

}  // namespace

INSTANTIATE_ON_EVERY_DEVICE(OptimizerRules);

TEST_P(OptimizerRules, FollowTorchInF32) {
    for (const Rule &rule : kRules) follow(rule, MPT_F32);
}
TEST_P(OptimizerRules, FollowTorchInF64) {
    if (GetParam() == Device::Cuda) GTEST_SKIP() << "f64 arithmetic is the CPU's";
    for (const Rule &rule : kRules) follow(rule, MPT_F64);
}
TEST_P(OptimizerRules, FollowTorchWithMastersOfF16) {
    for (const Rule &rule : kRules) follow(rule, MPT_F16);
}
TEST_P(OptimizerRules, FollowTorchWithMastersOfBf16) {
    for (const Rule &rule : kRules) follow(rule, MPT_BF16);
}

// Steps far below the parameter's last place add up in the master: bf16 1 moves only after 2^-9.
TEST_P(OptimizerRules, SmallStepsAddUpInTheMaster) {
    std::vector<Tensor> p;
    p.push_back(parameter(ctx, MPT_BF16, {{1}, {1}}));
    const Optimizer optimizer = create(ctx, {.name = "", .kind = Rule::Sgd, .lr = 0x1p-12, .decay = 0});
    add_group(optimizer, "a", p);
    write(gradient(p[0]), {1});
    MUST(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(read(p[0])[0], 1);
    for (int i = 1; i < 64; ++i) MUST(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(read(p[0])[0], 1 - 0x1p-6);
}

TEST_P(OptimizerRules, ParametersWithoutAGradientStay) {
    std::vector<Tensor> p;
    p.push_back(parameter(ctx, MPT_F32, {{2}, {1, 2}}));
    p.push_back(parameter(ctx, MPT_F32, {{2}, {3, 4}}));
    const Optimizer optimizer = create(ctx, {.name = "", .kind = Rule::AdamW, .lr = 0.5, .decay = 0.5});
    add_group(optimizer, "a", p);
    write(gradient(p[0]), {1, 1});
    MUST(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(read(p[1]), (std::vector<double>{3, 4}));
    EXPECT_NE(read(p[0]), (std::vector<double>{1, 2}));
}

TEST_P(OptimizerRules, ZeroGrad) {
    std::vector<Tensor> p;
    p.push_back(parameter(ctx, MPT_F16, {{3}, {1, 2, 3}}));
    const Optimizer optimizer = create(ctx, kRules[0]);
    add_group(optimizer, "a", p);
    write(gradient(p[0]), {1, -1, 5});
    MUST(mpt_optimizer_zero_grad(optimizer));
    EXPECT_EQ(read(gradient(p[0])), (std::vector<double>{0, 0, 0}));
    MUST(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(read(p[0]), (std::vector<double>{1, 2, 3}));
}

// Updates are elementwise and the norm's order is fixed: no bit depends on the number of threads.
TEST_P(OptimizerRules, SameBitsForAnyThreadCount) {
    if (GetParam() == Device::Cuda) GTEST_SKIP() << "the number of threads is the CPU's";
    for (const Rule &rule : kRules)
        for (mpt_dtype dtype : {MPT_F32, MPT_BF16}) {
            std::vector<std::uint8_t> first;
            for (int threads : {2, 1, 3, 2}) {
                const Context other = must_open(GetParam(), threads);
                Random random(8);
                std::vector<Tensor> p;
                for (std::int64_t n : {70001, 13, 500}) p.push_back(parameter(other, dtype, {{n}, draw(random, n, dtype, 1)}));
                const Optimizer optimizer = create(other, rule);
                add_group(optimizer, "a", p);
                std::vector<std::uint8_t> bits;
                for (const Tensor &one : p) write(gradient(one), draw(random, count(shape_of(one)), dtype, 0.1));
                for (int t = 0; t < 3; ++t) MUST(mpt_optimizer_step(optimizer, nullptr));
                for (const Tensor &one : p) {
                    const std::vector<std::uint8_t> own = read_bytes(one);
                    bits.insert(bits.end(), own.begin(), own.end());
                }
                if (first.empty()) first = bits;
                EXPECT_TRUE(bits == first) << rule.name << " in " << mpt_dtype_name(dtype) << " with " << threads << " threads";
            }
        }
}

}  // namespace test
