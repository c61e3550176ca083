// Fused equals unfused equals eager, bit for bit, and on a device that has the kernels they are there.
#include "common/random.h"
#include "dump.h"
#include "toy.h"

using namespace net;

namespace {

enum class Net { Mlp, Tokens, Residual, Blocks };

struct Case {
    const char *name;
    Net shape;
    mpt_dtype precision;
};

Layer sequential(mpt_context *ctx) {
    Layer chain;
    MUST(mpt_layer_sequential(ctx, chain.out()));
    return chain;
}
void convolution(mpt_context *ctx, mpt_layer *chain, std::int64_t in, std::int64_t out, int kernel, int stride) {
    mpt_conv2d_desc d;
    MUST(mpt_conv2d_desc_init(&d, sizeof d));
    d.in_channels = in;
    d.out_channels = out;
    d.kernel_h = d.kernel_w = kernel;
    d.stride_h = d.stride_w = stride;
    d.padding_h = d.padding_w = kernel / 2;
    d.no_bias = 1;
    mpt_layer *layer;
    MUST(mpt_layer_conv2d(ctx, &d, &layer));
    add(chain, nullptr, layer);
}
void norm(mpt_context *ctx, mpt_layer *chain, std::int64_t features) {
    mpt_norm_desc d;
    MUST(mpt_norm_desc_init(&d, sizeof d));
    d.features = features;
    mpt_layer *layer;
    MUST(mpt_layer_batch_norm(ctx, &d, &layer));
    add(chain, nullptr, layer);
}
// Two convolutions around which x goes, through a projection where the shape changes; a ReLU behind the sum.
void block(mpt_context *ctx, mpt_layer *chain, std::int64_t in, std::int64_t out, int stride) {
    Layer body = sequential(ctx), shortcut;
    convolution(ctx, body, in, out, 3, stride);
    norm(ctx, body, out);
    simple(mpt_layer_relu, ctx, body, nullptr);
    convolution(ctx, body, out, out, 3, 1);
    norm(ctx, body, out);
    if (in != out || stride != 1) {
        shortcut = sequential(ctx);
        convolution(ctx, shortcut, in, out, 1, stride);
        norm(ctx, shortcut, out);
    }
    mpt_layer *layer;
    MUST(mpt_layer_residual(ctx, body, shortcut, &layer));
    add(chain, nullptr, layer);
    simple(mpt_layer_relu, ctx, chain, nullptr);
}

void activation(mpt_context *ctx, mpt_layer *chain, mpt_activation kind) {
    mpt_layer *layer;
    MUST(mpt_layer_activation(ctx, kind, 0, &layer));
    add(chain, nullptr, layer);
}

// A residual stream that is normalised in front of each branch, as a transformer's.
void branch(mpt_context *ctx, mpt_layer *chain, mpt_status(MPT_CALL *make)(mpt_context *, const mpt_norm_desc *, mpt_layer **)) {
    mpt_norm_desc d;
    MUST(mpt_norm_desc_init(&d, sizeof d));
    d.features = 40;
    const Layer body = sequential(ctx);
    mpt_layer *layer;
    MUST(make(ctx, &d, &layer));
    add(body, nullptr, layer);
    linear(ctx, body, nullptr, 40, 72, MPT_F32);
    simple(mpt_layer_relu, ctx, body, nullptr);
    linear(ctx, body, nullptr, 72, 40, MPT_F32);
    MUST(mpt_layer_residual(ctx, body, nullptr, &layer));
    add(chain, nullptr, layer);
}

class Training {
public:
    Training(const Case &c, bool captured, bool fused) : ctx_(context(3)), net_(sequential(ctx_)) {
        MUST(mpt_context_set_option(ctx_, "fusion", fused ? "on" : "off"));
        std::vector<std::int64_t> shape{16, 24}, targets{16};
        if (c.shape == Net::Mlp || c.shape == Net::Tokens) {
            if (c.shape == Net::Tokens) shape = {16, 5, 24}, targets = {16, 5};
            linear(ctx_, net_, nullptr, 24, 40, MPT_F32);
            activation(ctx_, net_, c.shape == Net::Mlp ? MPT_ACTIVATION_RELU : MPT_ACTIVATION_GELU);
            linear(ctx_, net_, nullptr, 40, 136, MPT_F32);
            activation(ctx_, net_, c.shape == Net::Mlp ? MPT_ACTIVATION_RELU : MPT_ACTIVATION_SILU);
            linear(ctx_, net_, nullptr, 136, 10, MPT_F32);
        } else if (c.shape == Net::Blocks) {
            shape = {16, 5, 40}, targets = {16, 5};
            for (const auto make : {mpt_layer_layer_norm, mpt_layer_rms_norm, mpt_layer_layer_norm}) branch(ctx_, net_, make);
            linear(ctx_, net_, nullptr, 40, 10, MPT_F32);
        } else {
            shape = {8, 3, 12, 12}, targets = {8};
            convolution(ctx_, net_, 3, 16, 3, 1);
            norm(ctx_, net_, 16);
            simple(mpt_layer_relu, ctx_, net_, nullptr);
            block(ctx_, net_, 16, 16, 1);
            block(ctx_, net_, 16, 24, 2);
            block(ctx_, net_, 24, 24, 1);
            simple(mpt_layer_flatten, ctx_, net_, nullptr);
            linear(ctx_, net_, nullptr, 24 * 36, 10, MPT_F32);
        }
        MUST(mpt_policy_create(ctx_, c.precision, policy_.out()));
        mpt_adam_desc d;
        MUST(mpt_adam_desc_init(&d, sizeof d));
        MUST(mpt_optimizer_adam(ctx_, &d, adam_.out()));
        MUST(mpt_optimizer_add_layer(adam_, net_));
        std::int64_t n = 1, m = 1;
        for (const std::int64_t e : shape) n *= e;
        for (const std::int64_t e : targets) m *= e;
        test::Random random(5);
        std::vector<float> x(static_cast<std::size_t>(n));
        for (float &v : x) v = static_cast<float>(random.uniform(-1, 1));
        std::vector<std::int64_t> y(static_cast<std::size_t>(m));
        for (std::int64_t &v : y) v = random.below(10);
        x_ = tensor(ctx_, MPT_F32, shape, x);
        y_ = tensor(ctx_, MPT_I64, targets, y);
        if (!captured) return;
        MUST(mpt_capture_begin(ctx_));
        step_now();
        mpt_tensor *out[] = {loss_};
        MUST(mpt_capture_end(ctx_, out, 1, program_.out()));
    }

