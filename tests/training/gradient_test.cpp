// The gradient's graph: accumulation, staleness, use of a graph, own cotangents, in-place changes.
#include "net.h"

using namespace net;

namespace {

struct Gradient : testing::Test {
    Context ctx = context();
    Tensor a = leaf({1, 2, 3}), b = leaf({4, 5, 6});

    Tensor leaf(const std::vector<float> &values) {
        Tensor t = tensor(ctx, MPT_F32, {static_cast<std::int64_t>(values.size())}, values);
        MUST(mpt_tensor_set_requires_grad(t, 1));
        return t;
    }
    Tensor product_sum() {
        Tensor product, sum;
        MUST(mpt_mul(a, b, product.out()));
        MUST(mpt_sum(product, 0, nullptr, 0, sum.out()));
        return sum;
    }
    std::vector<float> grad(mpt_tensor *t) {
        Tensor g;
        MUST(mpt_tensor_grad(t, g.out()));
        return floats(g);
    }
};
using Values = std::vector<float>;

}  // namespace

TEST_F(Gradient, WriteReplacesAndAddAdds) {
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{4, 5, 6}), grad(a));
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_ADD));
    EXPECT_EQ((Values{8, 10, 12}), grad(a));
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{4, 5, 6}), grad(a));
}

TEST_F(Gradient, AddStartsFromZero) {
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_ADD));
    EXPECT_EQ((Values{1, 2, 3}), grad(b));
}

TEST_F(Gradient, ATensorUsedTwiceGetsBothContributions) {
    Tensor square, sum;
    OK(mpt_mul(a, a, square.out()));
    OK(mpt_sum(square, 0, nullptr, 0, sum.out()));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{2, 4, 6}), grad(a));
}

TEST_F(Gradient, TheAddressOfAGradientNeverChanges) {
    Tensor g;
    OK(mpt_tensor_grad(a, g.out()));
    EXPECT_EQ((Values{0, 0, 0}), floats(g));
    void *before = nullptr, *after = nullptr;
    OK(mpt_tensor_data(g, &before));
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    OK(mpt_tensor_data(g, &after));
    EXPECT_EQ(before, after);
    EXPECT_EQ((Values{4, 5, 6}), floats(g));
}

TEST_F(Gradient, ALeafThatTheLossDoesNotReachKeepsItsGradient) {
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    Tensor sum;
    OK(mpt_sum(a, 0, nullptr, 0, sum.out()));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{1, 1, 1}), grad(a));
    EXPECT_EQ((Values{1, 2, 3}), grad(b));
}

TEST_F(Gradient, BackwardOverAChangedTensorIsStale) {
    Tensor loss = product_sum();
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_tensor_fill(b, 0));
    OK(mpt_no_grad_end(ctx));
    EXPECT_EQ(MPT_ERROR_STALE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find("mul")) << mpt_last_error();
}

TEST_F(Gradient, BackwardOverAViewsChangeIsStale) {
    Tensor loss = product_sum(), view;
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_slice(b, 0, 1, 1, view.out()));
    OK(mpt_tensor_fill(view, 9));
    OK(mpt_no_grad_end(ctx));
    EXPECT_EQ(MPT_ERROR_STALE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
}

TEST_F(Gradient, BackwardAfterAStepIsStale) {
    Optimizer optimizer;
    OK(mpt_optimizer_sgd(ctx, nullptr, optimizer.out()));
    mpt_tensor *list[] = {a, b};
    OK(mpt_optimizer_add_group(optimizer, "all", list, 2, nullptr));
    Tensor first = product_sum(), second = product_sum();
    OK(mpt_backward(first, nullptr, MPT_GRAD_WRITE));
    OK(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(MPT_ERROR_STALE, mpt_backward(second, nullptr, MPT_GRAD_WRITE));
}

TEST_F(Gradient, AGraphIsUsedOnce) {
    Tensor loss = product_sum();
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(MPT_ERROR_STALE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
}

TEST_F(Gradient, InPlaceChangesOfLeavesAreRefusedOutsideNoGrad) {
    EXPECT_EQ(MPT_ERROR_STATE, mpt_tensor_fill(a, 0));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_tensor_random_uniform(a, 0, 1));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_tensor_copy(a, b));
    const float values[] = {7, 8, 9};
    EXPECT_EQ(MPT_ERROR_STATE, mpt_tensor_write(a, values, sizeof values));
    EXPECT_EQ((Values{1, 2, 3}), floats(a));
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_tensor_write(a, values, sizeof values));
    OK(mpt_no_grad_end(ctx));
    EXPECT_EQ((Values{7, 8, 9}), floats(a));
}

