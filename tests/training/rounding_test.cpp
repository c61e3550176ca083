// f16 and bf16 parameters without masters: what each rounding stores, what it forgets, and its random numbers.
#include <cmath>
#include <limits>
#include <string>

#include "common/devices.h"
#include "common/safetensors.h"
#include "net.h"
#include "ops/update_rules.h"
#include "training/toy.h"

using namespace test;

namespace {

const Rule kDescent{.name = "", .kind = Rule::Sgd, .lr = 0x1p-12, .decay = 0};

// n elements of one bf16 value with a gradient of 1.
struct Row {
    Context ctx;
    std::vector<Tensor> p;
    Optimizer optimizer;

    Row(mpt_rounding rounding, std::int64_t n, double value, const Rule &rule = kDescent, mpt_dtype dtype = MPT_BF16, int threads = 2)
        : ctx(must_open(Device::Cpu, threads)) {
        p.push_back(parameter(ctx, dtype, {{n}, std::vector<double>(static_cast<std::size_t>(n), value)}));
        optimizer = create(ctx, rule);
        add_group(optimizer, "p", p, group_desc(rounding));
        write(gradient(p[0]), std::vector<double>(static_cast<std::size_t>(n), 1));
    }
    void step(mpt_scaler *scaler = nullptr) { MUST(mpt_optimizer_step(optimizer, scaler)); }
    std::int64_t counter() {
        State s;
        MUST(mpt_state_create(ctx, s.out()));
        MUST(mpt_state_add_random(s, "random"));
        return static_cast<std::int64_t>(entry(net::contents(s), "random.state", MPT_I64)[1]);
    }
};

}  // namespace

// 64 steps of 2^-12 down from 1, whose neighbour in bf16 is 2^-8 away.
TEST(Rounding, NearestStallsAndTheOthersDoNot) {
    Row nearest(MPT_ROUNDING_NEAREST, 4, 1), kahan(MPT_ROUNDING_KAHAN, 4, 1), stochastic(MPT_ROUNDING_STOCHASTIC, 30000, 1);
    for (int i = 0; i < 64; ++i) {
        nearest.step();
        kahan.step();
        stochastic.step();
    }
    EXPECT_EQ(std::vector<double>(4, 1), read(nearest.p[0]));
    EXPECT_EQ(std::vector<double>(4, 1 - 0x1p-6), read(kahan.p[0]));
    double mean = 0;
    for (double v : read(stochastic.p[0])) mean += v / 30000;
    // 64 draws of a step of 2^-8 with probability 2^-4 each.
    const double deviation = 0x1p-8 * std::sqrt(64 * 0x1p-4 * (1 - 0x1p-4) / 30000);
    EXPECT_NEAR(1 - 0x1p-6, mean, 5 * deviation);
}

// Up or down by the probability of the distance; what bf16 holds exactly stays.
TEST(Rounding, StochasticIsFairAtEveryDistance) {
    constexpr int kN = 50000;
    for (const double fraction : {0.0, 0x1p-16, 0.01, 0.25, 0.5, 0.875, 1 - 0x1p-16})
        for (const double base : {1.25, -1.5, 1.25 * 0x1p-120, 0x1.8p127}) {  // below them is their unit
            const double unit = std::ldexp(1.0, std::ilogb(base) - 7);
            Rule rule = kDescent;
            rule.lr = fraction * unit;
            Row row(MPT_ROUNDING_STOCHASTIC, kN, base, rule);
            row.step();
            // What f32 makes of base - lr, as a distance from base towards its lower neighbour.
            const double value = static_cast<float>(static_cast<float>(base) - static_cast<float>(rule.lr)), distance = (base - value) / unit;
            int moved = 0;
            for (double v : read(row.p[0])) {
                ASSERT_TRUE(v == base || v == base - unit) << v << " from " << base << " by " << fraction;
                moved += v != base;
            }
            const double deviation = std::sqrt(kN * distance * (1 - distance));
            EXPECT_NEAR(kN * distance, moved, 5 * deviation) << base << " by " << fraction;
        }
}

TEST(Rounding, NonFiniteValuesStayWhatTheyAre) {
    const double inf = std::numeric_limits<double>::infinity();
    for (const mpt_rounding rounding : {MPT_ROUNDING_NEAREST, MPT_ROUNDING_STOCHASTIC, MPT_ROUNDING_KAHAN}) {
        Row row(rounding, 4, 0);
        MUST(mpt_no_grad_begin(row.ctx));
        write(row.p[0], {inf, -inf, NAN, 2});
        MUST(mpt_no_grad_end(row.ctx));
        for (int i = 0; i < 3; ++i) row.step();
        const std::vector<double> got = read(row.p[0]);
        EXPECT_EQ(inf, got[0]);
        EXPECT_EQ(-inf, got[1]);
        EXPECT_TRUE(std::isnan(got[2]));
        EXPECT_NEAR(2, got[3], 0x1p-6);
    }
}

