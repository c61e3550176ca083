// Learning-rate schedules: the factors of torch.optim.lr_scheduler (2.x, printed by running it), on the device's step count.
#include <cmath>
#include <limits>
#include <string>

#include "net.h"

using namespace net;

namespace {

constexpr double kBase = 0.5;

struct Schedule {
    const char *name;
    mpt_schedule_kind kind;
    std::int64_t warmup, total, interval;
    double gamma, final_factor;
    std::vector<double> factors;  // of the steps from 0 on; the last one holds
};

const Schedule kSchedules[] = {
    {"constant", MPT_SCHEDULE_CONSTANT, 0, 0, 0, 0.1, 0, {1, 1, 1}},
    // LinearLR(start_factor=1/4, total_iters=3)
    {"warmup", MPT_SCHEDULE_CONSTANT, 4, 0, 0, 0.1, 0, {0.25, 0.5, 0.75, 1, 1}},
    // StepLR(3, gamma=0.4)
    {"step", MPT_SCHEDULE_STEP, 0, 0, 3, 0.4, 0, {1, 1, 1, 0.4, 0.4, 0.4, 0.16, 0.16, 0.16}},
    // SequentialLR([LinearLR(1/4, total_iters=3), StepLR(2, gamma=0.1)], milestones=[4])
    {"warmup_step", MPT_SCHEDULE_STEP, 4, 0, 2, 0.1, 0, {0.25, 0.5, 0.75, 1, 1, 1, 0.1, 0.1, 0.01, 0.01}},
    // CosineAnnealingLR(8, eta_min=0.1 * base)
    {"cosine", MPT_SCHEDULE_COSINE, 0, 8, 0, 0.1, 0.1,
     {1, 0.965745789630079, 0.868198051533946, 0.72220754456429, 0.55, 0.37779245543571, 0.231801948466054, 0.134254210369921, 0.1}},
    // SequentialLR([LinearLR(1/4, total_iters=3), CosineAnnealingLR(6)], milestones=[4])
    {"warmup_cosine", MPT_SCHEDULE_COSINE, 4, 10, 0, 0.1, 0,
     {0.25, 0.5, 0.75, 1, 1, 0.933012701892219, 0.75, 0.5, 0.25, 0.0669872981077806, 0}},
    // LinearLR(1, 0.25, total_iters=6)
    {"linear", MPT_SCHEDULE_LINEAR, 0, 6, 0, 0.1, 0.25, {1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.25}},
    // OneCycleLR(total_steps=10, pct_start=0.4, div_factor=25, final_div_factor=2)
    {"one_cycle", MPT_SCHEDULE_ONE_CYCLE, 4, 10, 0, 0.1, 0.02,
     {0.04, 0.28, 0.76, 1, 0.934352447854375, 0.755, 0.51, 0.265, 0.085647552145625, 0.02}},
    // OneCycleLR(total_steps=8, pct_start=0, div_factor=25, final_div_factor=2)
    {"one_cycle_falls", MPT_SCHEDULE_ONE_CYCLE, 0, 8, 0, 0.1, 0.02,
     {0.962700970930531, 0.856482322781408, 0.697514881858894, 0.51, 0.322485118141106, 0.163517677218592, 0.0572990290694695, 0.02}},
};

struct Descent {
    Context ctx = context();
    Tensor p = tensor(ctx, MPT_F32, {2}), g;
    Optimizer optimizer;
    Scaler scaler;

    explicit Descent(const Schedule &s, double lr_scale = 1) {
        MUST(mpt_tensor_fill(p, 0));
        MUST(mpt_tensor_set_requires_grad(p, 1));
        MUST(mpt_tensor_grad(p, g.out()));
        mpt_sgd_desc d;
        MUST(mpt_sgd_desc_init(&d, sizeof d));
        d.lr = kBase;
        MUST(mpt_optimizer_sgd(ctx, &d, optimizer.out()));
        mpt_group_desc group;
        MUST(mpt_group_desc_init(&group, sizeof group));
        group.lr_scale = lr_scale;
        mpt_tensor *list[] = {p};
        MUST(mpt_optimizer_add_group(optimizer, "p", list, 1, &group));
        mpt_scaler_desc scaling;
        MUST(mpt_scaler_desc_init(&scaling, sizeof scaling));
        scaling.initial_scale = 1;
        scaling.kind = MPT_SCALER_STATIC;
        MUST(mpt_scaler_create(ctx, &scaling, scaler.out()));
        mpt_schedule_desc schedule;
        MUST(mpt_schedule_desc_init(&schedule, sizeof schedule));
        schedule.kind = s.kind;
        schedule.warmup_steps = s.warmup;
        schedule.total_steps = s.total;
        schedule.interval = s.interval;
        schedule.gamma = s.gamma;
        schedule.final_factor = s.final_factor;
        MUST(mpt_optimizer_set_schedule(optimizer, &schedule));
    }
    // How far a step goes with a gradient of -1.
    double step(mpt_program *program = nullptr, bool bad = false) {
        MUST(mpt_no_grad_begin(ctx));
        MUST(mpt_tensor_fill(p, 0));
        MUST(mpt_no_grad_end(ctx));
        MUST(mpt_tensor_fill(g, bad ? std::numeric_limits<double>::infinity() : -1));
        if (program) {
            MUST(mpt_program_run(program));
        } else {
            MUST(mpt_optimizer_step(optimizer, scaler));
            MUST(mpt_scaler_update(scaler));
        }
        return floats(p)[0];
    }
    double lr() {
        double value = 0;
        MUST(mpt_optimizer_lr(optimizer, &value));
        return value;
    }
    Program program() {
        Program made;
        MUST(mpt_capture_begin(ctx));
        MUST(mpt_optimizer_step(optimizer, scaler));
        MUST(mpt_scaler_update(scaler));
        MUST(mpt_capture_end(ctx, nullptr, 0, made.out()));
        return made;
    }
};

}  // namespace

