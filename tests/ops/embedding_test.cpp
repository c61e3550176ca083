#include <cmath>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kEmbedding{0, Scale::Result, 4, 2, Scale::Magnitudes};

Case embedding(const char *name, const Shape &index, std::int64_t rows, std::int64_t width, mpt_dtype dtype,
               Layout of_index = Layout::Contiguous, Layout of_weight = Layout::Contiguous) {
    return {.op = "mpt_embedding",
            .name = name,
            .inputs = {{.shape = index, .low = 0, .high = static_cast<double>(rows), .layout = of_index, .index = dtype},
                       {.shape = {rows, width}, .layout = of_weight}},
            .apply = [=](In in, Out out) { return mpt_embedding(in[0], in[1], -1, out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    Shape to = index;
                    to.push_back(width);
                    return tabulate(to, [&](const Shape &at) {
                        const Shape token(at.begin(), at.end() - 1);
                        return element(in[1], {static_cast<std::int64_t>(element(in[0], token)), at.back()});
                    });
                },
            .bound = kEmbedding,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    return {
        embedding("Vector", {7}, 5, 9, MPT_I64),
        embedding("Batch", {2, 3}, 11, 4, MPT_I32),
        embedding("Bytes", {4, 2}, 3, 8, MPT_U8),
        embedding("Scalar", {}, 4, 3, MPT_I64),
        embedding("OneWide", {6}, 4, 1, MPT_I64),
        embedding("NoTokens", {0, 4}, 5, 3, MPT_I64),
        embedding("Transposed", {3, 5}, 6, 10, MPT_I64, Layout::Transposed, Layout::Transposed),
        embedding("Sliced", {3, 5}, 6, 10, MPT_I32, Layout::Sliced, Layout::Sliced),
        embedding("SmallVocabulary", {1500}, 7, 40, MPT_I64),
        embedding("LargeVocabulary", {40}, 1000, 33, MPT_I64),
        embedding("WideRows", {90}, 20, 700, MPT_I64),
    };
}

class Embedding : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Embedding, cases());
INSTANTIATE_ON_EVERY_DEVICE(Embedding);

TEST_P(Embedding, PaddingAndIndicesOutsideReceiveNoGradient) {
    for (mpt_dtype dtype : formats(GetParam())) {
        const Tensor weight = make(ctx, dtype, Values{{3, 2}, {1, 2, 3, 4, 5, 6}}), index = make(ctx, MPT_I32, {1, 2, 0, 2, -1, 3});
        MUST(mpt_tensor_set_requires_grad(weight, 1));
        Tensor y;
        MUST(mpt_embedding(index, weight, 2, y.out()));
        const std::vector<double> got = read(y);
        EXPECT_EQ(std::vector<double>(got.begin(), got.begin() + 8), (std::vector<double>{3, 4, 5, 6, 1, 2, 5, 6}))
            << mpt_dtype_name(dtype);
        for (std::size_t i = 8; i < 12; ++i) EXPECT_TRUE(std::isnan(got[i]));
        const Tensor seed = create(ctx, dtype, {6, 2});
        MUST(mpt_tensor_fill(seed, 1));
        mpt_tensor *root = y, *start = seed;
        for (int times : {1, 2}) {
            MUST(mpt_backward_from(&root, &start, 1, times == 1 ? MPT_GRAD_WRITE : MPT_GRAD_ADD));
            const double one = times;
            EXPECT_EQ(read(gradient(weight)), (std::vector<double>{one, one, one, one, 0, 0})) << mpt_dtype_name(dtype);
            MUST(mpt_embedding(index, weight, 2, y.out()));
            root = y;
        }
    }
}

// A weight used twice, as input and as output layer share one: both gradients are there.
TEST_P(Embedding, TiedWeights) {
    const Tensor weight = make(ctx, MPT_F32, Values{{2, 2}, {1, 2, 3, 4}}), index = make(ctx, MPT_I64, {1.0});
    MUST(mpt_tensor_set_requires_grad(weight, 1));
    Tensor x, logits, sum;
    MUST(mpt_embedding(index, weight, -1, x.out()));
    MUST(mpt_linear(x, weight, nullptr, logits.out()));
    MUST(mpt_sum(logits, 0, nullptr, 0, sum.out()));
    MUST(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
    EXPECT_EQ(read(gradient(weight)), (std::vector<double>{3, 4, 3 + 4, 4 + 6}));
}

// 70000 tokens of one row: the sum does not stick where one is below half a unit of a 16-bit sum, and the f32 one is exact.
TEST_P(Embedding, ManyTokensOfOneRow) {
    for (mpt_dtype dtype : {MPT_F32, MPT_BF16}) {
        const Tensor weight = create(ctx, dtype, {2, 3}), index = create(ctx, MPT_U8, {70000});
        MUST(mpt_tensor_fill(weight, 1));
        MUST(mpt_tensor_fill(index, 1));
        MUST(mpt_tensor_set_requires_grad(weight, 1));
        Tensor y, sum;
        MUST(mpt_embedding(index, weight, -1, y.out()));
        MUST(mpt_sum(y, 0, nullptr, 0, sum.out()));
        MUST(mpt_backward(sum, nullptr, MPT_GRAD_WRITE));
        const double n = rounded(dtype, 70000);
        EXPECT_EQ(read(gradient(weight)), (std::vector<double>{0, 0, 0, n, n, n})) << mpt_dtype_name(dtype);
    }
}

TEST_P(Embedding, InACapturedStep) {
    const Tensor weight = make(ctx, MPT_F32, Values{{4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}}), index = make(ctx, MPT_I64, {0, 3, 3});
    MUST(mpt_tensor_set_requires_grad(weight, 1));
    Tensor y, squares, loss;
    Program program;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_embedding(index, weight, -1, y.out()));
    MUST(mpt_mul(y, y, squares.out()));
    MUST(mpt_sum(squares, 0, nullptr, 0, loss.out()));
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    mpt_tensor *const outputs[] = {loss};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    for (int run = 0; run < 2; ++run) {
        MUST(mpt_program_run(program));
        EXPECT_EQ(read(loss)[0], 1 + 4 + 2 * (49 + 64));
        EXPECT_EQ(read(gradient(weight)), (std::vector<double>{2, 4, 0, 0, 0, 0, 28, 32}));
    }
}

}  // namespace test
