// What a policy's overrides do to fp8 products: an op's counts more than a layer's, and that more than a role's.
#include <utility>

#include "common/random.h"
#include "common/tensors.h"
#include "net.h"

using namespace net;

namespace {

struct Results {
    std::vector<double> y, dx, dw, db;
};

// Of policies that compute in f32: what fp8 has not rounded is exact.
class Overrides : public testing::Test {
protected:
    Context ctx = context();
    Policy all, plain;  // fp8; f32

    void SetUp() override {
        for (Policy *p : {&all, &plain}) MUST(mpt_policy_create(ctx, MPT_F32, p->out()));
        MUST(mpt_policy_set_fp8(all, nullptr));
    }
    Policy fp8() {
        Policy p;
        MUST(mpt_policy_create(ctx, MPT_F32, p.out()));
        MUST(mpt_policy_set_fp8(p, nullptr));
        return p;
    }
    test::Values values(const test::Shape &shape) {
        test::Values v{shape, {}};
        for (std::int64_t i = 0; i < test::count(shape); ++i) v.data.push_back(random_.uniform(-1, 1));
        return v;
    }
    Results run(mpt_policy *policy, mpt_layer *net, const test::Values &input, const test::Values &cotangent) {
        Tensor x = test::make(ctx, MPT_F32, input), dy = test::make(ctx, MPT_F32, cotangent), y, w, b;
        MUST(mpt_tensor_set_requires_grad(x, 1));
        mpt_tensor *in = x;
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &in, 1, y.out(), 1));
        MUST(mpt_autocast_end(ctx));
        mpt_tensor *root = y, *start = dy;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        MUST(mpt_layer_parameter_by_name(net, "head.weight", w.out()));
        MUST(mpt_layer_parameter_by_name(net, "head.bias", b.out()));
        return {test::read(y), test::read(test::gradient(x)), test::read(test::gradient(w)), test::read(test::gradient(b))};
    }
    // One of the gradients taken out of fp8, in each of the ways; then the forward.
    void check(mpt_layer *net, const test::Values &x, const test::Values &dy, const char *dgrad, const char *wgrad) {
        const Results in_fp8 = run(all, net, x, dy), exact = run(plain, net, x, dy);
        EXPECT_NE(in_fp8.y, exact.y);
        std::vector<std::vector<double>> dx, dw;
        for (const auto &[role, op] : {std::pair{MPT_ROLE_INPUT_GRADIENT, dgrad}, {MPT_ROLE_WEIGHT_GRADIENT, wgrad}}) {
            const bool input = role == MPT_ROLE_INPUT_GRADIENT;
            const Policy by_role = fp8(), by_op = fp8();
            MUST(mpt_policy_set_role(by_role, role, MPT_F32));
            MUST(mpt_policy_set_op(by_op, op, MPT_F32));
            const Results a = run(by_role, net, x, dy), b = run(by_op, net, x, dy);
            EXPECT_EQ(a.y, in_fp8.y);
            EXPECT_EQ(b.y, in_fp8.y);
            EXPECT_EQ(input ? a.dx : a.dw, input ? b.dx : b.dw) << op;
            EXPECT_NE(input ? a.dx : a.dw, input ? in_fp8.dx : in_fp8.dw) << op;
            EXPECT_EQ(input ? a.dw : a.dx, input ? in_fp8.dw : in_fp8.dx) << "the other role";

            MUST(mpt_policy_set_layer(by_role, "head", MPT_F8E4M3));
            const Results layer = run(by_role, net, x, dy);
            EXPECT_EQ(layer.dx, in_fp8.dx) << "a layer counts more than a role";
            EXPECT_EQ(layer.dw, in_fp8.dw);
            MUST(mpt_policy_set_op(by_role, op, MPT_F32));
            const Results strongest = run(by_role, net, x, dy);
            EXPECT_EQ(input ? strongest.dx : strongest.dw, input ? b.dx : b.dw) << "an op counts more than both";
        }
        const Policy forward = fp8();
        MUST(mpt_policy_set_role(forward, MPT_ROLE_FORWARD, MPT_F32));
        EXPECT_EQ(run(forward, net, x, dy).y, exact.y);
        MUST(mpt_policy_set_layer(forward, "head", MPT_F8E4M3));
        EXPECT_EQ(run(forward, net, x, dy).y, in_fp8.y);
    }

private:
    test::Random random_{21};
};

}  // namespace

TEST_F(Overrides, OfLinearLayers) {
    Layer net;
    MUST(mpt_layer_sequential(ctx, net.out()));
    linear(ctx, net, "head", 6, 5, MPT_F32);
    check(net, values({4, 6}), values({4, 5}), "matmul", "matmul");
}

TEST_F(Overrides, OfConvolutions) {
    Layer net;
    MUST(mpt_layer_sequential(ctx, net.out()));
    conv(ctx, net, "head", 2, 3, MPT_F32);
    check(net, values({2, 2, 5, 5}), values({2, 3, 3, 3}), "conv2d_dgrad", "conv2d_wgrad");
}

// A bias may have any floating type, in fp8 as elsewhere.
TEST_F(Overrides, ABiasOfAnotherTypeIsCast) {
    const test::Values x = values({4, 6}), w = values({5, 6}), b = values({5});
    std::vector<double> wanted;
    for (mpt_dtype dtype : {MPT_F32, MPT_F64}) {
        if (!computes(dtype)) continue;
        Tensor bias = test::make(ctx, dtype, b), y, loss;
        MUST(mpt_tensor_set_requires_grad(bias, 1));
        OK(mpt_autocast_begin(ctx, all));
        OK(mpt_linear(test::make(ctx, MPT_F32, x), test::make(ctx, MPT_F32, w), bias, y.out()));
        OK(mpt_autocast_end(ctx));
        OK(mpt_sum(y, 0, nullptr, 0, loss.out()));
        OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
        if (dtype == MPT_F32) wanted = test::read(y);
        EXPECT_EQ(wanted, test::read(y));
        EXPECT_EQ(test::read(test::gradient(bias)), std::vector<double>(5, 4));
    }
}
