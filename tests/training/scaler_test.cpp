// Loss scaling: the trajectory of torch.amp.GradScaler, the order of calls, several optimizers under one scaler.
#include <cmath>
#include <limits>

#include "net.h"

using namespace net;

namespace {

// One parameter whose gradient the test writes: found-inf at will.
struct Toy {
    Context ctx = context();
    Tensor p;
    Optimizer optimizer;
    Scaler scaler;

    explicit Toy(const mpt_scaler_desc *desc, mpt_dtype dtype = MPT_F32) : p(tensor(ctx, dtype, {3})) {
        MUST(mpt_tensor_fill(p, 1));
        MUST(mpt_tensor_set_requires_grad(p, 1));
        MUST(mpt_optimizer_adam(ctx, nullptr, optimizer.out()));
        mpt_tensor *list[] = {p};
        MUST(mpt_optimizer_add_group(optimizer, "p", list, 1, nullptr));
        MUST(mpt_scaler_create(ctx, desc, scaler.out()));
    }
    void gradient(double value) {
        Tensor g;
        MUST(mpt_tensor_grad(p, g.out()));
        MUST(mpt_tensor_fill(g, value));
    }
    double scale() {
        double v = 0;
        MUST(mpt_scaler_scale(scaler, &v));
        return v;
    }
};

mpt_scaler_desc golden() {
    mpt_scaler_desc d;
    MUST(mpt_scaler_desc_init(&d, sizeof d));
    d.initial_scale = 64 * 1024;
    d.growth_interval = 4;
    return d;
}

constexpr const char *kFound = "000001011000000000100000";

}  // namespace

TEST(Scaler, TorchTrajectoryIsTheGoldenOne) {
    const double expected[] = {64, 64, 64, 128, 128, 64, 64, 32, 16, 16, 16, 16, 32, 32, 32, 32, 64, 64, 32, 32, 32, 32, 64, 64};
    const mpt_scaler_desc d = golden();
    Toy toy(&d);
    for (int i = 0; kFound[i]; ++i) {
        toy.gradient(kFound[i] == '1' ? std::numeric_limits<double>::infinity() : 1);
        OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
        OK(mpt_scaler_update(toy.scaler));
        EXPECT_EQ(expected[i] * 1024, toy.scale()) << "after step " << i;
    }
    std::int64_t good = 0, bad = 0, stepped = 0, skipped = 0;
    OK(mpt_scaler_counts(toy.scaler, &good, &bad, nullptr));
    OK(mpt_optimizer_counts(toy.optimizer, &stepped, &skipped));
    EXPECT_EQ(20, good);
    EXPECT_EQ(4, bad);
    EXPECT_EQ(20, stepped);
    EXPECT_EQ(4, skipped);
}

TEST(Scaler, DefaultsAreTorchs) {
    mpt_scaler_desc d;
    OK(mpt_scaler_desc_init(&d, sizeof d));
    EXPECT_EQ(65536, d.initial_scale);
    EXPECT_EQ(2, d.growth_factor);
    EXPECT_EQ(0.5, d.backoff_factor);
    EXPECT_EQ(2000, d.growth_interval);
    EXPECT_EQ(MPT_SCALER_TORCH, d.kind);
}

TEST(Scaler, StaticNeverMovesButSkips) {
    mpt_scaler_desc d = golden();
    d.kind = MPT_SCALER_STATIC;
    Toy toy(&d);
    for (int i = 0; kFound[i]; ++i) {
        toy.gradient(kFound[i] == '1' ? NAN : 1);
        OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
        OK(mpt_scaler_update(toy.scaler));
        EXPECT_EQ(65536, toy.scale());
    }
    std::int64_t skipped = 0;
    OK(mpt_optimizer_counts(toy.optimizer, nullptr, &skipped));
    EXPECT_EQ(4, skipped);
}

TEST(Scaler, StaysWithinMinimumAndMaximum) {
    mpt_scaler_desc d = golden();
    d.growth_interval = 1;
    d.min_scale = 32 * 1024;
    d.max_scale = 128 * 1024;
    Toy toy(&d);
    const auto iterate = [&](double g) {
        toy.gradient(g);
        MUST(mpt_optimizer_step(toy.optimizer, toy.scaler));
        MUST(mpt_scaler_update(toy.scaler));
        return toy.scale();
    };
    EXPECT_EQ(128 * 1024, iterate(1));
    EXPECT_EQ(128 * 1024, iterate(1));
    EXPECT_EQ(64 * 1024, iterate(INFINITY));
    EXPECT_EQ(32 * 1024, iterate(INFINITY));
    EXPECT_EQ(32 * 1024, iterate(INFINITY));
    std::int64_t at_minimum = 0;
    OK(mpt_scaler_counts(toy.scaler, nullptr, nullptr, &at_minimum));
    EXPECT_EQ(1, at_minimum);
}

