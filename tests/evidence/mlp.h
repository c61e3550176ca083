// The small network on real data that the evidence for formats and methods comes from: a classifier 784-256-128-10, or an
// autoencoder of pixels from 0 to 1, on Fashion-MNIST, trained with Adam as one program.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "dataset.h"
}
#include "training/net.h"

namespace evidence {

// Owns one part of the data set; absent where the package is not installed.
struct Images {
    dataset set = {};
    bool there;
    std::string message = std::string(1024, '\0');
    explicit Images(const char *part) { there = dataset_load(&set, DATASET_FOLDER, part, 0, message.data(), message.size()) == 0; }
    ~Images() { dataset_free(&set); }
    Images(const Images &) = delete;
    Images &operator=(const Images &) = delete;
};

struct Config {
    std::vector<std::int64_t> widths{784, 256, 128, 10};
    bool autoencoder = false;
    mpt_dtype precision = MPT_F32;
    int fp8 = -1;  // an mpt_fp8_recipe
    enum { NoScaler, Static, Dynamic } scaling = NoScaler;
    double scale = 65536;
    mpt_dtype parameters = MPT_F32;
    mpt_rounding rounding = MPT_ROUNDING_MASTER;
    double lr = 1e-3;
    int epochs = 4;
    std::uint64_t seed = 3;
};

struct Result {
    double metric = 0;   // test accuracy in percent, or the test's mean squared error
    double skipped = 0;  // share of the steps
    bool finite = true;
};

inline Result train(const Images &train, const Images &test, const Config &c) {
    using namespace net;
    constexpr std::int64_t kBatch = 128;
    Context ctx = context(c.seed);
    Layer model;
    MUST(mpt_layer_sequential(ctx, model.out()));
    for (std::size_t i = 0; i + 1 < c.widths.size(); ++i) {
        linear(ctx, model, ("fc" + std::to_string(i)).c_str(), c.widths[i], c.widths[i + 1], c.parameters);
        if (i + 2 < c.widths.size()) simple(mpt_layer_relu, ctx, model, ("relu" + std::to_string(i)).c_str());
    }
    Policy policy;
    MUST(mpt_policy_create(ctx, c.precision, policy.out()));
    if (c.fp8 >= 0) {
        mpt_fp8_desc d;
        MUST(mpt_fp8_desc_init(&d, sizeof d));
        d.recipe = static_cast<mpt_fp8_recipe>(c.fp8);
        MUST(mpt_policy_set_fp8(policy, &d));
    }
    Scaler scaler;
    if (c.scaling != Config::NoScaler) {
        mpt_scaler_desc d;
        MUST(mpt_scaler_desc_init(&d, sizeof d));
        d.initial_scale = c.scale;
        if (c.scaling == Config::Static) d.kind = MPT_SCALER_STATIC;
        d.growth_interval = 20;  // from a tiny scale up in time for a training of some 1 000 steps
        MUST(mpt_scaler_create(ctx, &d, scaler.out()));
    }
    mpt_adam_desc rule;
    MUST(mpt_adam_desc_init(&rule, sizeof rule));
    rule.lr = c.lr;
    Optimizer adam;
    MUST(mpt_optimizer_adam(ctx, &rule, adam.out()));
    std::int32_t count = 0;
    MUST(mpt_layer_parameter_count(model, &count));
    std::vector<Tensor> parameters(static_cast<std::size_t>(count));
    std::vector<mpt_tensor *> handles;
    for (std::int32_t i = 0; i < count; ++i) {
        MUST(mpt_layer_parameter(model, i, parameters[static_cast<std::size_t>(i)].out()));
        handles.push_back(parameters[static_cast<std::size_t>(i)]);
    }
    mpt_group_desc group;
    MUST(mpt_group_desc_init(&group, sizeof group));
    group.rounding = c.rounding;
    MUST(mpt_optimizer_add_group(adam, "all", handles.data(), count, &group));

    Tensor x = tensor(ctx, MPT_F32, {kBatch, 784}), y = tensor(ctx, MPT_U8, {kBatch}), out, loss;
    const auto forward = [&](mpt_tensor *in, Tensor &result) { MUST(mpt_layer_forward(model, &in, 1, result.out(), 1)); };
    Program step;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_autocast_begin(ctx, policy));
    forward(x, out);
    if (c.autoencoder)
        MUST(mpt_mse(out, x, MPT_REDUCTION_MEAN, loss.out()));
    else
        MUST(mpt_cross_entropy(out, y, nullptr, loss.out()));
    MUST(mpt_autocast_end(ctx));
    MUST(mpt_backward(loss, scaler, MPT_GRAD_WRITE));
    MUST(mpt_optimizer_step(adam, scaler));
    if (scaler) MUST(mpt_scaler_update(scaler));
    MUST(mpt_capture_end(ctx, nullptr, 0, step.out()));
    // A classifier gets normalised images, an autoencoder pixels: gradients of their mean error are what fp8 cannot hold.
    const auto inputs = [&](const Images &images) {
        std::vector<float> pixels(images.set.images, images.set.images + images.set.n * 784);
        if (c.autoencoder)
            for (float &v : pixels) v = v * DATASET_DEVIATION + DATASET_MEAN;
        return pixels;
    };
    const std::vector<float> learned = inputs(train), tested = inputs(test);
    const std::int64_t batches = train.set.n / kBatch;
    for (std::int64_t i = 0; i < c.epochs * batches; ++i) {
        const std::int64_t at = i * 37 % batches * kBatch;  // every batch once per epoch, in a mixed order
        MUST(mpt_program_feed(step, x, learned.data() + at * 784, kBatch * 784 * sizeof(float)));
        if (!c.autoencoder) MUST(mpt_program_feed(step, y, train.set.labels + at, kBatch));
        MUST(mpt_program_run(step));
    }

    Tensor all = tensor(ctx, MPT_F32, {test.set.n, 784}), result;
    MUST(mpt_no_grad_begin(ctx));
    MUST(mpt_tensor_write(all, tested.data(), tested.size() * sizeof(float)));
    MUST(mpt_autocast_begin(ctx, policy));
    forward(all, out);
    MUST(mpt_autocast_end(ctx));
    MUST(mpt_cast(out, MPT_F32, result.out()));
    MUST(mpt_no_grad_end(ctx));
    const std::vector<float> values = floats(result);
    Result r;
    const auto n = static_cast<std::size_t>(test.set.n);
    if (c.autoencoder) {
        double sum = 0;
        for (std::size_t i = 0; i < n * 784; ++i) sum += (values[i] - tested[i]) * (values[i] - tested[i]);
        r.metric = sum / static_cast<double>(n * 784);
    } else {
        std::size_t right = 0;
        for (std::size_t i = 0; i < n; ++i) right += static_cast<std::size_t>(std::max_element(&values[i * 10], &values[i * 10] + 10) - &values[i * 10] == test.set.labels[i]);
        r.metric = 100.0 * static_cast<double>(right) / static_cast<double>(n);
    }
    r.finite = std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
    std::int64_t stepped = 0, skipped = 0;
    MUST(mpt_optimizer_counts(adam, &stepped, &skipped));
    r.skipped = static_cast<double>(skipped) / static_cast<double>(stepped + skipped);
    return r;
}

}  // namespace evidence
