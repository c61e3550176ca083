// Update rules against torch.optim's, written again in double, over a dozen steps.
#include <cmath>

#include "common/devices.h"
#include "common/random.h"
#include "common/tensors.h"

namespace test {

namespace {

constexpr int kSteps = 14;

struct Rule {
    const char *name;
    enum { Sgd, Adam, AdamW } kind;
    double lr, decay;
    double momentum = 0, dampening = 0;
    bool nesterov = false;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    double clip = 0;
};

const Rule kRules[] = {
    {.name = "Sgd", .kind = Rule::Sgd, .lr = 0.1, .decay = 0},
    {.name = "SgdDecay", .kind = Rule::Sgd, .lr = 0.1, .decay = 0.05},
    {.name = "SgdMomentum", .kind = Rule::Sgd, .lr = 0.05, .decay = 0, .momentum = 0.9},
    {.name = "SgdDampening", .kind = Rule::Sgd, .lr = 0.05, .decay = 0.01, .momentum = 0.8, .dampening = 0.3},
    {.name = "SgdNesterov", .kind = Rule::Sgd, .lr = 0.05, .decay = 0.02, .momentum = 0.9, .nesterov = true},
    {.name = "SgdClip", .kind = Rule::Sgd, .lr = 0.1, .decay = 0.05, .momentum = 0.5, .clip = 0.7},
    {.name = "Adam", .kind = Rule::Adam, .lr = 0.01, .decay = 0},
    {.name = "AdamDecay", .kind = Rule::Adam, .lr = 0.02, .decay = 0.1, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3},
    {.name = "AdamClip", .kind = Rule::Adam, .lr = 0.01, .decay = 0, .eps = 0.1, .clip = 0.5},
    {.name = "AdamW", .kind = Rule::AdamW, .lr = 0.02, .decay = 0.1},
    {.name = "AdamWClip", .kind = Rule::AdamW, .lr = 0.02, .decay = 0.1, .beta1 = 0.7, .beta2 = 0.9, .clip = 0.3},
};

Optimizer create(mpt_context *ctx, const Rule &r) {
    Optimizer optimizer;
    if (r.kind == Rule::Sgd) {
        mpt_sgd_desc d;
        MUST(mpt_sgd_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.momentum = r.momentum, d.dampening = r.dampening, d.nesterov = r.nesterov;
        MUST(mpt_optimizer_sgd(ctx, &d, optimizer.out()));
    } else {
        mpt_adam_desc d;
        MUST(mpt_adam_desc_init(&d, sizeof d));
        d.lr = r.lr, d.weight_decay = r.decay, d.beta1 = r.beta1, d.beta2 = r.beta2, d.eps = r.eps;
        MUST((r.kind == Rule::Adam ? mpt_optimizer_adam : mpt_optimizer_adamw)(ctx, &d, optimizer.out()));
    }
    if (r.clip > 0) MUST(mpt_optimizer_set_clip_norm(optimizer, r.clip));
    return optimizer;
}

// One parameter of the reference with its state.
struct Reference {
    std::vector<double> p, first, second;
    explicit Reference(std::vector<double> start) : p(std::move(start)), first(p.size()), second(p.size()) {}

    void step(const Rule &r, double lr, double decay, int t, const std::vector<double> &grad, double factor) {
        for (std::size_t i = 0; i < p.size(); ++i) {
            double g = grad[i] * factor;
            if (r.kind == Rule::AdamW)
                p[i] *= 1 - lr * decay;
            else
                g += decay * p[i];
            if (r.kind == Rule::Sgd) {
                if (r.momentum != 0) {
                    first[i] = t == 1 ? g : r.momentum * first[i] + (1 - r.dampening) * g;
                    g = r.nesterov ? g + r.momentum * first[i] : first[i];
                }
                p[i] -= lr * g;
                continue;
            }
            first[i] = r.beta1 * first[i] + (1 - r.beta1) * g;
            second[i] = r.beta2 * second[i] + (1 - r.beta2) * g * g;
            p[i] -=
                lr / (1 - std::pow(r.beta1, t)) * first[i] / (std::sqrt(second[i]) / std::sqrt(1 - std::pow(r.beta2, t)) + r.eps);
        }
    }
};

std::vector<double> draw(Random &random, std::int64_t n, mpt_dtype dtype, double size) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < n; ++i) values.push_back(rounded(dtype, random.uniform(-size, size)));
    return values;
}

double norm_of(const std::vector<std::vector<double>> &grads) {
    double squares = 0;
    for (const auto &grad : grads)
        for (double g : grad) squares += g * g;
    return std::sqrt(squares);
}

Tensor parameter(mpt_context *ctx, mpt_dtype dtype, const Values &values) {
    Tensor p = make(ctx, dtype, values);
    MUST(mpt_tensor_set_requires_grad(p, 1));
    return p;
}

void add_group(mpt_optimizer *optimizer, const char *name, const std::vector<Tensor> &parameters, double lr_scale = 1,
               double decay_scale = 1) {
    std::vector<mpt_tensor *> list(parameters.begin(), parameters.end());
    mpt_group_desc d;
    MUST(mpt_group_desc_init(&d, sizeof d));
    d.lr_scale = lr_scale, d.weight_decay_scale = decay_scale;
    MUST(mpt_optimizer_add_group(optimizer, name, list.data(), static_cast<std::int32_t>(list.size()), &d));
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
        add_group(optimizer, "b", groups[1], 0.5, 0);
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
            const double norm = norm_of(grads), factor = rule.clip > 0 ? std::min(1.0, rule.clip / (norm + 1e-6)) : 1;
            for (std::size_t i = 0; i < 4; ++i) {
                references[i].step(rule, lr * (i < 2 ? 1 : 0.5), i < 2 ? rule.decay : 0, t, grads[i], factor);
                ASSERT_NO_FATAL_FAILURE(
                    expect_close(groups[i / 2][i % 2], references[i], t,
                                 std::string(rule.name) + " step " + std::to_string(t) + " parameter " + std::to_string(i)));
                EXPECT_EQ(read(gradient(groups[i / 2][i % 2])), grads[i]) << "the step changed a gradient";
            }
            if (rule.clip > 0) {
                double seen;
                MUST(mpt_optimizer_grad_norm(optimizer, &seen));
                EXPECT_NEAR(seen, norm, 1e-6 * norm);
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