// Every rule, step by step from where rounding left the parameter.
TEST(Rounding, EveryRuleIsAppliedToTheParameterItself) {
    for (const Rule &rule : kRules)
        for (const mpt_rounding rounding : {MPT_ROUNDING_NEAREST, MPT_ROUNDING_STOCHASTIC})
            for (const mpt_dtype dtype : {MPT_BF16, MPT_F16}) {
                if (dtype == MPT_F16 && rounding == MPT_ROUNDING_STOCHASTIC) continue;
                if (rule.clip > 0 || rule.clip_value > 0) continue;  // the gradient's part is the same as with masters
                const Context ctx = must_open(Device::Cpu);
                Random random(5);
                std::vector<Tensor> p;
                p.push_back(parameter(ctx, dtype, {{3, 401}, draw(random, 1203, dtype, 1)}));
                const Optimizer optimizer = create(ctx, rule);
                add_group(optimizer, "p", p, group_desc(rounding));
                Reference reference(read(p[0]));
                for (int t = 1; t <= 8; ++t) {
                    const std::vector<double> g = draw(random, 1203, dtype, 1);
                    write(gradient(p[0]), g);
                    MUST(mpt_optimizer_step(optimizer, nullptr));
                    reference.step(rule, static_cast<float>(rule.lr), rule.decay, t, g, 1);
                    const std::vector<double> got = read(p[0]);
                    const double most = (rounding == MPT_ROUNDING_NEAREST ? 1 : 2) * roundoff(dtype);
                    for (std::size_t i = 0; i < got.size(); ++i)
                        ASSERT_NEAR(reference.p[i], got[i], most * std::fabs(reference.p[i]) + 2 * smallest(dtype) + t * 0x1p-20)
                            << rule.name << " step " << t << " element " << i;
                    reference.p = got;
                }
            }
}

// Kahan's parameter and compensation together follow an exact one.
TEST(Rounding, KahanFollowsEveryRule) {
    for (const Rule &rule : kRules)
        for (const mpt_dtype dtype : {MPT_BF16, MPT_F16}) {
            if (rule.clip > 0 || rule.clip_value > 0) continue;
            const Context ctx = must_open(Device::Cpu);
            Random random(6);
            std::vector<Tensor> p;
            p.push_back(parameter(ctx, dtype, {{700}, draw(random, 700, dtype, 1)}));
            const Optimizer optimizer = create(ctx, rule);
            add_group(optimizer, "p", p, group_desc(MPT_ROUNDING_KAHAN));
            Reference reference(read(p[0]));
            for (int t = 1; t <= 30; ++t) {
                const std::vector<double> g = draw(random, 700, dtype, 1);
                write(gradient(p[0]), g);
                MUST(mpt_optimizer_step(optimizer, nullptr));
                reference.step(rule, static_cast<float>(rule.lr), rule.decay, t, g, 1);
            }
            const std::vector<double> got = read(p[0]);
            const double own = roundoff(dtype);
            for (std::size_t i = 0; i < got.size(); ++i) {
                const double size = std::max(1.0, std::fabs(reference.p[i]));
                ASSERT_NEAR(reference.p[i], got[i], own * size + 30 * own * own * size + 1e-4) << rule.name << " in " << mpt_dtype_name(dtype) << " element " << i;
            }
        }
}

TEST(Rounding, TheRandomCounterMovesByAFixedAmountSkippedOrNot) {
    Row row(MPT_ROUNDING_STOCHASTIC, 1003, 1);
    Scaler scaler;
    MUST(mpt_scaler_create(row.ctx, nullptr, scaler.out()));
    const std::int64_t blocks = (1003 + 7) / 8;
    const std::int64_t start = row.counter();
    row.step();
    EXPECT_EQ(start + blocks, row.counter());
    write(gradient(row.p[0]), std::vector<double>(1003, INFINITY));
    const std::vector<double> before = read(row.p[0]);
    row.step(scaler);
    EXPECT_EQ(before, read(row.p[0])) << "skipped";
    EXPECT_EQ(start + 2 * blocks, row.counter());
    Row other(MPT_ROUNDING_NEAREST, 1003, 1);
    const std::int64_t untouched = other.counter();
    other.step();
    EXPECT_EQ(untouched, other.counter());
}

TEST(Rounding, SameBitsForAnyThreadCount) {
    for (const mpt_rounding rounding : {MPT_ROUNDING_NEAREST, MPT_ROUNDING_STOCHASTIC, MPT_ROUNDING_KAHAN})
        for (const Rule &rule : kRules) {
            std::vector<std::uint8_t> first;
            for (const int threads : {1, 2, 3}) {
                const Context ctx = must_open(Device::Cpu, threads);
                Random random(9);
                std::vector<Tensor> p;
                for (std::int64_t n : {40001, 5}) p.push_back(parameter(ctx, MPT_BF16, {{n}, draw(random, n, MPT_BF16, 1)}));
                const Optimizer optimizer = create(ctx, rule);
                add_group(optimizer, "p", p, group_desc(rounding));
                for (const Tensor &one : p) write(gradient(one), draw(random, count(shape_of(one)), MPT_BF16, 0.1));
                for (int t = 0; t < 2; ++t) MUST(mpt_optimizer_step(optimizer, nullptr));
                std::vector<std::uint8_t> bits = read_bytes(p[0]);
                if (first.empty()) first = bits;
                EXPECT_TRUE(bits == first) << rule.name << ", rounding " << rounding << ", " << threads << " threads";
            }
        }
}

