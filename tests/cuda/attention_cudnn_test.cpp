// Attention through cuDNN: which calls go there, and that the results are those of the other kernels and the same in every run.
#include "ops/attention.h"
#include "results.h"

using namespace cuda;

namespace {

using test::draw;
using test::Shape;

// How q, k and v lie: [B,H,T,D], [B,T,H,D], or rows that begin behind 8 bytes of something else.
enum class Lie { HeadsOutside, HeadsInside, Misaligned };

struct Form {
    std::int64_t batch, heads, rows, keys, columns, values;
    bool causal = false;
    Lie lie = Lie::HeadsOutside;
    double scale = 0, dropout = 0;
    double shift = 0;     // of q's elements and, the other way, of k's
    bool only_q = false;  // needs a gradient
};

// A leaf, and its view [B,H,rows,columns].
struct Operand {
    Tensor leaf, view;
};

Operand operand(mpt_context *ctx, mpt_dtype dtype, const Form &f, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
    const std::int64_t more = f.lie == Lie::Misaligned ? 8 : 0;
    const Shape shape =
        f.lie == Lie::HeadsInside ? Shape{f.batch, rows, f.heads, columns} : Shape{f.batch, f.heads, rows, columns + more};
    test::Values values = draw(shape, seed);
    for (double &x : values.data) x += seed == 1 ? f.shift : seed == 2 ? -f.shift : 0;
    return {test::make(ctx, dtype, values), {}};
}

void see(Operand &x, const Form &f, std::int64_t columns) {
    const std::int32_t order[] = {0, 2, 1, 3};
    if (f.lie == Lie::HeadsInside)
        MUST(mpt_transpose(x.leaf, 4, order, x.view.out()));
    else
        MUST(mpt_slice(x.leaf, 3, f.lie == Lie::Misaligned ? 4 : 0, columns, x.view.out()));
}

// Output and the gradients of q, k and v.
Result attend(mpt_context *ctx, const Form &f, mpt_dtype dtype) {
    Operand q = operand(ctx, dtype, f, f.rows, f.columns, 1), k = operand(ctx, dtype, f, f.keys, f.columns, 2),
            v = operand(ctx, dtype, f, f.keys, f.values, 3);
    for (Operand *x : {&q, &k, &v})
        if (x == &q || !f.only_q) MUST(mpt_tensor_set_requires_grad(x->leaf, 1));
    const mpt_attention_params params = test::attention_params(f.causal, f.scale, f.dropout);
    Tensor y, wide, squares, loss;
    Program program;
    MUST(mpt_capture_begin(ctx));
    see(q, f, f.columns), see(k, f, f.columns), see(v, f, f.values);
    MUST(mpt_attention(q.view, k.view, v.view, nullptr, &params, y.out()));
    MUST(mpt_cast(y, MPT_F32, wide.out()));
    MUST(mpt_square(wide, squares.out()));  // so that the gradient that comes in differs from place to place
    MUST(mpt_sum(squares, 0, nullptr, 0, loss.out()));
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    mpt_tensor *outputs[] = {y};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    MUST(mpt_program_run(program));
    MUST(mpt_program_run(program));  // the second run takes the launches as one
    Result result{{test::read(y), test::read(test::gradient(q.leaf))}, dump(program)};
    if (!f.only_q)
        for (const Operand *x : {&k, &v}) result.values.push_back(test::read(test::gradient(x->leaf)));
    return result;
}

bool forward_by_cudnn(const Result &r) {
    return contains(r.plan, "\tattention\tcudnn:attention");
}
bool gradient_by_cudnn(const Result &r) {
    return contains(r.plan, "\tattention_grad\tcudnn:attention_grad");
}

class AttentionCudnn : public Gpu {
protected:
    void SetUp() override {
        Gpu::SetUp();
        if (IsSkipped()) return;
        if (!forward_by_cudnn(attend(ctx, {1, 1, 128, 128, 64, 64}, MPT_BF16)))
            GTEST_SKIP() << "there is no cuDNN 9.10.2 or newer here that takes attention";
        off = must_create(MPT_DEVICE_CUDA);
        MUST(mpt_context_set_option(off, "cudnn", "off"));
        host = must_create(MPT_DEVICE_CPU);
    }
    Context off, host;
};

}  // namespace

TEST_F(AttentionCudnn, GivesTheResultsOfTheOtherKernels_cuda) {
    const Form forms[] = {
        {2, 3, 128, 128, 64, 64, true},
        {2, 3, 128, 128, 64, 64, true, Lie::HeadsInside},
        {1, 2, 128, 128, 64, 64, false, Lie::HeadsOutside, 0.3},
        {1, 2, 100, 256, 64, 64, true, Lie::HeadsInside},
        {1, 2, 200, 128, 64, 64},
        {1, 2, 384, 128, 64, 64},
        {1, 2, 128, 384, 64, 64, true},
        {2, 2, 128, 128, 32, 32, true},
        {1, 3, 128, 256, 32, 32, false, Lie::HeadsInside},
        {1, 2, 256, 256, 96, 96, true, Lie::HeadsInside},
        {1, 1, 65, 128, 96, 96},
        {1, 1, 256, 128, 72, 72},
        {1, 2, 256, 384, 128, 128, true},
        {2, 1, 128, 128, 128, 128, false, Lie::HeadsInside},
        {1, 1, 128, 128, 8, 8, true},
        {1, 1, 640, 640, 64, 64, true},
    };
    const bool gradient = gradient_by_cudnn(attend(ctx, forms[0], MPT_BF16));
    for (const mpt_dtype dtype : {MPT_BF16, MPT_F16})
        for (const Form &f : forms) {
            SCOPED_TRACE(std::string(mpt_dtype_name(dtype)) + ", form " + std::to_string(&f - forms));
            const Result with = attend(ctx, f, dtype), without = attend(off, f, dtype);
            EXPECT_TRUE(forward_by_cudnn(with)) << with.plan;
            EXPECT_EQ(gradient && f.rows % 128 == 0 && f.keys % 128 == 0, gradient_by_cudnn(with)) << with.plan;
            EXPECT_FALSE(contains(without.plan, "cudnn")) << without.plan;
            expect_near(with, without, 16 * test::roundoff(dtype));
            expect_near(with, attend(host, f, dtype), 16 * test::roundoff(dtype));
        }
}