    void step() {
        if (program_)
            MUST(mpt_program_run(program_));
        else
            step_now();
    }
    std::string contents() {
        State s;
        MUST(mpt_state_create(ctx_, s.out()));
        MUST(mpt_state_add_layer(s, "net", net_));
        MUST(mpt_state_add_optimizer(s, "adam", adam_));
        const auto loss = bytes(loss_);
        return net::contents(std::move(s)) + std::string(loss.begin(), loss.end());
    }
    std::string text() { return dump(program_); }

private:
    void step_now() {
        MUST(mpt_autocast_begin(ctx_, policy_));
        mpt_tensor *in[] = {x_}, *logits = nullptr;
        MUST(mpt_layer_forward(net_, in, 1, &logits, 1));
        Tensor held(logits), flat;
        std::int32_t rank = 0;
        MUST(mpt_tensor_ndim(logits, &rank));
        if (rank == 3) {
            const std::int64_t rows[] = {-1, 10}, all[] = {-1};
            Tensor y;
            MUST(mpt_reshape(logits, 2, rows, flat.out()));
            MUST(mpt_reshape(y_, 1, all, y.out()));
            MUST(mpt_cross_entropy(flat, y, nullptr, loss_.out()));
        } else {
            MUST(mpt_cross_entropy(logits, y_, nullptr, loss_.out()));
        }
        MUST(mpt_autocast_end(ctx_));
        MUST(mpt_backward(loss_, nullptr, MPT_GRAD_WRITE));
        MUST(mpt_optimizer_step(adam_, nullptr));
    }

    Context ctx_;
    Layer net_;
    Policy policy_;
    Optimizer adam_;
    Tensor x_, y_, loss_;
    Program program_;
};

class Fusion : public testing::TestWithParam<Case> {};

const Case kCases[] = {
    {"mlp_f32", Net::Mlp, MPT_F32},           {"mlp_f16", Net::Mlp, MPT_F16},           {"mlp_bf16", Net::Mlp, MPT_BF16},
    {"tokens_bf16", Net::Tokens, MPT_BF16},   {"residual_f32", Net::Residual, MPT_F32}, {"residual_f16", Net::Residual, MPT_F16},
    {"residual_bf16", Net::Residual, MPT_BF16}, {"blocks_f32", Net::Blocks, MPT_F32},     {"blocks_f16", Net::Blocks, MPT_F16},
    {"blocks_bf16", Net::Blocks, MPT_BF16},
};

}  // namespace

TEST_P(Fusion, GivesTheBitsOfTheParts) {
    Training eager(GetParam(), false, true), fused(GetParam(), true, true), parts(GetParam(), true, false);
    for (int i = 0; i < 4; ++i) {
        for (Training *t : {&eager, &fused, &parts}) t->step();
        ASSERT_EQ(eager.contents(), parts.contents()) << "unfused, step " << i;
        ASSERT_EQ(eager.contents() == fused.contents(), true) << "fused, step " << i;
    }
    for (const char *name : {"activation_grad_sum", "norm_relu", "norm_relu_grad", "residual_norm", "residual_norm_grad", "cross_entropy_with_grad"})
        EXPECT_EQ(std::string::npos, parts.text().find(std::string("\t") + name + "\t")) << name << " with fusion off";
}

TEST_P(Fusion, HappensOnAGpu) {
    if (device() != MPT_DEVICE_CUDA) GTEST_SKIP() << "the CPU has no fused kernels";
    const Case &c = GetParam();
    Training fused(c, true, true);
    const std::vector<const char *> names = c.shape == Net::Residual ? std::vector{"norm_relu", "norm_relu_grad"}
                                            : c.shape == Net::Blocks ? std::vector{"residual_norm", "residual_norm_grad"}
                                                                     : std::vector{"activation_grad_sum"};
    for (const char *name : names) {
        int times = 0;
        const std::string text = fused.text(), part = std::string("\t") + name + "\t";
        for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
        EXPECT_GE(times, 2) << name << " in\n" << text;
    }
}

INSTANTIATE_TEST_SUITE_P(Of, Fusion, testing::ValuesIn(kCases), [](const auto &info) { return std::string(info.param.name); });
