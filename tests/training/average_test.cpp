// Moving averages of parameters: the formula, when they move, the exchange for an evaluation, checkpoints.
#include <cmath>
#include <limits>
#include <string>

#include "common/random.h"
#include "common/safetensors.h"
#include "net.h"
#include "ops/update_rules.h"
#include "training/toy.h"

using namespace net;

namespace {

constexpr double kDecay = 0.75;

struct Setting {
    const char *name;
    mpt_dtype dtype;
    mpt_rounding rounding;
};
const Setting kSettings[] = {
    {"f32", MPT_F32, MPT_ROUNDING_MASTER},       {"f64", MPT_F64, MPT_ROUNDING_MASTER},   {"bf16_master", MPT_BF16, MPT_ROUNDING_MASTER},
    {"f16_master", MPT_F16, MPT_ROUNDING_MASTER}, {"bf16_nearest", MPT_BF16, MPT_ROUNDING_NEAREST}, {"f16_kahan", MPT_F16, MPT_ROUNDING_KAHAN},
    {"bf16_stochastic", MPT_BF16, MPT_ROUNDING_STOCHASTIC},
};

struct Averaged {
    Context ctx = context();
    std::vector<Tensor> p;
    Optimizer optimizer;
    Scaler scaler;
    test::Average average;
    test::Random random{4};

    explicit Averaged(const Setting &s) {
        for (const std::int64_t n : {7, 3000}) p.push_back(test::parameter(ctx, s.dtype, {{n}, test::draw(random, n, s.dtype, 1)}));
        optimizer = test::create(ctx, {.name = "", .kind = test::Rule::AdamW, .lr = 0.05, .decay = 0.1});
        test::add_group(optimizer, "p", p, test::group_desc(s.rounding));
        mpt_scaler_desc d;
        MUST(mpt_scaler_desc_init(&d, sizeof d));
        d.initial_scale = 1;
        d.kind = MPT_SCALER_STATIC;
        MUST(mpt_scaler_create(ctx, &d, scaler.out()));
        MUST(mpt_average_create(optimizer, kDecay, average.out()));
    }
    void gradients(bool bad) {
        for (const Tensor &one : p) {
            std::vector<double> g = test::draw(random, test::count(test::shape_of(one)), MPT_BF16, 1);
            if (bad) g[0] = INFINITY;
            test::write(test::gradient(one), g);
        }
    }
    void step(bool bad = false) {
        gradients(bad);
        MUST(mpt_optimizer_step(optimizer, scaler));
        MUST(mpt_scaler_update(scaler));
    }
    State state() {
        State s;
        MUST(mpt_state_create(ctx, s.out()));
        for (std::size_t i = 0; i < p.size(); ++i) MUST(mpt_state_add_tensor(s, (std::to_string(i) + ".p").c_str(), p[i]));
        MUST(mpt_state_add_optimizer(s, "optimizer", optimizer));
        MUST(mpt_state_add_average(s, "average", average));
        MUST(mpt_state_add_random(s, "random"));
        return s;
    }
    std::string snapshot() { return contents(state()); }
    // The parameters as the average's type sees them: masters where there are any.
    std::vector<std::vector<double>> values(const Setting &s) {
        std::vector<std::vector<double>> list;
        const std::string file = snapshot();
        for (std::size_t i = 0; i < p.size(); ++i) {
            const bool master = s.rounding == MPT_ROUNDING_MASTER && (s.dtype == MPT_F16 || s.dtype == MPT_BF16);
            list.push_back(master ? test::entry(file, "optimizer.p." + std::to_string(i) + ".master", MPT_F32) : test::read(p[i]));
        }
        return list;
    }
    std::vector<std::vector<double>> averages(const Setting &s) {
        std::vector<std::vector<double>> list;
        const std::string file = snapshot();
        for (std::size_t i = 0; i < p.size(); ++i) list.push_back(test::entry(file, "average.p." + std::to_string(i), test::wide(s.dtype)));
        return list;
    }
};

}  // namespace

