// How each policy moves the scale: golden trajectories, bounds, and its state in a checkpoint. Random sequences: tests/kernels.
#include <cmath>
#include <limits>
#include <string>

#include "net.h"
#include "training/toy.h"

using namespace net;

namespace {

constexpr const char *kFound = "000001011000000000100000";

mpt_scaler_desc golden(mpt_scaler_kind kind) {
    mpt_scaler_desc d;
    MUST(mpt_scaler_desc_init(&d, sizeof d));
    d.kind = kind;
    d.initial_scale = 64 * 1024;
    d.growth_interval = 4;
    return d;
}

double iterate(Toy &toy, bool bad) {
    toy.gradient(bad ? std::numeric_limits<double>::infinity() : 1);
    MUST(mpt_optimizer_step(toy.optimizer, toy.scaler));
    MUST(mpt_scaler_update(toy.scaler));
    return toy.scale();
}

struct Golden {
    const char *name;
    mpt_scaler_kind kind;
    std::vector<double> expected;  // in Ki
};
const Golden kGolden[] = {
    {"torch", MPT_SCALER_TORCH, {64, 64, 64, 128, 128, 64, 64, 32, 16, 16, 16, 16, 32, 32, 32, 32, 64, 64, 32, 32, 32, 32, 64, 64}},
    {"hysteresis", MPT_SCALER_HYSTERESIS,
     {64, 64, 64, 128, 128, 128, 128, 128, 64, 64, 64, 64, 128, 128, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512}},
    {"megatron", MPT_SCALER_MEGATRON,
     {64, 64, 64, 128, 128, 128, 128, 64, 32, 32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256}},
    {"static", MPT_SCALER_STATIC, std::vector<double>(24, 64)},
};

std::string saved(mpt_scaler *scaler, mpt_context *ctx) {
    State state;
    MUST(mpt_state_create(ctx, state.out()));
    MUST(mpt_state_add_scaler(state, "scaler", scaler));
    return contents(state);
}

}  // namespace

TEST(ScalerPolicy, TrajectoriesAreTheGoldenOnes) {
    for (const Golden &g : kGolden) {
        const mpt_scaler_desc d = golden(g.kind);
        Toy toy(&d);
        for (std::size_t i = 0; kFound[i]; ++i) EXPECT_EQ(g.expected[i] * 1024, iterate(toy, kFound[i] == '1')) << g.name << " after step " << i;
        std::int64_t good = 0, bad = 0, stepped = 0, skipped = 0;
        OK(mpt_scaler_counts(toy.scaler, &good, &bad, nullptr));
        OK(mpt_optimizer_counts(toy.optimizer, &stepped, &skipped));
        EXPECT_EQ(20, good) << g.name;
        EXPECT_EQ(4, bad) << g.name;
        EXPECT_EQ(20, stepped) << g.name;
        EXPECT_EQ(4, skipped) << g.name;
    }
}

// In a program, too: the decision is the device's.
TEST(ScalerPolicy, ProgramsFollowTheTrajectories) {
    for (const Golden &g : kGolden) {
        const mpt_scaler_desc d = golden(g.kind);
        Toy toy(&d);
        toy.gradient(1);
        Program program;
        OK(mpt_capture_begin(toy.ctx));
        OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
        OK(mpt_scaler_update(toy.scaler));
        OK(mpt_capture_end(toy.ctx, nullptr, 0, program.out()));
        for (std::size_t i = 0; kFound[i]; ++i) {
            toy.gradient(kFound[i] == '1' ? NAN : 1);
            OK(mpt_program_run(program));
            EXPECT_EQ(g.expected[i] * 1024, toy.scale()) << g.name << " after step " << i;
        }
    }
}

TEST(ScalerPolicy, ResumesInTheMiddle) {
    for (const Golden &g : kGolden)
        for (std::size_t half = 0; kFound[half]; ++half) {
            const mpt_scaler_desc d = golden(g.kind);
            Toy first(&d), second(&d);
            for (std::size_t i = 0; i < half; ++i) iterate(first, kFound[i] == '1');
            const std::string file = saved(first.scaler, first.ctx);
            State state;
            OK(mpt_state_create(second.ctx, state.out()));
            OK(mpt_state_add_scaler(state, "scaler", second.scaler));
            load(state, file);
            for (std::size_t i = half; kFound[i]; ++i)
                ASSERT_EQ(g.expected[i] * 1024, iterate(second, kFound[i] == '1')) << g.name << ", resumed at " << half << ", step " << i;
        }
}

TEST(ScalerPolicy, StaysWithinMinimumAndMaximum) {
    for (const mpt_scaler_kind kind : {MPT_SCALER_TORCH, MPT_SCALER_HYSTERESIS, MPT_SCALER_MEGATRON}) {
        mpt_scaler_desc d = golden(kind);
        d.growth_interval = 1;
        d.hysteresis = 1;  // nothing is forgiven: all three are alike
        d.min_scale = 32 * 1024;
        d.max_scale = 128 * 1024;
        Toy toy(&d);
        EXPECT_EQ(128 * 1024, iterate(toy, false));
        EXPECT_EQ(128 * 1024, iterate(toy, false));
        EXPECT_EQ(64 * 1024, iterate(toy, true));
        EXPECT_EQ(32 * 1024, iterate(toy, true));
        EXPECT_EQ(32 * 1024, iterate(toy, true));
        std::int64_t at_minimum = 0;
        OK(mpt_scaler_counts(toy.scaler, nullptr, nullptr, &at_minimum));
        EXPECT_EQ(1, at_minimum);
    }
}

// The two tolerances differ: failures in a row, and failures since the last growth.
TEST(ScalerPolicy, HysteresisForgivesAgainAfterAGoodIteration) {
    for (const mpt_scaler_kind kind : {MPT_SCALER_HYSTERESIS, MPT_SCALER_MEGATRON}) {
        mpt_scaler_desc d = golden(kind);
        d.hysteresis = 3;
        Toy toy(&d);
        for (const bool bad : {true, true, false, true, true}) iterate(toy, bad);
        EXPECT_EQ(kind == MPT_SCALER_HYSTERESIS ? 65536 : 65536 / 4, toy.scale());
    }
}

TEST(ScalerPolicy, GrowsOnlyWhileTheResultIsFinite) {
    for (const mpt_scaler_kind kind : {MPT_SCALER_TORCH, MPT_SCALER_HYSTERESIS, MPT_SCALER_MEGATRON}) {
        mpt_scaler_desc d = golden(kind);
        d.initial_scale = std::ldexp(1.0, 127);
        d.growth_interval = 1;
        Toy toy(&d);
        EXPECT_EQ(std::ldexp(1.0, 127), iterate(toy, false));
    }
}

TEST(ScalerPolicy, DefaultsAreTorchs) {
    mpt_scaler_desc d;
    OK(mpt_scaler_desc_init(&d, sizeof d));
    EXPECT_EQ(65536, d.initial_scale);
    EXPECT_EQ(2, d.growth_factor);
    EXPECT_EQ(0.5, d.backoff_factor);
    EXPECT_EQ(2000, d.growth_interval);
    EXPECT_EQ(MPT_SCALER_TORCH, d.kind);
    EXPECT_EQ(2, d.hysteresis);
    EXPECT_EQ(0, d.min_scale);
    EXPECT_EQ(0, d.max_scale);
}
