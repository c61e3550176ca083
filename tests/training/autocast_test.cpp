// Autocast: which types ops run in, overrides, and the low-precision copies of parameters, which never go stale.
#include <cmath>

#include "dump.h"

using namespace net;

namespace {

mpt_dtype dtype_of(mpt_tensor *t) {
    mpt_dtype d;
    MUST(mpt_tensor_dtype(t, &d));
    return d;
}

struct Fixture : testing::Test {
    Context ctx = context();
    Policy policy;
    Tensor x = tensor(ctx, MPT_F32, {4, 784});
    void SetUp() override {
        MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
        MUST(mpt_tensor_random_uniform(x, -1, 1));
    }
    Tensor run(mpt_layer *net) {
        Tensor out;
        mpt_tensor *in = x;
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &in, 1, out.out(), 1));
        MUST(mpt_autocast_end(ctx));
        return out;
    }
    std::string plan(mpt_layer *net, bool backward) {
        Program program;
        Tensor out, loss;
        mpt_tensor *in = x;
        MUST(mpt_capture_begin(ctx));
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &in, 1, out.out(), 1));
        MUST(mpt_mean(out, 0, nullptr, 0, loss.out()));
        MUST(mpt_autocast_end(ctx));
        if (backward) MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        mpt_tensor *outputs[] = {loss};
        MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
        return dump(program);
    }
    // The plan's line of an op of a layer in a role.
    static std::string line(const std::string &text, const std::string &op, const std::string &role, const std::string &layer) {
        std::size_t at = 0;
        while (at < text.size()) {
            const std::size_t end = text.find('\n', at);
            const std::string l = text.substr(at, end - at);
            if (l.find("\t" + op + "\t") != std::string::npos && l.find("\t" + role + "\t" + layer + "\t") != std::string::npos) return l;
            at = end + 1;
        }
        return "";
    }
};

}  // namespace

using Autocast = Fixture;

TEST_F(Autocast, ClassesDecideTheTypes) {
    Tensor w = tensor(ctx, MPT_F32, {5, 784}), y, e, s, m, sum, mixed, r;
    OK(mpt_tensor_fill(w, 0.01));
    OK(mpt_autocast_begin(ctx, policy));
    OK(mpt_linear(x, w, nullptr, y.out()));
    EXPECT_EQ(MPT_BF16, dtype_of(y)) << "lower";
    OK(mpt_exp(y, e.out()));
    EXPECT_EQ(MPT_F32, dtype_of(e)) << "f32";
    OK(mpt_sum(y, 0, nullptr, 0, sum.out()));
    EXPECT_EQ(MPT_F32, dtype_of(sum)) << "f32 result";
    OK(mpt_add(y, e, mixed.out()));
    EXPECT_EQ(MPT_F32, dtype_of(mixed)) << "promote widest";
    OK(mpt_relu(y, r.out()));
    EXPECT_EQ(MPT_BF16, dtype_of(r)) << "as is";
    OK(mpt_autocast_begin(ctx, nullptr));
    OK(mpt_linear(x, w, nullptr, s.out()));
    EXPECT_EQ(MPT_F32, dtype_of(s)) << "off inside";
    OK(mpt_autocast_end(ctx));
    OK(mpt_linear(x, w, nullptr, m.out()));
    EXPECT_EQ(MPT_BF16, dtype_of(m)) << "on again";
    OK(mpt_autocast_end(ctx));
}

TEST_F(Autocast, F64AndIntegersPassUntouched) {
    Tensor a = tensor(ctx, MPT_F64, {2, 2}), b = tensor(ctx, MPT_F64, {2, 2}), i = tensor(ctx, MPT_I32, {2}), out, sum;
    OK(mpt_tensor_fill(a, 1));
    OK(mpt_tensor_fill(b, 1));
    OK(mpt_tensor_fill(i, 1));
    OK(mpt_autocast_begin(ctx, policy));
    OK(mpt_matmul(a, b, out.out()));
    OK(mpt_add(i, i, sum.out()));
    OK(mpt_autocast_end(ctx));
    EXPECT_EQ(MPT_F64, dtype_of(out));
    EXPECT_EQ(MPT_I32, dtype_of(sum));
}

TEST_F(Autocast, OverridesByLayerRoleAndOp) {
    Layer net = model(ctx, Kind::Mlp);
    std::string text = plan(net, true);
    EXPECT_NE(std::string::npos, line(text, "linear", "fwd", "head").find("-> (bf16[4, 10]")) << text;
    OK(mpt_policy_set_layer(policy, "head*", MPT_F32));
    text = plan(net, true);
    EXPECT_NE(std::string::npos, line(text, "linear", "fwd", "head").find("-> (f32[4, 10]")) << text;
    EXPECT_NE(std::string::npos, line(text, "linear", "fwd", "fc1").find("-> (bf16[4, 96]")) << text;
    EXPECT_NE(std::string::npos, line(text, "matmul", "dgrad", "head").find("(f32[4, 10]")) << "backward follows the forward's policy\n" << text;

    OK(mpt_policy_set_role(policy, MPT_ROLE_WEIGHT_GRADIENT, MPT_F32));
    text = plan(net, true);
    EXPECT_NE(std::string::npos, line(text, "matmul", "wgrad", "fc2").find("(f32[33, 4]")) << text;
    EXPECT_NE(std::string::npos, line(text, "matmul", "dgrad", "fc2").find("(bf16[4, 33]")) << text;

    OK(mpt_policy_set_op(policy, "linear", MPT_F16));
    text = plan(net, true);
    EXPECT_NE(std::string::npos, line(text, "linear", "fwd", "head").find("-> (f16[4, 10]")) << "an op's override counts most\n" << text;
}

