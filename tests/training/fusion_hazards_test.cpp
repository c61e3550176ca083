// Programs that look as if they could be fused, but whose parts are also needed by themselves or change in between.
#include <functional>

#include "common/random.h"
#include "dump.h"
#include "toy.h"

using namespace net;

namespace {

struct Norm {
    Context ctx;
    Tensor x, weight, bias, dy;

    explicit Norm(bool fused) : ctx(context(3)) {
        MUST(mpt_context_set_option(ctx, "fusion", fused ? "on" : "off"));
        const auto values = [](std::int64_t n, std::uint64_t seed) {
            test::Random random(seed);
            std::vector<float> list(static_cast<std::size_t>(n));
            for (float &v : list) v = static_cast<float>(random.uniform(-1, 1));
            return list;
        };
        x = tensor(ctx, MPT_F32, {8, 16, 6, 6}, values(8 * 16 * 36, 1));
        dy = tensor(ctx, MPT_F32, {8, 16, 6, 6}, values(8 * 16 * 36, 2));
        weight = tensor(ctx, MPT_F32, {16}, values(16, 3));
        bias = tensor(ctx, MPT_F32, {16}, values(16, 4));
        for (mpt_tensor *t : {static_cast<mpt_tensor *>(x), static_cast<mpt_tensor *>(weight), static_cast<mpt_tensor *>(bias)})
            MUST(mpt_tensor_set_requires_grad(t, 1));
    }
    Tensor normed() {
        Tensor h;
        MUST(mpt_batch_norm(x, weight, bias, nullptr, nullptr, 1, 0.1, 1e-5, h.out()));
        return h;
    }
    std::vector<float> gradient(mpt_tensor *t) {
        Tensor g;
        MUST(mpt_tensor_grad(t, g.out()));
        return floats(g);
    }
    void fill_bias(double value) {
        MUST(mpt_no_grad_begin(ctx));
        MUST(mpt_tensor_fill(bias, value));
        MUST(mpt_no_grad_end(ctx));
    }
    void backward(mpt_tensor *y) {
        mpt_tensor *roots[] = {y}, *cotangents[] = {dy};
        MUST(mpt_backward_from(roots, cotangents, 1, MPT_GRAD_WRITE));
    }
};

using Body = std::function<Tensor(Norm &)>;

// y and the gradients of a program's third run, and its text.
std::vector<std::vector<float>> results(const Body &body, bool fused, std::string *text = nullptr) {
    Norm norm(fused);
    MUST(mpt_capture_begin(norm.ctx));
    const Tensor y = body(norm);
    mpt_tensor *out[] = {y};
    Program program;
    MUST(mpt_capture_end(norm.ctx, out, 1, program.out()));
    for (int i = 0; i < 3; ++i) MUST(mpt_program_run(program));
    if (text) *text = dump(program);
    return {floats(y), norm.gradient(norm.x), norm.gradient(norm.weight), norm.gradient(norm.bias)};
}

Tensor plain(Norm &norm) {
    const Tensor h = norm.normed();
    Tensor y;
    MUST(mpt_relu(h, y.out()));
    norm.backward(y);
    return y;
}

void expect_the_bits_of_the_parts(const Body &body) {
    // Their harmless twin is fused, or nothing would be shown.
    std::string text;
    results(plain, true, &text);
    for (const char *name : {"\tnorm_relu\t", "\tnorm_relu_grad\t"}) ASSERT_NE(std::string::npos, text.find(name)) << text;
    const auto parts = results(body, false), fused = results(body, true);
    for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_TRUE(parts[i] == fused[i]) << "result " << i;
    double sum = 0;
    for (const float v : parts[1]) sum += v * v;
    EXPECT_GT(sum, 0) << "there are gradients to compare";
}

class FusionHazards : public testing::Test {
protected:
    void SetUp() override {
        if (device() != MPT_DEVICE_CUDA) GTEST_SKIP() << "the CPU has no fused kernels";
    }
};

}  // namespace

TEST_F(FusionHazards, AnOperandReadTwice) {
    expect_the_bits_of_the_parts([](Norm &norm) {
        const Tensor h = norm.normed();
        Tensor sum, y;
        MUST(mpt_add(h, h, sum.out()));
        MUST(mpt_relu(sum, y.out()));
        norm.backward(y);
        return y;
    });
}

TEST_F(FusionHazards, ABiasWrittenBetweenForwardAndBackward) {
    expect_the_bits_of_the_parts([](Norm &norm) {
        const Tensor h = norm.normed();
        Tensor y;
        MUST(mpt_relu(h, y.out()));
        norm.fill_bias(-0.25);
        norm.backward(y);
        norm.fill_bias(0.25);
        return y;
    });
}

TEST_F(FusionHazards, WhatTheReluReadsIsAlsoAnOutput) {
    expect_the_bits_of_the_parts([](Norm &norm) {
        const Tensor h = norm.normed();
        Tensor y, sum;
        MUST(mpt_relu(h, y.out()));
        MUST(mpt_add(y, h, sum.out()));
        norm.backward(sum);
        return sum;
    });
}
