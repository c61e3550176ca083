// The f16 row of the underflow table, on real data: gradients x 2^-16 are lost in f16 without a scaler, and a scaler
// rescues them. A static scale of 2^-16 multiplies the loss's gradient and the step divides it out again, so that only what the
// format cannot hold is lost. `mpt_evidence` prints the whole table.
#include <cmath>
#include <cstdio>

#include "evidence/mlp.h"

using namespace evidence;

TEST(Underflow, F16LosesGradientsAtTwoToTheMinus16AndAScalerRescuesThem) {
    const Images train_set("train"), test_set("t10k");
    if (!train_set.there || !test_set.there) GTEST_SKIP() << train_set.message.c_str() << test_set.message.c_str();
    const auto accuracy = [&](mpt_dtype precision, auto scaling) {
        Config c;
        c.precision = precision;
        c.scaling = scaling;
        c.scale = std::ldexp(1.0, -16);
        return train(train_set, test_set, c).metric;
    };
    const double f32 = accuracy(MPT_F32, Config::Static);
    const double lost = accuracy(MPT_F16, Config::Static);
    const double rescued = accuracy(MPT_F16, Config::Dynamic);
    std::printf("gradients x 2^-16: f32 %.2f %%, f16 %.2f %%, f16 with scaler %.2f %%\n", f32, lost, rescued);
    EXPECT_GT(f32, 85) << "f32 does not care";
    EXPECT_LT(lost, 75) << "f16 must fail without a scaler";
    EXPECT_NEAR(f32, rescued, 1) << "and be rescued by one";
}