TEST_F(Autocast, TheClassListsArePrintedWithTheirVersion) {
    std::size_t needed = 0;
    OK(mpt_policy_set_layer(policy, "head*", MPT_F32));
    OK(mpt_policy_describe(policy, nullptr, 0, &needed));
    std::string text(needed, '\0');
    OK(mpt_policy_describe(policy, text.data(), needed, nullptr));
    for (const char *part : {"class lists version 2", "lower:", "conv2d", "f32 result:", "promote widest:", "layer \"head*\" = f32"})
        EXPECT_NE(std::string::npos, text.find(part)) << part << " in\n" << text;
}

// Casting a weight under no-grad and then using it with gradients loses the weight's gradient in a popular framework.
TEST_F(Autocast, ACopyMadeWithoutGradientsDoesNotLoseThem) {
    Layer net = model(ctx, Kind::Mlp);
    OK(mpt_no_grad_begin(ctx));
    Tensor ignored = run(net);
    OK(mpt_no_grad_end(ctx));
    Tensor out = run(net), loss;
    OK(mpt_mean(out, 0, nullptr, 0, loss.out()));
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    Tensor w, g;
    OK(mpt_layer_parameter_by_name(net, "head.weight", w.out()));
    OK(mpt_tensor_grad(w, g.out()));
    float sum = 0;
    for (const float v : floats(g)) sum += std::abs(v);
    EXPECT_GT(sum, 0);
}

// Whatever writes a parameter, the next forward sees it: eager, and in a program that was captured before.
TEST_F(Autocast, CopiesNeverGoStale) {
    Layer net = model(ctx, Kind::Regression);
    Tensor in = tensor(ctx, MPT_F32, {1, 4}), w, out;
    OK(mpt_tensor_fill(in, 1));
    OK(mpt_layer_parameter_by_name(net, "head.weight", w.out()));
    mpt_tensor *input = in;
    const auto forward = [&] {
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &input, 1, out.out(), 1));
        MUST(mpt_autocast_end(ctx));
        return floats(out)[0];
    };
    Tensor bias;
    OK(mpt_layer_parameter_by_name(net, "head.bias", bias.out()));
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_tensor_fill(bias, 0));
    forward();  // makes the copy

    Program program;
    Tensor result;
    OK(mpt_capture_begin(ctx));
    OK(mpt_autocast_begin(ctx, policy));
    OK(mpt_layer_forward(net, &input, 1, result.out(), 1));
    OK(mpt_autocast_end(ctx));
    mpt_tensor *outputs[] = {result};
    OK(mpt_capture_end(ctx, outputs, 1, program.out()));
    const auto replay = [&] {
        MUST(mpt_program_run(program));
        return floats(result)[0];
    };

    OK(mpt_tensor_fill(w, 2));
    EXPECT_EQ(8, replay());
    EXPECT_EQ(8, forward());
    OK(mpt_tensor_fill(w, 3));
    EXPECT_EQ(12, forward());
    EXPECT_EQ(12, replay());
    const std::vector<float> four(8, 4.0f);
    OK(mpt_tensor_write(w, four.data(), four.size() * sizeof(float)));
    EXPECT_EQ(16, replay());
    Tensor view;
    OK(mpt_slice(w, 0, 0, 1, view.out()));
    OK(mpt_tensor_fill(view, 5));
    EXPECT_EQ(20, replay()) << "through a view";
    void *memory = nullptr;
    OK(mpt_tensor_data(w, &memory));
    for (int i = 0; i < 8; ++i) static_cast<float *>(memory)[i] = 6;
    EXPECT_EQ(20, replay()) << "mpt cannot see this";
    OK(mpt_tensor_mark_modified(w));
    EXPECT_EQ(24, replay());
    EXPECT_EQ(24, forward());
    OK(mpt_no_grad_end(ctx));
}

TEST_F(Autocast, TheOptimizerRefreshesTheCopyItself) {
    Trainer t({Kind::Mlp, MPT_BF16});
    t.capture();
    const std::string text = dump(t.program);
    EXPECT_EQ(std::string::npos, text.find("\tcopy\t")) << "no copy of a weight runs per step\n" << text;
    std::size_t casts = 0;
    for (std::size_t at = text.find("\tcast\t"); at != std::string::npos; at = text.find("\tcast\t", at + 1)) ++casts;
    EXPECT_LE(casts, 3u) << "the input, the logits and their gradient\n" << text;
}

TEST_F(Autocast, PairsMustMatch) {
    EXPECT_EQ(MPT_ERROR_STATE, mpt_autocast_end(ctx));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_no_grad_end(ctx));
}

TEST_F(Autocast, OpsThatOnlyMoveDataTakeNoOverride) {
    for (const char *op : {"cast", "contiguous", "copy", "fill", "random", "reshape", "adam"})
        EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_policy_set_op(policy, op, MPT_BF16)) << op;
    EXPECT_EQ(MPT_ERROR_NOT_FOUND, mpt_policy_set_op(policy, "no such op", MPT_BF16));
    OK(mpt_policy_set_op(policy, "add", MPT_BF16));
}

TEST_F(Autocast, AnOverrideOfAdditionsDoesNotRoundGradientSums) {
    Tensor w = tensor(ctx, MPT_F32, {1}), sum, g;
    OK(mpt_tensor_fill(w, 1));
    OK(mpt_tensor_set_requires_grad(w, 1));
    OK(mpt_tensor_grad(w, g.out()));
    OK(mpt_tensor_fill(g, 1001));
    OK(mpt_policy_set_op(policy, "add", MPT_BF16));
    OK(mpt_autocast_begin(ctx, policy));
    OK(mpt_sum(w, 0, nullptr, 0, sum.out()));
    OK(mpt_autocast_end(ctx));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_ADD));
    EXPECT_EQ(1002, floats(g)[0]);
}
