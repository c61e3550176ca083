// An abort puts the host's side back as it was before the begin.
#include "net.h"

using namespace net;

namespace {

struct Aborted : testing::Test {
    Context ctx = context();
    Layer net;
    Tensor x = tensor<float>(ctx, MPT_F32, {1, 4}, {1, 2, 3, 4}), y, loss;

    void SetUp() override { MUST(mpt_layer_sequential(ctx, net.out())); }
    void forward() {
        mpt_tensor *in = x;
        MUST(mpt_layer_forward(net, &in, 1, y.out(), 1));
    }
    void backward() {
        forward();
        MUST(mpt_sum(y, 0, nullptr, 0, loss.out()));
        MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    }
};

}  // namespace

TEST_F(Aborted, LayersTrainAsBefore) {
    Layer dropout;
    OK(mpt_layer_dropout(ctx, 0.9, dropout.out()));
    OK(mpt_layer_add(net, "dropout", dropout));
    x = tensor<float>(ctx, MPT_F32, {64}, std::vector<float>(64, 1));
    OK(mpt_capture_begin(ctx));
    OK(mpt_layer_set_training(net, 0));
    forward();
    OK(mpt_layer_set_training(dropout, 1));
    OK(mpt_layer_set_training(net, 0));
    OK(mpt_capture_abort(ctx));
    forward();
    EXPECT_NE(floats(y), floats(x)) << "dropout is off";

    Program program;
    OK(mpt_capture_begin(ctx));
    OK(mpt_layer_set_training(net, 0));
    OK(mpt_capture_end(ctx, nullptr, 0, program.out()));
    forward();
    EXPECT_EQ(floats(y), floats(x)) << "a capture that ends well has set it";
}

TEST_F(Aborted, GradientsBornInsideAreGone) {
    linear(ctx, net, "linear", 4, 2, MPT_F32);
    Tensor w;
    Optimizer adamw;
    mpt_adam_desc d;
    OK(mpt_layer_parameter_by_name(net, "linear.weight", w.out()));
    OK(mpt_adamw_desc_init(&d, sizeof d));
    d.weight_decay = 0.5;
    OK(mpt_optimizer_adamw(ctx, &d, adamw.out()));
    OK(mpt_optimizer_add_layer(adamw, net));
    OK(mpt_capture_begin(ctx));
    backward();
    OK(mpt_capture_abort(ctx));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_optimizer_step(adamw, nullptr)) << "there is no gradient";

    backward();
    const auto gradient = [&] {
        Tensor g;
        MUST(mpt_tensor_grad(w, g.out()));
        return floats(g);
    };
    const std::vector<float> before = gradient();
    OK(mpt_capture_begin(ctx));
    backward();
    OK(mpt_capture_abort(ctx));
    EXPECT_EQ(before, gradient()) << "one from before the begin stays";
    OK(mpt_optimizer_step(adamw, nullptr));
}

TEST_F(Aborted, LeavesAskForGradientsAsBefore) {
    std::int32_t asks = -1;
    OK(mpt_capture_begin(ctx));
    OK(mpt_tensor_set_requires_grad(x, 1));
    OK(mpt_capture_abort(ctx));
    OK(mpt_tensor_requires_grad(x, &asks));
    EXPECT_EQ(asks, 0);
}