TEST(Average, FollowsTheFormula) {
    for (const Setting &s : kSettings) {
        if (!computes(s.dtype)) continue;
        Averaged a(s);
        std::vector<std::vector<double>> expected = a.values(s);
        EXPECT_EQ(expected, a.averages(s)) << s.name << ": it starts as the parameters";
        for (int t = 0; t < 6; ++t) {
            a.step();
            OK(mpt_average_update(a.average));
            const auto values = a.values(s), got = a.averages(s);
            for (std::size_t i = 0; i < expected.size(); ++i)
                for (std::size_t j = 0; j < expected[i].size(); ++j) {
                    expected[i][j] = kDecay * expected[i][j] + (1 - kDecay) * values[i][j];
                    ASSERT_NEAR(expected[i][j], got[i][j], (t + 1) * 0x1p-23) << s.name << " step " << t << " element " << j;
                }
        }
    }
}

TEST(Average, MovesOnlyWhereTheOptimizerHasStepped) {
    for (const Setting &s : kSettings) {
        if (!computes(s.dtype)) continue;
        Averaged a(s);
        const auto start = a.averages(s);
        OK(mpt_average_update(a.average));
        EXPECT_EQ(start, a.averages(s)) << s.name << ": no step yet";
        a.step();
        OK(mpt_average_update(a.average));
        const auto once = a.averages(s);
        EXPECT_NE(start, once);
        OK(mpt_average_update(a.average));
        EXPECT_EQ(once, a.averages(s)) << s.name << ": a second update of one step";
        a.step(true);
        OK(mpt_average_update(a.average));
        EXPECT_EQ(once, a.averages(s)) << s.name << ": a skipped step";
    }
}

TEST(Average, TwoSwapsLeaveEveryBit) {
    for (const Setting &s : kSettings) {
        if (!computes(s.dtype)) continue;
        Averaged a(s);
        for (int t = 0; t < 3; ++t) {
            a.step();
            OK(mpt_average_update(a.average));
        }
        const std::string before = a.snapshot();
        const auto averages = a.averages(s), values = a.values(s);
        for (int round = 0; round < 2; ++round) {
            OK(mpt_average_swap(a.average));
            EXPECT_EQ(values, a.averages(s)) << s.name;
            for (std::size_t i = 0; i < a.p.size(); ++i) {
                const auto got = test::read(a.p[i]);
                for (std::size_t j = 0; j < got.size(); ++j) ASSERT_EQ(test::rounded(s.dtype, averages[i][j]), got[j]) << s.name;
            }
            OK(mpt_average_swap(a.average));
            EXPECT_TRUE(before == a.snapshot()) << s.name;
        }
    }
}

TEST(Average, TrainingGoesOnBehindAnEvaluationAsIfThereWasNone) {
    for (const Setting &s : kSettings) {
        if (!computes(s.dtype)) continue;
        Averaged plain(s), evaluated(s);
        for (int t = 0; t < 5; ++t)
            for (Averaged *a : {&plain, &evaluated}) {
                a->step();
                OK(mpt_average_update(a->average));
                if (a == &plain) continue;
                OK(mpt_average_swap(a->average));
                OK(mpt_average_swap(a->average));
            }
        EXPECT_TRUE(plain.snapshot() == evaluated.snapshot()) << s.name;
    }
}

TEST(Average, CapturedEqualsEager) {
    for (const Setting &s : kSettings) {
        if (!computes(s.dtype)) continue;
        Averaged eager(s), captured(s);
        captured.gradients(false);
        eager.gradients(false);
        Program program;
        OK(mpt_capture_begin(captured.ctx));
        OK(mpt_optimizer_step(captured.optimizer, captured.scaler));
        OK(mpt_scaler_update(captured.scaler));
        OK(mpt_average_update(captured.average));
        OK(mpt_capture_end(captured.ctx, nullptr, 0, program.out()));
        for (int t = 0; t < 5; ++t) {
            eager.step(t == 2);
            OK(mpt_average_update(eager.average));
            captured.gradients(t == 2);
            OK(mpt_program_run(program));
            ASSERT_TRUE(eager.snapshot() == captured.snapshot()) << s.name << " step " << t;
            if (t == 3)
                for (Averaged *a : {&eager, &captured}) {
                    OK(mpt_average_swap(a->average));
                    OK(mpt_average_swap(a->average));
                }
        }
    }
}

