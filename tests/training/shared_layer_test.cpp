// A layer that stands in several places of a network has one set of parameters.
#include "common/tensors.h"
#include "net.h"

using namespace net;

namespace {

struct Shared : testing::Test {
    Context ctx = context();
    Layer net, twice;

    void SetUp() override {
        MUST(mpt_layer_sequential(ctx, net.out()));
        mpt_linear_desc d;
        MUST(mpt_linear_desc_init(&d, sizeof d));
        d.in_features = d.out_features = 1;
        d.no_bias = 1;
        MUST(mpt_layer_linear(ctx, &d, twice.out()));
        MUST(mpt_layer_add(net, "first", twice));
        linear(ctx, net, "between", 1, 1, MPT_F32);
        MUST(mpt_layer_add(net, "second", twice));
    }
};

}  // namespace

TEST_F(Shared, ParametersCountOnceByTheirFirstName) {
    std::int32_t n = 0;
    OK(mpt_layer_parameter_count(net, &n));
    ASSERT_EQ(n, 3);
    for (const auto &[index, name] : {std::pair{0, "first.weight"}, {1, "between.weight"}, {2, "between.bias"}}) {
        char text[32];
        OK(mpt_layer_parameter_name(net, index, text, sizeof text, nullptr));
        EXPECT_STREQ(text, name);
    }
}

TEST_F(Shared, TrainsAndIsSaved) {
    Optimizer sgd;
    State state;
    OK(mpt_optimizer_sgd(ctx, nullptr, sgd.out()));
    OK(mpt_optimizer_set_lr(sgd, 0.125));
    OK(mpt_optimizer_add_layer(sgd, net));
    OK(mpt_state_create(ctx, state.out()));
    OK(mpt_state_add_layer(state, "net", net));
    Tensor w, between, bias, x = test::make(ctx, MPT_F32, test::Values{{1, 1}, {3}}), y;
    OK(mpt_layer_parameter_by_name(net, "first.weight", w.out()));
    OK(mpt_layer_parameter_by_name(net, "between.weight", between.out()));
    OK(mpt_layer_parameter_by_name(net, "between.bias", bias.out()));
    OK(mpt_no_grad_begin(ctx));
    test::write(w, {2});
    test::write(between, {1});
    test::write(bias, {0});
    OK(mpt_no_grad_end(ctx));
    mpt_tensor *in = x;
    OK(mpt_layer_forward(net, &in, 1, y.out(), 1));
    EXPECT_EQ(test::read(y), std::vector<double>{12});
    Tensor loss;
    OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(test::read(test::gradient(w)), std::vector<double>{12}) << "of w^2 x, from both places";
    OK(mpt_optimizer_step(sgd, nullptr));
    EXPECT_EQ(test::read(w), std::vector<double>{0.5});
}

// The same tensor in two of the host's own layers: tied weights.
TEST_F(Shared, TensorsOfCustomLayersToo) {
    Tensor tied = test::make(ctx, MPT_F32, {1, 2});
    Layer both;
    OK(mpt_layer_sequential(ctx, both.out()));
    for (const char *name : {"encoder", "decoder"}) {
        mpt_custom_layer_desc d;
        OK(mpt_custom_layer_desc_init(&d, sizeof d));
        d.forward = [](mpt_layer *, mpt_tensor *const *x, std::int32_t, mpt_tensor **y, std::int32_t, void *) { return mpt_relu(x[0], y); };
        Layer own;
        OK(mpt_layer_custom(ctx, &d, own.out()));
        OK(mpt_layer_add_parameter(own, "w", tied));
        EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_layer_add_parameter(own, "w", tied)) << "a name is taken once";
        OK(mpt_layer_add(both, name, own));
    }
    std::int32_t n = 0;
    OK(mpt_layer_parameter_count(both, &n));
    EXPECT_EQ(n, 1);
}
