// Draws of symbols. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

extern "C" {
#include "sampler.h"
}

namespace {

std::vector<double> shares(double temperature, uint64_t seed) {
    const float logits[4] = {0, 2, -1, 1};
    std::vector<double> share(4);
    sampler s = sampler_begin(seed);
    for (int i = 0; i < 20000; ++i) share[static_cast<size_t>(sampler_draw(&s, logits, 4, temperature))] += 1 / 20000.0;
    return share;
}

TEST(Sampler, shares_are_those_of_softmax) {
    for (const double temperature : {0.5, 1.0, 3.0}) {
        const double weight[4] = {std::exp(0 / temperature), std::exp(2 / temperature), std::exp(-1 / temperature), std::exp(1 / temperature)};
        const std::vector<double> share = shares(temperature, 1);
        for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(share[i], weight[i] / (weight[0] + weight[1] + weight[2] + weight[3]), 0.015);
    }
}

TEST(Sampler, temperature_0_takes_the_largest) { EXPECT_NEAR(shares(0, 1)[1], 1, 1e-9); }

TEST(Sampler, a_seed_decides) {
    EXPECT_EQ(shares(1, 7), shares(1, 7));
    EXPECT_NE(shares(1, 7), shares(1, 8));
}

TEST(Sampler, what_is_no_number_gives_an_index_all_the_same) {
    const float logits[3] = {NAN, INFINITY, NAN};
    sampler s = sampler_begin(0);
    for (int i = 0; i < 10; ++i) {
        const int32_t index = sampler_draw(&s, logits, 3, 1);
        EXPECT_TRUE(index >= 0 && index < 3);
    }
}

TEST(Sampler, normal_numbers_have_mean_0_and_variance_1) {
    sampler s = sampler_begin(0);
    double sum = 0, squares = 0;
    for (int i = 0; i < 20000; ++i) {
        const double x = sampler_normal(&s);
        sum += x / 20000;
        squares += x * x / 20000;
    }
    EXPECT_NEAR(sum, 0, 0.03);
    EXPECT_NEAR(squares, 1, 0.04);
}

}  // namespace