TEST(Average, ResumedEqualsUninterrupted) {
    for (const Setting &s : kSettings) {
        if (!computes(s.dtype)) continue;
        Averaged whole(s), first(s), second(s);
        for (int t = 0; t < 6; ++t) {
            for (Averaged *a : {&whole, t < 3 ? &first : &second}) {
                a->step();
                OK(mpt_average_update(a->average));
            }
            if (t != 2) continue;
            OK(mpt_average_swap(second.average));  // what it had swapped is replaced
            load(second.state(), first.snapshot());
            second.random = first.random;
            OK(mpt_average_update(second.average));
            ASSERT_TRUE(first.snapshot() == second.snapshot()) << s.name << ": no step since the last update";
        }
        EXPECT_TRUE(whole.snapshot() == second.snapshot()) << s.name;
    }
}

// The low-precision copies that autocast keeps follow the exchange, in programs that were recorded before it, too.
TEST(Average, SwappedParametersAreWhatTheNetworkUses) {
    for (const mpt_dtype parameters : {MPT_F32, MPT_BF16}) {
        Trainer t({Kind::Regression, MPT_F16, true, 0, parameters});
        test::Average average;
        OK(mpt_average_create(t.optimizer, 0.9, average.out()));
        for (int i = 0; i < 3; ++i) {
            t.step(i);
            OK(mpt_average_update(average));
        }
        Tensor out;
        Program program;
        mpt_tensor *in = t.x;
        const auto forward = [&] {
            MUST(mpt_autocast_begin(t.ctx, t.policy));
            MUST(mpt_layer_forward(t.net, &in, 1, out.out(), 1));
            MUST(mpt_autocast_end(t.ctx));
        };
        OK(mpt_capture_begin(t.ctx));
        forward();
        mpt_tensor *outputs[] = {out};
        OK(mpt_capture_end(t.ctx, outputs, 1, program.out()));
        const Tensor recorded = std::move(out);
        OK(mpt_average_swap(average));
        OK(mpt_program_run(program));
        forward();
        const auto swapped = bytes(out);
        EXPECT_EQ(swapped, bytes(recorded));
        // The same values written by the host.
        Trainer other({Kind::Regression, MPT_F16, true, 0, parameters, 77});
        std::int32_t count = 0;
        OK(mpt_layer_parameter_count(t.net, &count));
        OK(mpt_no_grad_begin(other.ctx));
        for (std::int32_t i = 0; i < count; ++i) {
            Tensor from, to;
            OK(mpt_layer_parameter(t.net, i, from.out()));
            OK(mpt_layer_parameter(other.net, i, to.out()));
            const auto raw = bytes(from);
            OK(mpt_tensor_write(to, raw.data(), raw.size()));
        }
        OK(mpt_no_grad_end(other.ctx));
        const auto raw = bytes(t.x);
        OK(mpt_tensor_write(other.x, raw.data(), raw.size()));
        Tensor expected;
        in = other.x;
        OK(mpt_autocast_begin(other.ctx, other.policy));
        OK(mpt_layer_forward(other.net, &in, 1, expected.out(), 1));
        OK(mpt_autocast_end(other.ctx));
        EXPECT_EQ(bytes(expected), swapped);
    }
}

TEST(Average, AGraphOverSwappedParametersIsStale) {
    Averaged a(kSettings[0]);
    Tensor square, loss;
    OK(mpt_mul(a.p[0], a.p[0], square.out()));
    OK(mpt_sum(square, 0, nullptr, 0, loss.out()));
    OK(mpt_average_swap(a.average));
    EXPECT_EQ(MPT_ERROR_STALE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
}

TEST(Average, AGroupThatCameLaterIsRefused) {
    Averaged a(kSettings[0]);
    std::vector<Tensor> more;
    more.push_back(test::parameter(a.ctx, MPT_F32, {{2}, {1, 2}}));
    test::add_group(a.optimizer, "more", more);
    EXPECT_EQ(MPT_ERROR_STATE, mpt_average_update(a.average));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_average_swap(a.average));
    OK(mpt_average_create(a.optimizer, 0.5, a.average.out()));
    OK(mpt_average_update(a.average));
}
