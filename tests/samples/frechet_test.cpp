// Distances between sets of images. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <vector>

extern "C" {
#include "frechet.h"
#include "sampler.h"
}

namespace {

constexpr int kImages = 300, kPixels = 784;

// Random images, each pixel passed through change.
moments images(const std::function<double(double, int)> &change) {
    sampler s = sampler_begin(5);
    std::vector<float> pixels(static_cast<size_t>(kImages) * kPixels);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(change(sampler_normal(&s), static_cast<int>(i % kPixels)));
    moments m = {};
    moments_add(&m, pixels.data(), 100);
    moments_add(&m, pixels.data() + 100 * kPixels, kImages - 100);
    return m;
}

double tile(int pixel) { return pixel / 28 / 4 * 7 + pixel % 28 / 4; }

const moments plain = images([](double x, int) { return x; });

TEST(Frechet, a_set_is_no_distance_from_itself) { EXPECT_NEAR(frechet_distance(&plain, &plain), 0, 1e-6); }

TEST(Frechet, a_shift_counts_squared_in_each_feature) {
    const moments other = images([](double x, int pixel) { return x + 0.5 + 0.01 * tile(pixel); });
    double expected = 0;
    for (int i = 0; i < FRECHET_FEATURES; ++i) expected += (0.5 + 0.01 * i) * (0.5 + 0.01 * i);
    EXPECT_NEAR(frechet_distance(&plain, &other), expected, 1e-4);
    EXPECT_NEAR(frechet_distance(&other, &plain), expected, 1e-4);
}

// sqrt(A) and sqrt(B) commute, so that the distance is that of the deviations.
TEST(Frechet, a_stretch_counts_in_the_deviations) {
    const moments other = images([](double x, int) { return 3 * x; });
    double squares = 0;  // of the difference of means
    for (int i = 0; i < FRECHET_FEATURES; ++i) squares += 4 * plain.sum[i] * plain.sum[i] / (double{kImages} * kImages);
    EXPECT_NEAR(frechet_distance(&plain, &other), 4 * moments_spread(&plain) + squares, 1e-4);
}

TEST(Frechet, the_mean_image_is_as_far_as_the_spread) {
    moments mean = {};
    std::vector<float> pixels(kPixels);
    for (int i = 0; i < kPixels; ++i) pixels[static_cast<size_t>(i)] = static_cast<float>(plain.sum[static_cast<size_t>(tile(i))] / kImages);
    for (int i = 0; i < 3; ++i) moments_add(&mean, pixels.data(), 1);
    EXPECT_NEAR(frechet_distance(&plain, &mean), moments_spread(&plain), 1e-5);
    EXPECT_NEAR(moments_spread(&mean), 0, 1e-9);
}

// 12 tiles have twice the deviation in one set alone and 12 in the other, and a tile's deviation is a quarter of a pixel's. The
// covariances of samples are not quite diagonal, so that this needs the roots of matrices that do not commute.
TEST(Frechet, spread_in_other_tiles) {
    const moments columns = images([](double x, int pixel) { return pixel % 28 < 12 ? 2 * x : x; });
    const moments rows = images([](double x, int pixel) { return pixel / 28 < 12 ? 2 * x : x; });
    EXPECT_NEAR(frechet_distance(&columns, &rows), 24.0 / 16, 0.15);
    EXPECT_NEAR(frechet_distance(&columns, &rows), frechet_distance(&rows, &columns), 1e-6);
}

}  // namespace