TEST_F(Gradient, NothingIsRememberedUnderNoGrad) {
    OK(mpt_no_grad_begin(ctx));
    Tensor loss = product_sum();
    OK(mpt_no_grad_end(ctx));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    std::int32_t asks = 1;
    OK(mpt_tensor_requires_grad(loss, &asks));
    EXPECT_EQ(0, asks);
}

TEST_F(Gradient, OwnCotangentsFromSeveralRoots) {
    Tensor product, twice, c1 = tensor<float>(ctx, MPT_F32, {3}, {1, 0, 2}), c2 = tensor(ctx, MPT_F64, {3});
    OK(mpt_mul(a, b, product.out()));
    OK(mpt_affine(a, 2, 0, twice.out()));
    OK(mpt_tensor_fill(c2, 1));
    mpt_tensor *roots[] = {product, twice}, *cotangents[] = {c1, c2};
    OK(mpt_backward_from(roots, cotangents, 2, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{6, 2, 14}), grad(a));
    EXPECT_EQ((Values{1, 0, 6}), grad(b));
}

TEST_F(Gradient, DetachCutsTheGraph) {
    Tensor cut, product, sum;
    OK(mpt_tensor_detach(b, cut.out()));
    OK(mpt_mul(a, cut, product.out()));
    OK(mpt_sum(product, 0, nullptr, 0, sum.out()));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{4, 5, 6}), grad(a));
    EXPECT_EQ((Values{0, 0, 0}), grad(b));
}

TEST_F(Gradient, AFrozenLayerGetsNone) {
    Layer net = model(ctx, Kind::Mlp);
    OK(mpt_layer_freeze(net, 1));
    Tensor x = tensor(ctx, MPT_F32, {2, 784}), out, loss;
    OK(mpt_tensor_fill(x, 1));
    mpt_tensor *in = x;
    OK(mpt_layer_forward(net, &in, 1, out.out(), 1));
    OK(mpt_mean(out, 0, nullptr, 0, loss.out()));
    EXPECT_EQ(MPT_ERROR_STATE, mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    OK(mpt_layer_freeze(net, 0));
}

// A chain as long as a recurrent net's sequence must not exhaust the stack when it goes.
TEST_F(Gradient, ALongChainIsReleasedWithoutRecursion) {
    Tensor x;
    OK(mpt_affine(a, 1, 0, x.out()));
    for (int i = 0; i < 200000; ++i) {
        Tensor next;
        OK(mpt_affine(x, 1, 0, next.out()));
        x = std::move(next);
    }
}

// Accumulation: a program that writes, one that adds, one that steps.
TEST(Accumulation, ProgramsThatWriteAddAndStepEqualEager) {
    for (const mpt_dtype precision : {MPT_F32, MPT_F16, MPT_BF16}) {
        Trainer eager({Kind::Mlp, precision}), captured({Kind::Mlp, precision});
        Program programs[3];
        Tensor losses[2];
        for (int i = 0; i < 2; ++i) {
            OK(mpt_capture_begin(captured.ctx));
            captured.forward_backward(i == 0 ? MPT_GRAD_WRITE : MPT_GRAD_ADD);
            mpt_tensor *outputs[] = {captured.loss};
            OK(mpt_capture_end(captured.ctx, outputs, 1, programs[i].out()));
            losses[i] = std::move(captured.loss);
        }
        OK(mpt_capture_begin(captured.ctx));
        captured.update();
        OK(mpt_capture_end(captured.ctx, nullptr, 0, programs[2].out()));
        for (int step = 0; step < 6; ++step) {
            for (int micro = 0; micro < 3; ++micro) {
                const Batch b = batch(Kind::Mlp, step * 3 + micro);
                for (Trainer *t : {&eager, &captured}) {
                    OK(mpt_tensor_write(t->x, b.x.data(), b.x.size() * sizeof(float)));
                    OK(mpt_tensor_write(t->y, b.labels.data(), b.labels.size()));
                }
                eager.forward_backward(micro == 0 ? MPT_GRAD_WRITE : MPT_GRAD_ADD);
                OK(mpt_program_run(programs[micro == 0 ? 0 : 1]));
            }
            eager.update();
            OK(mpt_program_run(programs[2]));
            ASSERT_EQ(eager.snapshot(), captured.snapshot()) << mpt_dtype_name(precision) << " step " << step;
        }
    }
}

// ---- what a walk may not do ----

TEST_F(Gradient, AnF64ProductOfAnF32WeightStaysWithinItsGradient) {
    Tensor x = tensor(ctx, MPT_F64, {2, 3}), w = tensor(ctx, MPT_F32, {4, 3}), y, sum;
    OK(mpt_tensor_fill(x, 2));
    OK(mpt_tensor_fill(w, 1));
    OK(mpt_tensor_set_requires_grad(w, 1));
    OK(mpt_linear(x, w, nullptr, y.out()));
    OK(mpt_sum(y, 0, nullptr, 0, sum.out()));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(Values(12, 4.0f), grad(w));
}

TEST_F(Gradient, IntegersCarryNone) {
    Tensor whole, back, product, sum;
    OK(mpt_cast(a, MPT_I32, whole.out()));
    OK(mpt_cast(whole, MPT_F32, back.out()));
    OK(mpt_mul(a, back, product.out()));
    OK(mpt_sum(product, 0, nullptr, 0, sum.out()));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{1, 2, 3}), grad(a));
}