TEST(Schedule, FactorsAreTorchs) {
    for (const Schedule &s : kSchedules) {
        Descent d(s);
        EXPECT_EQ(kBase, d.lr()) << s.name << ": the base rate before a step";
        for (std::size_t t = 0; t < s.factors.size() + 5; ++t) {
            const double factor = t < s.factors.size() ? s.factors[t] : s.kind == MPT_SCHEDULE_STEP ? NAN : s.factors.back();
            if (std::isnan(factor)) break;  // it never ends
            EXPECT_NEAR(kBase * factor, d.step(), 1e-7) << s.name << " at step " << t;
            EXPECT_NEAR(kBase * factor, d.lr(), 1e-7) << s.name << " at step " << t;
        }
    }
}

TEST(Schedule, SkippedStepsDoNotMoveIt) {
    for (const Schedule &s : kSchedules)
        for (const bool captured : {false, true}) {
            Descent d(s);
            Program program;
            if (captured) program = d.program();
            std::size_t t = 0;
            for (const bool bad : {true, false, true, true, false, true, false}) {
                const double before = d.lr(), moved = d.step(program, bad);
                EXPECT_NEAR(bad ? 0 : kBase * s.factors[t], moved, 1e-7) << s.name << " at step " << t << (captured ? ", captured" : "");
                EXPECT_NEAR(bad ? before : kBase * s.factors[t], d.lr(), 1e-7) << s.name << " at step " << t;
                if (!bad) ++t;
            }
        }
}

TEST(Schedule, ScalesTheRateThatTheHostSetsAndTheGroupsRate) {
    Descent d(kSchedules[1], 0.5);
    EXPECT_NEAR(kBase * 0.25 * 0.5, d.step(), 1e-7);
    OK(mpt_optimizer_set_lr(d.optimizer, 2));
    EXPECT_NEAR(kBase * 0.25, d.lr(), 1e-7) << "what the last step used";
    EXPECT_NEAR(2 * 0.5 * 0.5, d.step(), 1e-7);
    EXPECT_NEAR(2 * 0.5, d.lr(), 1e-7) << "the optimizer's rate, before the group's factor";
    OK(mpt_optimizer_set_schedule(d.optimizer, nullptr));
    EXPECT_NEAR(2 * 0.5, d.step(), 1e-7);
    EXPECT_EQ(2, d.lr());
}

TEST(Schedule, AProgramKeepsTheOneItWasRecordedWith) {
    Descent d(kSchedules[1]);
    const Program program = d.program();
    OK(mpt_optimizer_set_schedule(d.optimizer, nullptr));
    EXPECT_NEAR(kBase * 0.25, d.step(program), 1e-7);
    EXPECT_NEAR(kBase, d.step(), 1e-7);
    OK(mpt_optimizer_set_lr(d.optimizer, 1));
    EXPECT_NEAR(0.75, d.step(program), 1e-7) << "the base rate is read from the device";
}

TEST(Schedule, LastsForLongTrainings) {
    Schedule s{"cosine", MPT_SCHEDULE_COSINE, 1000, std::int64_t{1} << 40, 0, 0.1, 0, {}};
    Descent d(s);
    EXPECT_NEAR(kBase / 1000, d.step(), 1e-9);
}

// A group without gradients takes no part in a step: the rate is not its.
TEST(ScheduleRate, IsWhatTheLastStepUsed) {
    Context ctx = context();
    Tensor params[2];
    Optimizer sgd;
    mpt_sgd_desc d;
    MUST(mpt_sgd_desc_init(&d, sizeof d));
    d.lr = kBase;
    MUST(mpt_optimizer_sgd(ctx, &d, sgd.out()));
    for (int i = 0; i < 2; ++i) {
        params[i] = tensor(ctx, MPT_F32, {2});
        MUST(mpt_tensor_fill(params[i], 0));
        MUST(mpt_tensor_set_requires_grad(params[i], 1));
        mpt_tensor *list[] = {params[i]};
        MUST(mpt_optimizer_add_group(sgd, i == 0 ? "first" : "second", list, 1, nullptr));
    }
    mpt_schedule_desc schedule;
    MUST(mpt_schedule_desc_init(&schedule, sizeof schedule));
    schedule.kind = MPT_SCHEDULE_STEP;
    schedule.interval = 1;
    schedule.gamma = 0.5;
    MUST(mpt_optimizer_set_schedule(sgd, &schedule));
    const auto rate_after = [&](int steps) {
        double rate = 0;
        for (int i = 0; i < steps; ++i) MUST(mpt_optimizer_step(sgd, nullptr));
        MUST(mpt_optimizer_lr(sgd, &rate));
        return rate;
    };
    EXPECT_EQ(rate_after(0), kBase);
    Tensor g;
    MUST(mpt_tensor_grad(params[1], g.out()));
    EXPECT_EQ(rate_after(3), kBase / 4);
    MUST(mpt_tensor_grad(params[0], g.out()));
    MUST(mpt_tensor_set_requires_grad(params[1], 0));
    EXPECT_EQ(rate_after(1), kBase) << "the first group's first step";
}