// What rounding lost of a parameter is not added to another one that the host puts in its place.
TEST(Rounding, CompensationsAreOfTheirOwnParameter) {
    for (const mpt_dtype dtype : {MPT_BF16, MPT_F16}) {
        Rule rule = kDescent;
        rule.lr = roundoff(dtype) / 4;
        Row row(MPT_ROUNDING_KAHAN, 3, 1, rule, dtype);
        row.step();
        ASSERT_EQ(std::vector<double>(3, 1), read(row.p[0])) << "the step is lost but for the compensation";
        MUST(mpt_no_grad_begin(row.ctx));
        write(row.p[0], {0x1p-12, 1, 0});
        MUST(mpt_no_grad_end(row.ctx));
        write(gradient(row.p[0]), {0, 1, 0});
        row.step();
        EXPECT_EQ((std::vector<double>{0x1p-12, 1, 0}), read(row.p[0]));
        write(gradient(row.p[0]), {0, 3, 0});
        row.step();
        EXPECT_EQ((std::vector<double>{0x1p-12, 1 - roundoff(dtype), 0}), read(row.p[0])) << "the same value keeps its own";
    }
}

// Another seed gives other bits: the numbers are the context's.
TEST(Rounding, StochasticTakesTheContextsNumbers) {
    std::vector<std::uint8_t> bits[3];
    const std::uint64_t seeds[] = {1, 2, 1};
    Rule rule = kDescent;
    rule.lr = 0x1p-9;
    for (int i = 0; i < 3; ++i) {
        Row row(MPT_ROUNDING_STOCHASTIC, 1000, 1, rule);
        MUST(mpt_context_seed(row.ctx, seeds[i]));
        row.step();
        bits[i] = read_bytes(row.p[0]);
    }
    EXPECT_NE(bits[0], bits[1]);
    EXPECT_EQ(bits[0], bits[2]);
}

// Autocast's copy of another type shows the rounded parameter, not what the rule made before rounding; of its own type there is none.
TEST(Rounding, CopiesAreOfTheStoredParameter) {
    for (const mpt_rounding rounding : {MPT_ROUNDING_NEAREST, MPT_ROUNDING_STOCHASTIC, MPT_ROUNDING_KAHAN})
        for (const mpt_dtype precision : {MPT_BF16, MPT_F16}) {
            const Context ctx = must_open(Device::Cpu);
            Random random(3);
            std::vector<Tensor> p;
            p.push_back(parameter(ctx, MPT_BF16, {{16, 16}, draw(random, 256, MPT_BF16, 1)}));
            const Tensor x = make(ctx, MPT_F32, {{4, 16}, draw(random, 64, MPT_BF16, 1)});
            const Optimizer optimizer = create(ctx, {.name = "", .kind = Rule::Adam, .lr = 0.01, .decay = 0});
            add_group(optimizer, "p", p, group_desc(rounding));
            Policy policy;
            MUST(mpt_policy_create(ctx, precision, policy.out()));
            for (int t = 0; t < 4; ++t) {
                const auto product = [&](mpt_tensor *weight) {
                    Tensor y;
                    MUST(mpt_autocast_begin(ctx, policy));
                    MUST(mpt_matmul(x, weight, y.out()));
                    MUST(mpt_autocast_end(ctx));
                    return y;
                };
                const Tensor y = product(p[0]), plain = make(ctx, MPT_BF16, {{16, 16}, read(p[0])});
                ASSERT_EQ(read_bytes(product(plain)), read_bytes(y)) << "step " << t;
                Tensor square, loss;
                MUST(mpt_mul(y, y, square.out()));
                MUST(mpt_sum(square, 0, nullptr, 0, loss.out()));
                MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
                MUST(mpt_optimizer_step(optimizer, nullptr));
            }
        }
}

// One optimizer without a master must not let another's go stale.
TEST(Rounding, MastersOfAnotherOptimizerAreRefreshed) {
    const Context ctx = must_open(Device::Cpu);
    std::vector<Tensor> p;
    p.push_back(parameter(ctx, MPT_BF16, {{2}, {1, 1}}));
    const Rule rule{.name = "", .kind = Rule::Sgd, .lr = 0.25, .decay = 0};
    const Optimizer with = create(ctx, rule), without = create(ctx, rule);
    add_group(with, "p", p);
    add_group(without, "p", p, group_desc(MPT_ROUNDING_NEAREST));
    write(gradient(p[0]), {1, -1});
    for (const Optimizer *optimizer : {&with, &without, &with}) MUST(mpt_optimizer_step(*optimizer, nullptr));
    EXPECT_EQ((std::vector<double>{0.25, 1.75}), read(p[0]));
}
