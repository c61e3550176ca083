// Steps for batches of any size. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "check.h"
#include "training.h"
}

namespace {

int recorded;

// out: 2 x + y and the mean of x; x is [n, 3], y is [n, 1].
void rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    mpt_tensor *twice;
    ++recorded;
    EXPECT_EQ(user, &recorded);
    CHECK(mpt_affine(in[0], 2, 0, &twice));
    CHECK(mpt_add(twice, in[1], &out[0]));
    CHECK(mpt_mean(in[0], 0, nullptr, 0, &out[1]));
    mpt_tensor_release(twice);
}

// Runs of these sizes, checked; returns how often the rule was called.
int run(const std::vector<int64_t> &sizes, int eager) {
    options o = {};
    o.precision = MPT_F32;
    o.device = MPT_DEVICE_CPU;
    o.keep = "";
    o.threads = 1;
    o.eager = eager;
    training t = training_open(&o);
    phase p;
    phase_open(&p, &t, rule, &recorded, 2);
    const int64_t x_shape[2] = {0, 3}, y_shape[2] = {0, 1};
    phase_input(&p, MPT_F32, 2, x_shape);
    phase_input(&p, MPT_F32, 2, y_shape);
    recorded = 0;
    float next = 0;
    for (const int64_t n : sizes) {
        std::vector<float> x(static_cast<size_t>(n) * 3), y(static_cast<size_t>(n)), result(x.size());
        double sum = 0, mean;
        for (float &v : x) sum += v = next++;
        for (float &v : y) v = next++;
        const void *data[2] = {x.data(), y.data()};
        mpt_tensor *const *out = phase_run(&p, n, data);
        CHECK(mpt_tensor_read(out[0], result.data(), result.size() * sizeof(float)));
        CHECK(mpt_tensor_item(out[1], &mean));
        for (size_t i = 0; i < result.size(); ++i) EXPECT_EQ(result[i], 2 * x[i] + y[i / 3]);
        EXPECT_NEAR(mean, sum / static_cast<double>(x.size()), 1e-4);
    }
    phase_close(&p);
    training_close(&t);
    return recorded;
}

TEST(Phase, a_size_is_recorded_once) { EXPECT_EQ(run({5, 2, 5, 5, 2, 5}, 0), 2); }

TEST(Phase, eager_calls_the_rule_each_time) { EXPECT_EQ(run({5, 2, 5, 5, 2, 5}, 1), 6); }

TEST(Phase, more_sizes_than_there_is_room_for) { EXPECT_EQ(run({1, 2, 3, 4, 5, 6, 1, 6, 5}, 0), 7); }

TEST(Phase, precisions) {
    for (const mpt_dtype precision : {MPT_F32, MPT_BF16, MPT_F16, OPTIONS_FP8}) {
        options o = {};
        o.precision = precision;
        o.recipe = MPT_FP8_DELAYED;
        o.keep = "*head,,conv?";
        training t = training_open(&o);
        EXPECT_EQ(t.policy == nullptr, precision == MPT_F32);
        EXPECT_EQ(t.scaler != nullptr, precision == MPT_F16);
        EXPECT_EQ(t.fp8, precision == OPTIONS_FP8);
        training_close(&t);
    }
}

}  // namespace
