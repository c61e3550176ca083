// Two optimizers under one loss scaler: what one of them finds in its gradients does not hold the other one back.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

extern "C" {
#include "check.h"
#include "gan.h"
#include "training.h"
}

namespace {

constexpr int64_t kBatch = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Adds a number that each run brings to the gradient of a parameter with one element.
void add_to_gradient(mpt_layer *layer, const char *name, mpt_tensor *numbers, int64_t column) {
    const int64_t one = 1;
    mpt_tensor *parameter, *grad, *row, *cell, *number, *sum;
    CHECK(mpt_layer_parameter_by_name(layer, name, &parameter));
    CHECK(mpt_tensor_grad(parameter, &grad));
    CHECK(mpt_slice(numbers, 0, 0, 1, &row));
    CHECK(mpt_slice(row, 1, column, 1, &cell));
    CHECK(mpt_reshape(cell, 1, &one, &number));
    CHECK(mpt_add(grad, number, &sum));
    CHECK(mpt_tensor_copy(grad, sum));
    for (mpt_tensor *t : {parameter, grad, row, cell, number, sum}) mpt_tensor_release(t);
}

// The sample's step with something added to a gradient of each network. in: images, and [n, 2] numbers, of which the first row counts.
void rule(void *user, mpt_tensor *const *in, mpt_tensor **out) {
    gan *g = static_cast<gan *>(user);
    out[0] = gan_discriminator_gradients(g, in[0]);
    add_to_gradient(g->discriminator, "linear.bias", in[1], 0);
    CHECK(mpt_optimizer_step(g->discriminator_optimizer, g->t->scaler));
    out[1] = gan_generator_gradients(g, kBatch);
    add_to_gradient(g->generator, "draw.conv2.bias", in[1], 1);
    CHECK(mpt_optimizer_step(g->generator_optimizer, g->t->scaler));
    CHECK(mpt_scaler_update(g->t->scaler));
}

// All parameters, as bytes.
std::string values(const mpt_layer *layer) {
    std::string all;
    int32_t count = 0;
    CHECK(mpt_layer_parameter_count(layer, &count));
    for (int32_t i = 0; i < count; ++i) {
        mpt_tensor *parameter;
        int64_t numel;
        CHECK(mpt_layer_parameter(layer, i, &parameter));
        CHECK(mpt_tensor_numel(parameter, &numel));
        std::string bytes(static_cast<size_t>(numel) * sizeof(float), '\0');
        CHECK(mpt_tensor_read(parameter, bytes.data(), bytes.size()));
        mpt_tensor_release(parameter);
        all += bytes;
    }
    return all;
}

struct Iteration {
    float discriminator, generator;  // added to a gradient of each
};

// What each network's parameters are behind each iteration, checked against what should have happened.
std::vector<std::string> play(const std::vector<Iteration> &iterations, int eager) {
    options o = {};
    o.precision = MPT_F16;
    o.device = MPT_DEVICE_CPU;
    o.keep = "";
    o.threads = 2;
    o.seed = 3;
    o.eager = eager;
    training t = training_open(&o);
    // From a scale at which nothing overflows by itself.
    mpt_scaler_release(t.scaler);
    mpt_scaler_desc desc;
    CHECK(mpt_scaler_desc_init(&desc, sizeof desc));
    desc.initial_scale = 1024;
    CHECK(mpt_scaler_create(t.ctx, &desc, &t.scaler));
    gan g;
    gan_open(&g, &t, 8, 4, 1e-3, 100);
    phase p;
    phase_open(&p, &t, rule, &g, 2);
    const int64_t image[4] = {0, 1, 28, 28}, numbers[2] = {0, 2};
    phase_input(&p, MPT_F32, 4, image);
    phase_input(&p, MPT_F32, 2, numbers);
    std::vector<float> pixels(kBatch * 784);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(0.1f * static_cast<float>(i));

    std::vector<std::string> seen = {values(g.discriminator), values(g.generator)};
    int64_t stepped[2] = {0, 0}, skipped[2] = {0, 0};
    double scale = 1024;
    for (const Iteration &it : iterations) {
        float added[kBatch][2] = {{it.discriminator, it.generator}};
        const void *data[2] = {pixels.data(), added};
        phase_run(&p, kBatch, data);
        const bool finite[2] = {std::isfinite(it.discriminator), std::isfinite(it.generator)};
        if (!finite[0] || !finite[1]) scale /= 2;
        double scale_now;
        CHECK(mpt_scaler_scale(t.scaler, &scale_now));
        EXPECT_EQ(scale_now, scale);
        for (int network = 0; network < 2; ++network) {
            mpt_optimizer *optimizer = network == 0 ? g.discriminator_optimizer : g.generator_optimizer;
            int64_t stepped_now, skipped_now;
            CHECK(mpt_optimizer_counts(optimizer, &stepped_now, &skipped_now));
            stepped[network] += finite[network];
            skipped[network] += !finite[network];
            EXPECT_EQ(stepped_now, stepped[network]);
            EXPECT_EQ(skipped_now, skipped[network]);
            seen.push_back(values(network == 0 ? g.discriminator : g.generator));
            EXPECT_EQ(seen.back() != seen[seen.size() - 3], finite[network]) << "a step moves the parameters, a skip leaves them";
        }
    }
    phase_close(&p);
    gan_close(&g);
    training_close(&t);
    return seen;
}

TEST(Gan, one_optimizer_skips_and_the_other_steps) {
    const std::vector<Iteration> iterations = {{0, 0},          {kInfinity, 0}, {0, -kInfinity}, {0, 0}, {kInfinity, kInfinity},
                                               {std::nanf(""), 0}, {0, 0}};
    const std::vector<std::string> eager = play(iterations, 1), captured = play(iterations, 0);
    EXPECT_TRUE(eager == captured) << "a program does what its calls do";
}

}  // namespace
