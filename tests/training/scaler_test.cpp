// Loss scaling: the order of calls, unscaling, several optimizers under one scaler. How the scale moves: scaler_policies_test.cpp.
#include <cmath>

#include "net.h"
#include "training/toy.h"

using namespace net;

namespace {

mpt_scaler_desc golden() {
    mpt_scaler_desc d;
    MUST(mpt_scaler_desc_init(&d, sizeof d));
    d.initial_scale = 64 * 1024;
    d.growth_interval = 4;
    return d;
}

}  // namespace

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
