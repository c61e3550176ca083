#include <cmath>

#include "ops/loss_cases.h"

namespace test {

namespace {

// A dot product's error is measured by the lengths, which bring it to 1 at most; gradients are differences of terms of one size.
constexpr Bound kSimilarity{16, Scale::Largest, 32, 1, Scale::Largest};

constexpr double kEps = 1e-8, kMargin = 0.1;

Values cosines(const Values &a, const Values &b, std::int32_t dim, double eps) {
    const unsigned mask = 1u << (dim < 0 ? dim + static_cast<std::int32_t>(a.shape.size()) : dim);
    const auto add = [](long double x, long double y) { return x + y; };
    const auto product = [](double x, double y) { return x * y; };
    const Values ab = fold(zip(a, b, product), mask, false, 0, add), aa = fold(zip(a, a, product), mask, false, 0, add);
    const Values bb = fold(zip(b, b, product), mask, false, 0, add);
    return zip(ab, zip(aa, bb, [=](double x, double y) { return std::max(std::sqrt(x) * std::sqrt(y), eps); }),
               [](double x, double y) { return x / y; });
}

void add_similarity(std::vector<Case> &all, const char *name, const Shape &shape, std::int32_t dim, Layout a = Layout::Contiguous,
                    Layout b = Layout::Contiguous, double eps = kEps) {
    all.push_back(
        {.op = "mpt_cosine_similarity",
         .name = name,
         .inputs = {{.shape = shape, .low = -1, .high = 2, .layout = a}, {.shape = shape, .low = -1, .high = 2, .layout = b}},
         .apply = [=](In in, Out out) { return mpt_cosine_similarity(in[0], in[1], dim, eps, out); },
         .reference = [=](const std::vector<Values> &in) { return cosines(in[0], in[1], dim, eps); },
         .bound = kSimilarity,
         .any_thread_count = true});
}

// The targets' signs come from integers.
void add_embedding(std::vector<Case> &all, const char *name, const Shape &shape, mpt_reduction reduction,
                   Layout layout = Layout::Contiguous) {
    all.push_back({.op = "mpt_cosine_embedding",
                   .name = name,
                   .inputs = {{.shape = shape, .low = -1, .high = 2, .layout = layout},
                              {.shape = shape, .low = -1, .high = 2},
                              {.shape = {shape[0]}, .low = 0, .high = 2, .index = MPT_I32}},
                   .apply =
                       [=](In in, Out out) {
                           return mpt_cosine_embedding(in[0], in[1], constant(in[2], dtype_of(in[0]), 2, -1), kMargin, reduction,
                                                       out);
                       },
                   .reference =
                       [=](const std::vector<Values> &in) {
                           const auto loss = [](double c, double same) { return same == 1 ? 1 - c : std::max(0.0, c - kMargin); };
                           return reduced(zip(cosines(in[0], in[1], 1, 0), in[2], loss), reduction);
                       },
                   .bound = kSimilarity,
                   .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all;
    add_similarity(all, "Rows", {4, 10}, 1);
    add_similarity(all, "Columns", {5, 3}, 0);
    add_similarity(all, "Middle", {2, 5, 4}, -2);
    add_similarity(all, "Vector", {13}, 0);
    add_similarity(all, "Transposed", {6, 7}, 1, Layout::Transposed);
    add_similarity(all, "TransposedColumns", {6, 7}, 0, Layout::Contiguous, Layout::Transposed);
    add_similarity(all, "Sliced", {3, 4, 5}, -1, Layout::Sliced, Layout::Strided);
    add_similarity(all, "Channels", {2, 4, 3, 3}, 1, Layout::ChannelsLast);
    add_similarity(all, "NoRows", {0, 5}, 1);
    add_similarity(all, "NoElements", {3, 0}, 1);
    add_similarity(all, "EpsIsLarger", {4, 6}, 1, Layout::Contiguous, Layout::Contiguous, 100);
    add_similarity(all, "Large", {300, 101}, 1);
    add_similarity(all, "LongRows", {3, 3001}, 1);
    add_embedding(all, "Mean", {8, 5}, MPT_REDUCTION_MEAN);
    add_embedding(all, "Sum", {8, 5}, MPT_REDUCTION_SUM, Layout::Transposed);
    add_embedding(all, "None", {8, 5}, MPT_REDUCTION_NONE, Layout::Sliced);
    add_embedding(all, "NoRows", {0, 5}, MPT_REDUCTION_MEAN);
    add_embedding(all, "Large", {300, 33}, MPT_REDUCTION_BATCH_MEAN);
    return all;
}

class Cosine : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Cosine, cases());
INSTANTIATE_ON_EVERY_DEVICE(Cosine);

// torch.nn.functional.cosine_similarity and cosine_embedding_loss (PyTorch 2, f64).
TEST_P(Cosine, AsInPyTorch) {
    const Tensor a = leaf(ctx, MPT_F32, Values{{3, 3}, {1, 2, -1, .5, -.5, 2, 1, 1, 1}});
    const Tensor b = leaf(ctx, MPT_F32, Values{{3, 3}, {2, 0, 1, 1, 1, 1, 2, 2, 1}});
    Tensor similarity, loss;
    MUST(mpt_cosine_similarity(a, b, 1, kEps, similarity.out()));
    expect_near(read(similarity), {0.182574186, 0.544331054, 0.962250449}, 1e-6, "similarity");
    const std::vector<std::vector<double>> expected{
        {0.334719341, -0.0608580619, 0.213003217, 0.211684299, 0.332646755, 0.0302406141, 0.0641500299, 0.0641500299, -0.12830006},
        {0.109544512, 0.365148372, -0.219089023, -0.0453609212, -0.317526448, 0.362887369, -0.0213833433, -0.0213833433,
         0.0855333732}};
    const auto grads = gradients(ctx, similarity, {a, b});
    expect_near(grads[0], expected[0], 1e-6, "gradient of a");
    expect_near(grads[1], expected[1], 1e-6, "gradient of b");
    MUST(mpt_cosine_embedding(a, b, make(ctx, MPT_F32, {1, -1, -1}), .2, MPT_REDUCTION_NONE, loss.out()));
    expect_near(read(loss), {1 - 0.182574186, 0.344331054, 0.762250449}, 1e-6, "embedding");
    const auto of_loss = gradients(ctx, loss, {a, b});
    for (std::size_t k = 0; k < 2; ++k)
        for (std::size_t i = 0; i < 9; ++i)
            EXPECT_NEAR(of_loss[k][i], i < 3 ? -expected[k][i] : expected[k][i], 1e-6) << k << ", " << i;
}

TEST_P(Cosine, OfZerosIsZero) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor a = leaf(ctx, dtype, Values{{1, 2}, {0, 0}}), b = leaf(ctx, dtype, Values{{1, 2}, {3, 4}});
        Tensor similarity;
        MUST(mpt_cosine_similarity(a, b, 1, 0.5, similarity.out()));
        EXPECT_EQ(dtype_of(similarity), MPT_F32);
        EXPECT_EQ(read(similarity)[0], 0);
        const auto grads = gradients(ctx, similarity, {a, b});
        EXPECT_EQ(grads[0], (std::vector<double>{6, 8}));
        EXPECT_EQ(grads[1], (std::vector<double>{0, 0}));
    }
}

// Products of such numbers are none of f16's.
TEST_P(Cosine, LargeValuesDoNotOverflow) {
    const Tensor a = make(ctx, MPT_F16, Values{{1, 2}, {60000, 60000}});
    Tensor similarity;
    MUST(mpt_cosine_similarity(a, a, 1, kEps, similarity.out()));
    EXPECT_NEAR(read(similarity)[0], 1, 1e-6);
}

TEST_P(Cosine, FormatsMix) {
    const Values a{{1, 3}, {1, 2, -1}}, b{{1, 3}, {2, 0, 1}};
    for (mpt_dtype of_a : formats(GetParam()))
        for (mpt_dtype of_b : formats(GetParam())) {
            const Tensor x = leaf(ctx, of_a, a), y = leaf(ctx, of_b, b);
            Tensor similarity;
            MUST(mpt_cosine_similarity(x, y, -1, kEps, similarity.out()));
            EXPECT_EQ(dtype_of(similarity), of_a == MPT_F64 || of_b == MPT_F64 ? MPT_F64 : MPT_F32);
            EXPECT_NEAR(read(similarity)[0], 0.182574186, 1e-6);
            EXPECT_NEAR(gradients(ctx, similarity, {x, y})[0][0], 0.334719341, 2 * roundoff(of_a) + 1e-6);
        }
}

}  // namespace test
