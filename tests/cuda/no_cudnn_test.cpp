// Convolutions without cuDNN: told to do without, or where its library cannot be opened.
#include "child.h"
#include "ops/attention.h"
#include "results.h"

using namespace cuda;

namespace {

using test::draw;
using test::Shape;

struct Case {
    Shape x, weight;
    int stride, padding, groups;
};
const Case kCases[] = {
    {{4, 16, 20, 20}, {32, 16, 3, 3}, 1, 1, 1},
    {{3, 8, 17, 15}, {16, 8, 5, 5}, 2, 2, 1},
    {{2, 12, 9, 9}, {12, 3, 3, 3}, 1, 1, 4},
    {{5, 1, 28, 28}, {8, 1, 3, 3}, 1, 0, 1},
};

// Output, dx, dw and db of a convolution.
Result convolve(mpt_context *ctx, const Case &c, mpt_dtype dtype) {
    Tensor x = test::make(ctx, dtype, draw(c.x, 1)), weight = test::make(ctx, dtype, draw(c.weight, 2));
    Tensor bias = test::make(ctx, dtype, draw({c.weight[0]}, 3)), y, loss;
    for (mpt_tensor *leaf : {static_cast<mpt_tensor *>(x), static_cast<mpt_tensor *>(weight), static_cast<mpt_tensor *>(bias)})
        MUST(mpt_tensor_set_requires_grad(leaf, 1));
    mpt_conv2d_params params;
    MUST(mpt_conv2d_params_init(&params, sizeof params));
    params.stride_h = params.stride_w = c.stride;
    params.padding_h = params.padding_w = c.padding;
    params.groups = c.groups;
    Program program;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_conv2d(x, weight, bias, &params, y.out()));
    Tensor squares, wide;
    MUST(mpt_cast(y, MPT_F32, wide.out()));
    MUST(mpt_square(wide, squares.out()));  // so that the gradient that comes in differs from place to place
    MUST(mpt_sum(squares, 0, nullptr, 0, loss.out()));
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    mpt_tensor *outputs[] = {y};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    MUST(mpt_program_run(program));
    MUST(mpt_program_run(program));  // the second run takes the launches as one
    return {{test::read(y), test::read(test::gradient(x)), test::read(test::gradient(weight)), test::read(test::gradient(bias))},
            dump(program)};
}

double bound(mpt_dtype dtype) {
    return dtype == MPT_F32 ? 1e-5 : 8 * test::roundoff(dtype);
}

class NoCudnn : public Gpu {};

}  // namespace

TEST_F(NoCudnn, OffGivesTheSameResultsByOtherKernels_cuda) {
    Context off = must_create(MPT_DEVICE_CUDA), host = must_create(MPT_DEVICE_CPU);
    MUST(mpt_context_set_option(off, "cudnn", "off"));
    bool used = false;
    for (const mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        for (const Case &c : kCases) {
            SCOPED_TRACE(std::string(mpt_dtype_name(dtype)) + ", case " + std::to_string(&c - kCases));
            const Result with = convolve(ctx, c, dtype), without = convolve(off, c, dtype);
            EXPECT_FALSE(contains(without.plan, "cudnn")) << without.plan;
            EXPECT_TRUE(contains(without.plan, "\tconv2d\tcuda:")) << without.plan;
            used |= contains(with.plan, "cudnn");
            expect_near(without, with, bound(dtype));
            expect_near(without, convolve(host, c, dtype), bound(dtype));
        }
    }
    if (!used && !HasFailure())
        GTEST_SKIP() << "no cuDNN was used here: what runs without it agrees with the CPU, and that is all that can be shown";
}

TEST_F(NoCudnn, OnAgainGivesTheSameBits_cuda) {
    const Result before = convolve(ctx, kCases[0], MPT_F32);
    MUST(mpt_context_set_option(ctx, "cudnn", "off"));
    const Result off = convolve(ctx, kCases[0], MPT_F32);
    MUST(mpt_context_set_option(ctx, "cudnn", "on"));
    const Result behind = convolve(ctx, kCases[0], MPT_F32);
    EXPECT_FALSE(contains(off.plan, "cudnn")) << off.plan;
    EXPECT_EQ(before.plan, behind.plan);
    EXPECT_EQ(before.values, behind.values);
}

TEST_F(NoCudnn, AKernelThatHasItKeepsIt_cuda) {
    Trainer trainer(ctx, Kind::Cnn);
    Context other = must_create(MPT_DEVICE_CUDA);
    Trainer twin(other, Kind::Cnn);
    for (Trainer *t : {&trainer, &twin}) t->capture();
    MUST(mpt_context_set_option(ctx, "cudnn", "off"));
    for (Trainer *t : {&trainer, &twin})
        for (int i = 0; i < 3; ++i) MUST(mpt_program_run(t->program));
    EXPECT_TRUE(twin.snapshot() == trainer.snapshot());
}

TEST_F(NoCudnn, OptionsAreOnOrOff_cuda) {
    EXPECT_EQ(MPT_ERROR_ARGUMENT, mpt_context_set_option(ctx, "cudnn", "maybe"));
    EXPECT_TRUE(contains(mpt_last_error(), "'cudnn' is 'on' or 'off'")) << mpt_last_error();
    EXPECT_EQ(MPT_ERROR_NOT_FOUND, mpt_context_set_option(ctx, "cudnnn", "off"));
    EXPECT_TRUE(contains(mpt_last_error(), "'cudnn'")) << mpt_last_error();
    Context host = must_create(MPT_DEVICE_CPU);
    EXPECT_EQ(MPT_ERROR_NOT_FOUND, mpt_context_set_option(host, "cudnn", "off"));
}

TEST(Child, DISABLED_NoCudnnLibrary) {
    Context ctx = must_create(MPT_DEVICE_CUDA), host = must_create(MPT_DEVICE_CPU);
    for (const mpt_dtype dtype : {MPT_F32, MPT_BF16}) {
        const Result result = convolve(ctx, kCases[0], dtype);
        EXPECT_FALSE(contains(result.plan, "cudnn")) << result.plan;
        expect_near(result, convolve(host, kCases[0], dtype), bound(dtype));
    }
    Trainer trainer(ctx, Kind::Cnn);
    for (int i = 0; i < 3; ++i) trainer.step();
    child_is_done();
}

TEST_F(NoCudnn, ALibraryThatCannotBeOpened_cuda) {
    const BrokenLibrary cudnn("libcudnn.so.9");
    EXPECT_CHILD_PASSES("NoCudnnLibrary", cudnn.environment());
}
