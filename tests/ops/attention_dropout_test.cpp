// Dropout of attention's probabilities: how many fall, and that forward, gradient, threads and programs agree on which.
#include "common/devices.h"
#include "ops/attention.h"

namespace test {

namespace {
class AttentionDropout : public DeviceTest {};
}  // namespace

INSTANTIATE_ON_EVERY_DEVICE(AttentionDropout);

// With v the unit matrix the result is the dropped probabilities themselves.
TEST_P(AttentionDropout, Statistics) {
    const std::int64_t s = 128, t = 100, h = 4;
    MUST(mpt_context_seed(ctx, 7));
    const Tensor q = make(ctx, MPT_F32, draw({1, h, t, 8}, 1)), k = make(ctx, MPT_F32, draw({1, h, s, 8}, 2));
    const Tensor v = make(ctx, MPT_F32, tabulate({1, h, s, s}, [](const Shape &at) { return at[2] == at[3]; }));
    Tensor plain;
    MUST(mpt_attention(q, k, v, nullptr, nullptr, plain.out()));
    const std::vector<double> p = read(plain);
    for (double rate : {0.1, 0.5}) {
        const mpt_attention_params drop = attention_params(false, 0, rate);
        Tensor first, second;
        MUST(mpt_attention(q, k, v, nullptr, &drop, first.out()));
        MUST(mpt_attention(q, k, v, nullptr, &drop, second.out()));
        const std::vector<double> a = read(first), b = read(second);
        double zeros = 0, both = 0;
        for (std::size_t i = 0; i < p.size(); ++i) {
            if (a[i] != 0) {
                ASSERT_NEAR(a[i], p[i] / (1 - rate), 1e-5 * p[i]) << i;
            }
            zeros += a[i] == 0;
            both += a[i] == 0 && b[i] == 0;
        }
        // 5 standard deviations of a binomial count; two calls are independent.
        const double n = static_cast<double>(p.size());
        EXPECT_NEAR(zeros / n, rate, 5 * std::sqrt(rate * (1 - rate) / n));
        EXPECT_NEAR(both / n, rate * rate, 5 * std::sqrt(rate * rate / n));
    }
}

// The mask is read off the forward (v the unit matrix); the gradient is that of the reference with this mask.
TEST_P(AttentionDropout, TheGradientRepeatsTheForwardsDropout) {
    if (GetParam() == Device::Cuda) GTEST_SKIP() << "f64 is the CPU's alone";
    const std::int64_t t = 9, s = 11, h = 2, d = 3;
    const double rate = 0.4, step = 1e-5;
    const Values q = draw({1, h, t, d}, 1), k = draw({1, h, s, d}, 2), v = draw({1, h, s, s}, 3), cotangent = draw({1, h, t, s}, 4);
    const mpt_attention_params drop = attention_params(true, 0, rate);
    const auto forward = [&](const Values &a, const Values &b, const Values &c) {
        MUST(mpt_context_seed(ctx, 11));
        const Tensor x = make(ctx, MPT_F64, a), y = make(ctx, MPT_F64, b), z = make(ctx, MPT_F64, c);
        Tensor out;
        MUST(mpt_attention(x, y, z, nullptr, &drop, out.out()));
        return read(out);
    };
    const std::vector<double> dropped = forward(q, k, tabulate({1, h, s, s}, [](const Shape &at) { return at[2] == at[3]; }));
    const Mask keep = [&](const Shape &at) {
        return dropped[static_cast<std::size_t>((at[1] * t + at[2]) * s + at[3])] == 0 ? 0 : 1 / (1 - rate);
    };
    const std::vector<double> out = forward(q, k, v), exact = attention_reference(q, k, v, true, 0, nullptr, keep).data;
    for (std::size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], exact[i], 1e-12);

    MUST(mpt_context_seed(ctx, 11));
    const Values *values[] = {&q, &k, &v};
    Tensor leaves[3], result;
    for (int i = 0; i < 3; ++i) {
        leaves[i] = make(ctx, MPT_F64, *values[i]);
        MUST(mpt_tensor_set_requires_grad(leaves[i], 1));
    }
    MUST(mpt_attention(leaves[0], leaves[1], leaves[2], nullptr, &drop, result.out()));
    const Tensor seed = make(ctx, MPT_F64, cotangent), noise = create(ctx, MPT_F32, {100});
    MUST(mpt_tensor_random_uniform(noise, 0, 1));  // moves the counter in between
    mpt_tensor *root = result, *start = seed;
    MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
    for (int i = 0; i < 3; ++i) {
        const std::vector<double> grad = read(gradient(leaves[i]));
        for (std::size_t at = 0; at < grad.size(); at += 5) {
            double sums[2] = {};
            for (int side = 0; side < 2; ++side) {
                Values moved[3] = {q, k, v};
                moved[i].data[at] += side ? step : -step;
                const std::vector<double> y = attention_reference(moved[0], moved[1], moved[2], true, 0, nullptr, keep).data;
                for (std::size_t c = 0; c < y.size(); ++c) sums[side] += y[c] * cotangent.data[c];
            }
            ASSERT_NEAR(grad[at], (sums[1] - sums[0]) / (2 * step), 1e-8) << "input " << i << " element " << at;
        }
    }
}

TEST_P(AttentionDropout, DoesNotDependOnThreads) {
    if (GetParam() == Device::Cuda) GTEST_SKIP() << "the CPU's threads";
    const Values values = draw({2, 2, 210, 16}, 1);
    const mpt_attention_params drop = attention_params(true, 0, 0.3);
    std::vector<std::uint8_t> first;
    for (int threads : {1, 2, 3}) {
        const Context other = must_open(GetParam(), threads);
        MUST(mpt_context_seed(other, 5));
        const Tensor x = make(other, MPT_F32, values);
        MUST(mpt_tensor_set_requires_grad(x, 1));
        Tensor out, loss;
        MUST(mpt_attention(x, x, x, nullptr, &drop, out.out()));
        MUST(mpt_sum(out, 0, nullptr, 0, loss.out()));
        MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        std::vector<std::uint8_t> bits = read_bytes(out);
        for (std::uint8_t b : read_bytes(gradient(x))) bits.push_back(b);
        if (threads == 1) first = bits;
        EXPECT_TRUE(bits == first) << threads << " threads";
    }
}

// Every run of a program drops anew, as eager calls do.
TEST_P(AttentionDropout, InAProgram) {
    const Tensor x = make(ctx, MPT_F32, draw({1, 2, 12, 4}, 1));
    const mpt_attention_params drop = attention_params(false, 0, 0.5);
    std::vector<std::vector<double>> eager, captured;
    MUST(mpt_context_seed(ctx, 3));
    for (int i = 0; i < 3; ++i) {
        Tensor out;
        MUST(mpt_attention(x, x, x, nullptr, &drop, out.out()));
        eager.push_back(read(out));
    }
    MUST(mpt_context_seed(ctx, 3));
    Program program;
    Tensor out;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_attention(x, x, x, nullptr, &drop, out.out()));
    mpt_tensor *outputs[] = {out};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    for (int i = 0; i < 3; ++i) {
        MUST(mpt_program_run(program));
        captured.push_back(read(out));
    }
    EXPECT_EQ(eager, captured);
    EXPECT_NE(eager[0], eager[1]);
}

}  // namespace test
