// The f16 row of the underflow table, on real data: gradients x 2^-16 are lost in f16 without a scaler, and a scaler
// rescues them. A static scale of 2^-16 multiplies the loss's gradient and the step divides it out again, so that only what the
// format cannot hold is lost. 784-256-128-10, Adam, 4 epochs of Fashion-MNIST.
#include <algorithm>

#include <cstdio>

extern "C" {
#include "dataset.h"
}
#include "training/net.h"

using namespace net;

namespace {

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

// Test accuracy in percent after 4 epochs. extra: the factor on gradients; scaled: with a dynamic scaler.
double accuracy(const Images &train, const Images &test, mpt_dtype precision, double extra, bool dynamic) {
    constexpr std::int64_t kBatch = 128;
    Context ctx = context(3);
    Layer net;
    MUST(mpt_layer_sequential(ctx, net.out()));
    linear(ctx, net, "fc1", 784, 256, MPT_F32);
    simple(mpt_layer_relu, ctx, net, "relu1");
    linear(ctx, net, "fc2", 256, 128, MPT_F32);
    simple(mpt_layer_relu, ctx, net, "relu2");
    linear(ctx, net, "head", 128, 10, MPT_F32);
    Policy policy;
    MUST(mpt_policy_create(ctx, precision, policy.out()));
    mpt_scaler_desc d;
    MUST(mpt_scaler_desc_init(&d, sizeof d));
    d.initial_scale = extra;
    if (!dynamic) d.kind = MPT_SCALER_STATIC;
    d.growth_interval = 20;  // from 2^-16 up in time for a test of 1 872 steps
    Scaler scaler;
    MUST(mpt_scaler_create(ctx, &d, scaler.out()));
    Optimizer optimizer;
    MUST(mpt_optimizer_adam(ctx, nullptr, optimizer.out()));
    MUST(mpt_optimizer_add_layer(optimizer, net));

    Tensor x = tensor(ctx, MPT_F32, {kBatch, 784}), y = tensor(ctx, MPT_U8, {kBatch}), out, loss;
    Tensor all = tensor(ctx, MPT_F32, {10000, 784}), logits;
    const auto forward = [&](mpt_tensor *in, Tensor &result) { MUST(mpt_layer_forward(net, &in, 1, result.out(), 1)); };
    Program step;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_autocast_begin(ctx, policy));
    forward(x, out);
    MUST(mpt_cross_entropy(out, y, MPT_REDUCTION_MEAN, loss.out()));
    MUST(mpt_autocast_end(ctx));
    MUST(mpt_backward(loss, scaler, MPT_GRAD_WRITE));
    MUST(mpt_optimizer_step(optimizer, scaler));
    MUST(mpt_scaler_update(scaler));
    MUST(mpt_capture_end(ctx, nullptr, 0, step.out()));
    const std::int64_t batches = train.set.n / kBatch;
    for (std::int64_t i = 0; i < 4 * batches; ++i) {
        const std::int64_t at = i * 37 % batches * kBatch;  // every batch once per epoch, in a mixed order
        MUST(mpt_program_feed(step, x, train.set.images + at * 784, kBatch * 784 * sizeof(float)));
        MUST(mpt_program_feed(step, y, train.set.labels + at, kBatch));
        MUST(mpt_program_run(step));
    }
    MUST(mpt_no_grad_begin(ctx));
    MUST(mpt_tensor_write(all, test.set.images, static_cast<std::size_t>(test.set.n) * 784 * sizeof(float)));
    forward(all, logits);
    MUST(mpt_no_grad_end(ctx));
    const std::vector<float> scores = floats(logits);
    int right = 0;
    for (std::int64_t i = 0; i < test.set.n; ++i) {
        const float *row = &scores[static_cast<std::size_t>(i) * 10];
        right += std::max_element(row, row + 10) - row == test.set.labels[i];
    }
    return 100.0 * right / static_cast<double>(test.set.n);
}

}  // namespace

TEST(Underflow, F16LosesGradientsAtTwoToTheMinus16AndAScalerRescuesThem) {
    const Images train("train"), test("t10k");
    if (!train.there || !test.there) GTEST_SKIP() << train.message.c_str() << test.message.c_str();
    const double tiny = std::ldexp(1.0, -16);
    const double f32 = accuracy(train, test, MPT_F32, tiny, false);
    const double lost = accuracy(train, test, MPT_F16, tiny, false);
    const double rescued = accuracy(train, test, MPT_F16, tiny, true);
    std::printf("gradients x 2^-16: f32 %.2f %%, f16 %.2f %%, f16 with scaler %.2f %%\n", f32, lost, rescued);
    EXPECT_GT(f32, 85) << "f32 does not care";
    EXPECT_LT(lost, 75) << "f16 must fail without a scaler";
    EXPECT_NEAR(f32, rescued, 1) << "and be rescued by one";
}