TEST_F(Gradient, AStaleGraphChangesNoGradientAndIsNotUsedUp) {
    Tensor c = leaf({7, 8, 9}), first, second, sum;
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    OK(mpt_mul(a, c, first.out()));
    OK(mpt_mul(first, b, second.out()));
    OK(mpt_sum(second, 0, nullptr, 0, sum.out()));
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_tensor_fill(c, 1));
    OK(mpt_no_grad_end(ctx));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(MPT_ERROR_STALE, mpt_backward(sum, nullptr, MPT_GRAD_ADD));
        EXPECT_NE(std::string::npos, std::string(mpt_last_error()).find("changed")) << mpt_last_error();
        EXPECT_EQ((Values{1, 2, 3}), grad(b));
    }
}

TEST_F(Gradient, WhatAFrozenFactorWouldNeedIsNotKept) {
    Tensor x = tensor<float>(ctx, MPT_F32, {3}, {1, 1, 1}), product, sum;
    OK(mpt_mul(x, a, product.out()));  // only a's gradient is asked for, which reads x
    OK(mpt_sum(product, 0, nullptr, 0, sum.out()));
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_tensor_fill(a, 5));
    OK(mpt_no_grad_end(ctx));
    OK(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ((Values{1, 1, 1}), grad(a));
}

TEST_F(Gradient, AGradientMayBeACotangent) {
    Tensor g;
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    OK(mpt_tensor_grad(a, g.out()));
    mpt_tensor *roots[] = {a}, *cotangents[] = {g};
    OK(mpt_backward_from(roots, cotangents, 1, MPT_GRAD_ADD));
    EXPECT_EQ((Values{8, 10, 12}), grad(a));

    Tensor w = tensor(ctx, MPT_F32, {96, 96}), x = tensor(ctx, MPT_F32, {96, 96}), y, z, dw, copy;
    OK(mpt_tensor_random_normal(w, 0, 1));
    OK(mpt_tensor_random_normal(x, 0, 1));
    OK(mpt_tensor_set_requires_grad(w, 1));
    OK(mpt_tensor_grad(w, dw.out()));
    OK(mpt_tensor_random_normal(dw, 0, 1));
    const std::vector<float> start = floats(dw);
    copy = tensor(ctx, MPT_F32, {96, 96}, start);
    OK(mpt_linear(x, w, nullptr, y.out()));
    mpt_tensor *root[] = {y}, *own[] = {dw}, *other[] = {copy};
    OK(mpt_backward_from(root, own, 1, MPT_GRAD_WRITE));
    const auto aliased = bytes(dw);
    OK(mpt_linear(x, w, nullptr, z.out()));
    mpt_tensor *again[] = {z};
    OK(mpt_backward_from(again, other, 1, MPT_GRAD_WRITE));
    EXPECT_EQ(bytes(dw), aliased);
}