// Blocks that are not whole, of which the gradient is another kernel's.
TEST_F(AttentionCudnn, AnyNumberOfRowsAndKeys_cuda) {
    for (const Form &f : {Form{1, 2, 64, 65, 64, 64}, Form{1, 2, 77, 77, 64, 64, true},
                          Form{2, 1, 100, 331, 96, 96, true, Lie::HeadsInside}, Form{1, 1, 191, 190, 128, 128}}) {
        SCOPED_TRACE(std::to_string(f.rows) + " x " + std::to_string(f.keys));
        const Result with = attend(ctx, f, MPT_BF16);
        EXPECT_TRUE(forward_by_cudnn(with)) << with.plan;
        EXPECT_FALSE(gradient_by_cudnn(with)) << with.plan;
        expect_near(with, attend(host, f, MPT_BF16), 16 * test::roundoff(MPT_BF16));
    }
}

// Scores of about -200 and -800: beside them the score 0 of a key of zeros would be everything.
TEST_F(AttentionCudnn, ScoresFarFromZero_cuda) {
    for (const std::int64_t rows : {128, 100})
        for (const bool causal : {false, true})
            for (const double scale : {0.125, 0.5}) {
                Form f{1, 2, rows, rows, 64, 64, causal, Lie::HeadsOutside, scale};
                f.shift = 5;
                SCOPED_TRACE(std::to_string(rows) + (causal ? " causal, " : ", ") + std::to_string(scale));
                const Result with = attend(ctx, f, MPT_BF16), without = attend(off, f, MPT_BF16);
                EXPECT_TRUE(forward_by_cudnn(with)) << with.plan;
                for (const auto &values : with.values)
                    for (const double x : values) ASSERT_TRUE(std::isfinite(x));
                expect_near(with, without, 32 * test::roundoff(MPT_BF16));
            }
}

TEST_F(AttentionCudnn, TheSameBitsInEveryRun_cuda) {
    const Form f{4, 6, 512, 512, 64, 64, true};
    const Result first = attend(ctx, f, MPT_BF16);
    Context other = must_create(MPT_DEVICE_CUDA);
    for (mpt_context *again : {static_cast<mpt_context *>(ctx), static_cast<mpt_context *>(ctx), static_cast<mpt_context *>(other)})
        EXPECT_TRUE(first.values == attend(again, f, MPT_BF16).values);
}

TEST_F(AttentionCudnn, WhatDoesNotFitGoesElsewhere_cuda) {
    const Form forms[] = {
        {1, 2, 32, 128, 64, 64},                                      // few rows
        {1, 2, 128, 32, 64, 64},                                      // few keys
        {1, 2, 128, 128, 20, 20},                                     // rows that are no packs
        {1, 1, 128, 128, 136, 136},                                   // too many columns
        {1, 1, 128, 128, 64, 32},                                     // of different numbers
        {1, 2, 192, 128, 64, 64, true},                               // the first rows see nothing
        {1, 2, 128, 128, 64, 64, false, Lie::HeadsOutside, -0.3},     // the largest product is the smallest score
        {1, 2, 128, 128, 64, 64, false, Lie::HeadsOutside, 0, 0.25},  // dropout
    };
    for (const Form &f : forms) {
        SCOPED_TRACE("form " + std::to_string(&f - forms));
        const Result result = attend(ctx, f, MPT_BF16);
        EXPECT_FALSE(contains(result.plan, "cudnn")) << result.plan;
        if (f.dropout == 0) expect_near(result, attend(host, f, MPT_BF16), 16 * test::roundoff(MPT_BF16));
    }
    EXPECT_FALSE(contains(attend(ctx, {1, 2, 128, 128, 64, 64}, MPT_F32).plan, "cudnn"));
}

TEST_F(AttentionCudnn, OneGradientAlone_cuda) {
    const Form f{.batch = 1, .heads = 2, .rows = 128, .keys = 128, .columns = 64, .values = 64, .causal = true, .only_q = true};
    const Result result = attend(ctx, f, MPT_BF16);
    EXPECT_TRUE(forward_by_cudnn(result)) << result.plan;
    EXPECT_FALSE(gradient_by_cudnn(result)) << result.plan;
    expect_near(result, attend(host, f, MPT_BF16), 16 * test::roundoff(MPT_BF16));
}

// Strides alone do not tell that a tensor begins between packs: that shows when the kernel is launched.
TEST_F(AttentionCudnn, MisalignedTensors_cuda) {
    for (const std::int64_t columns : {64, 96}) {  // tensor cores of our own take 64
        const Form f{1, 2, 128, 128, columns, columns, true, Lie::Misaligned};
        const Result result = attend(ctx, f, MPT_BF16);
        EXPECT_TRUE(forward_by_cudnn(result)) << result.plan;
        expect_near(result, attend(host, f, MPT_BF16), 16 * test::roundoff(MPT_BF16));
        EXPECT_TRUE(result.values == attend(off, f, MPT_BF16).values) << "the same kernels took it";
    }
}