TEST(Scaler, GrowsOnlyWhileTheResultIsFinite) {
    mpt_scaler_desc d = golden();
    d.initial_scale = std::ldexp(1.0, 127);
    d.growth_interval = 1;
    Toy toy(&d);
    toy.gradient(1);
    OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
    OK(mpt_scaler_update(toy.scaler));
    EXPECT_EQ(std::ldexp(1.0, 127), toy.scale());
}

TEST(Scaler, EachIllegalTransitionHasItsStatus) {
    Toy toy(nullptr);
    toy.gradient(1);
    EXPECT_EQ(MPT_ERROR_UPDATE_WITHOUT_STEP, mpt_scaler_update(toy.scaler));
    OK(mpt_optimizer_unscale(toy.optimizer, toy.scaler));
    EXPECT_EQ(MPT_ERROR_UNSCALED_TWICE, mpt_optimizer_unscale(toy.optimizer, toy.scaler));
    OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
    EXPECT_EQ(MPT_ERROR_UNSCALE_AFTER_STEP, mpt_optimizer_unscale(toy.optimizer, toy.scaler));
    EXPECT_EQ(MPT_ERROR_STEP_TWICE, mpt_optimizer_step(toy.optimizer, toy.scaler));
    OK(mpt_scaler_update(toy.scaler));
    OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
    OK(mpt_scaler_update(toy.scaler));
}

TEST(Scaler, UnscaleMultipliesByTheReciprocalInF32) {
    mpt_scaler_desc d = golden();
    d.initial_scale = 3;  // no power of two: the reciprocal is rounded
    Toy toy(&d);
    toy.gradient(0.7f);
    OK(mpt_optimizer_unscale(toy.optimizer, toy.scaler));
    Tensor g;
    OK(mpt_tensor_grad(toy.p, g.out()));
    const float inverse = static_cast<float>(1.0 / 3.0);
    for (const float v : floats(g)) EXPECT_EQ(0.7f * inverse, v);
}

TEST(Scaler, UnscaledByHandOrByTheStepGivesTheSameBits) {
    mpt_scaler_desc d = golden();
    Toy a(&d), b(&d);
    for (int i = 0; i < 4; ++i) {
        a.gradient(0.3 * (i + 1) * 65536);
        b.gradient(0.3 * (i + 1) * 65536);
        OK(mpt_optimizer_unscale(a.optimizer, a.scaler));
        for (Toy *t : {&a, &b}) {
            OK(mpt_optimizer_step(t->optimizer, t->scaler));
            OK(mpt_scaler_update(t->scaler));
        }
        EXPECT_EQ(bytes(a.p), bytes(b.p));
    }
}

TEST(Scaler, OneOptimizerSkipsTheOtherSteps) {
    Toy a(nullptr);
    Tensor q = tensor(a.ctx, MPT_F32, {2});
    OK(mpt_tensor_fill(q, 1));
    OK(mpt_tensor_set_requires_grad(q, 1));
    Optimizer other;
    OK(mpt_optimizer_adam(a.ctx, nullptr, other.out()));
    mpt_tensor *list[] = {q};
    OK(mpt_optimizer_add_group(other, "q", list, 1, nullptr));
    Tensor g;
    OK(mpt_tensor_grad(q, g.out()));
    OK(mpt_tensor_fill(g, 65536));
    a.gradient(INFINITY);
    OK(mpt_optimizer_step(a.optimizer, a.scaler));
    OK(mpt_optimizer_step(other, a.scaler));
    OK(mpt_scaler_update(a.scaler));
    EXPECT_EQ(std::vector<float>(3, 1.0f), floats(a.p));
    for (const float v : floats(q)) EXPECT_NEAR(0.999, v, 1e-6);
    EXPECT_EQ(32768, a.scale());  // the update sees both
}

TEST(Scaler, BackwardGivesGradientsOfTheScaledLoss) {
    Toy toy(nullptr);
    Tensor square, loss;
    OK(mpt_mul(toy.p, toy.p, square.out()));
    OK(mpt_sum(square, 0, nullptr, 0, loss.out()));
    OK(mpt_backward(loss, toy.scaler, MPT_GRAD_WRITE));
    Tensor g;
    OK(mpt_tensor_grad(toy.p, g.out()));
    EXPECT_EQ(std::vector<float>(3, 2 * 65536.0f), floats(g));
    double value = 0;
    OK(mpt_tensor_item(loss, &value));
    EXPECT_EQ(3, value);
}

TEST(Scaler, StagesOfARecordingDoNotOutliveIt) {
    Toy toy(nullptr);
    toy.gradient(1);
    Program program;
    OK(mpt_capture_begin(toy.ctx));
    OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
    OK(mpt_capture_end(toy.ctx, nullptr, 0, program.out()));
    EXPECT_EQ(MPT_ERROR_UPDATE_WITHOUT_STEP, mpt_scaler_update(toy.scaler)) << "nothing has happened yet";
    OK(mpt_capture_begin(toy.ctx));
    OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
    OK(mpt_capture_abort(toy.ctx));
    OK(mpt_optimizer_step(toy.optimizer, toy.scaler));
}