TEST_F(Gradient, ManyEqualMaximaInF16ShareIt) {
    Tensor x = tensor(ctx, MPT_F16, {70000}), most, scaled;
    OK(mpt_tensor_fill(x, 1));
    OK(mpt_tensor_set_requires_grad(x, 1));
    OK(mpt_max(x, 0, nullptr, 0, most.out()));
    OK(mpt_affine(most, 1000, 0, scaled.out()));
    OK(mpt_backward(scaled, nullptr, MPT_GRAD_WRITE));
    EXPECT_NEAR(1000.0 / 70000, grad(x)[69999], 1e-5);
}

// ---- optimizers over odd parameters ----

TEST_F(Gradient, AFrozenParameterStaysWhereItIs) {
    Optimizer optimizer;
    OK(mpt_optimizer_sgd(ctx, nullptr, optimizer.out()));
    mpt_tensor *list[] = {a, b};
    OK(mpt_optimizer_add_group(optimizer, "all", list, 2, nullptr));
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    OK(mpt_optimizer_step(optimizer, nullptr));
    OK(mpt_tensor_set_requires_grad(a, 0));
    const auto before = bytes(a);
    OK(mpt_backward(product_sum(), nullptr, MPT_GRAD_WRITE));
    OK(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(before, bytes(a));
}

TEST_F(Gradient, ALowPrecisionViewIsNoParameterOfAnOptimizer) {
    Tensor whole = tensor(ctx, MPT_BF16, {8}), half, own;
    OK(mpt_tensor_fill(whole, 1));
    OK(mpt_slice(whole, 0, 0, 4, half.out()));
    OK(mpt_tensor_detach(half, own.out()));
    OK(mpt_tensor_set_requires_grad(own, 1));
    Optimizer optimizer;
    OK(mpt_optimizer_sgd(ctx, nullptr, optimizer.out()));
    mpt_tensor *list[] = {own};
    EXPECT_EQ(MPT_ERROR_SHAPE, mpt_optimizer_add_group(optimizer, "half", list, 1, nullptr));
}

TEST(LowPrecisionLayer, TakesOtherTypesAndSavesTheMasterOfWhatTheHostWrote) {
    Context ctx = context();
    Layer net = model(ctx, Kind::Regression, MPT_BF16);
    Tensor x = tensor(ctx, MPT_F32, {3, 4}), out, loss, w;
    OK(mpt_tensor_fill(x, 1));
    mpt_tensor *in = x;
    OK(mpt_layer_forward(net, &in, 1, out.out(), 1));
    OK(mpt_mean(out, 0, nullptr, 0, loss.out()));
    OK(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    Optimizer optimizer;
    mpt_sgd_desc d;
    OK(mpt_sgd_desc_init(&d, sizeof d));
    OK(mpt_optimizer_sgd(ctx, &d, optimizer.out()));
    OK(mpt_optimizer_add_layer(optimizer, net));
    State state;
    OK(mpt_state_create(ctx, state.out()));
    OK(mpt_state_add_layer(state, "model", net));
    OK(mpt_state_add_optimizer(state, "optimizer", optimizer));
    OK(mpt_layer_parameter_by_name(net, "head.weight", w.out()));
    OK(mpt_no_grad_begin(ctx));
    OK(mpt_tensor_fill(w, 7));
    OK(mpt_no_grad_end(ctx));
    const std::string path = std::string(MPT_TEST_SCRATCH) + "/master.safetensors";
    OK(mpt_state_save(state, path.c_str()));
    OK(mpt_state_load(state, path.c_str()));
    OK(mpt_optimizer_set_lr(optimizer, 0));
    OK(mpt_optimizer_step(optimizer, nullptr));
    EXPECT_EQ(std::vector<float>(8, 7.0f), floats(w));
}
