// Products whose rows start anywhere, beside the same with columns of zeros that make them start well, which go another way.
#include <cmath>

#include "common/random.h"
#include "gpu.h"

using namespace cuda;

namespace {

// More than a stripe of 256 MiB, and no multiple of it.
constexpr std::int64_t kRows = 9000, kIn = 264;

std::vector<float> random_values(std::int64_t n, std::uint64_t seed) {
    test::Random random(seed);
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float &v : values) v = static_cast<float>(random.uniform(-1, 1));
    return values;
}

// [rows, columns] with zeros behind.
std::vector<float> enlarged(const std::vector<float> &x, std::int64_t columns, std::int64_t rows_to, std::int64_t columns_to) {
    std::vector<float> y(static_cast<std::size_t>(rows_to * columns_to));
    const std::int64_t rows = static_cast<std::int64_t>(x.size()) / columns;
    for (std::int64_t i = 0; i < rows; ++i) std::copy_n(x.begin() + i * columns, columns, y.begin() + i * columns_to);
    return y;
}

struct Results {
    std::vector<float> y, dx, dw;
    std::string plan;
};

Results run(mpt_context *ctx, mpt_dtype dtype, std::int64_t words, const std::vector<float> &x_values, const std::vector<float> &w_values,
            const std::vector<float> &b_values, const std::vector<float> &dy_values) {
    const Tensor x = net::tensor(ctx, MPT_F32, {kRows, kIn}, x_values), w = net::tensor(ctx, MPT_F32, {words, kIn}, w_values),
                 b = net::tensor(ctx, MPT_F32, {words}, b_values), wide = net::tensor(ctx, MPT_F32, {kRows + 1, words}, dy_values);
    Tensor all, dy, y;
    MUST(mpt_cast(wide, dtype, all.out()));
    MUST(mpt_slice(all, 0, 1, kRows, dy.out()));  // starts anywhere
    for (mpt_tensor *t : {static_cast<mpt_tensor *>(x), static_cast<mpt_tensor *>(w)}) MUST(mpt_tensor_set_requires_grad(t, 1));
    Policy policy;
    MUST(mpt_policy_create(ctx, dtype, policy.out()));
    Program program;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_autocast_begin(ctx, policy));
    MUST(mpt_linear(x, w, b, y.out()));
    MUST(mpt_autocast_end(ctx));
    mpt_tensor *roots[] = {y}, *cotangents[] = {dy};
    MUST(mpt_backward_from(roots, cotangents, 1, MPT_GRAD_WRITE));
    MUST(mpt_capture_end(ctx, roots, 1, program.out()));
    MUST(mpt_program_run(program));
    Results results;
    results.plan = dump(program);
    results.y = net::floats(y);
    const auto gradient = [](mpt_tensor *t) {
        Tensor g;
        MUST(mpt_tensor_grad(t, g.out()));
        return net::floats(g);
    };
    results.dx = gradient(x);
    results.dw = gradient(w);
    return results;
}

// The first `columns` of exact's, which has more; within a part of each value, and what f32 loses in a sum, whatever it ends as.
void expect_near(const std::vector<float> &got, std::int64_t columns, const std::vector<float> &exact, std::int64_t exact_columns, double units, double lost, const char *what) {
    double worst = 0, sum = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const std::int64_t row = static_cast<std::int64_t>(i) / columns, column = static_cast<std::int64_t>(i) % columns;
        const double e = exact[static_cast<std::size_t>(row * exact_columns + column)], g = got[i];
        worst = std::max(worst, std::isfinite(g) ? std::fabs(e - g) - units * std::fabs(e) : HUGE_VAL);
        sum += std::fabs(e);
    }
    EXPECT_GT(sum / static_cast<double>(got.size()), 1) << what;
    EXPECT_LE(worst, lost) << what;
}

std::size_t times(const std::string &text, const std::string &part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

// A classifier's loss and gradients; targets: the last classes, which are those behind the whole packs.
Results classify(mpt_context *ctx, mpt_dtype dtype, std::int64_t words, const std::vector<float> &x_values, const std::vector<float> &w_values,
                 const std::vector<float> &b_values) {
    std::vector<std::int32_t> classes(static_cast<std::size_t>(kRows));
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<std::int32_t>(words - 1 - static_cast<std::int64_t>(i) % 12);
    const Tensor x = net::tensor(ctx, MPT_F32, {kRows, kIn}, x_values), w = net::tensor(ctx, MPT_F32, {words, kIn}, w_values),
                 b = net::tensor(ctx, MPT_F32, {words}, b_values), target = net::tensor(ctx, MPT_I32, {kRows}, classes);
    for (mpt_tensor *t : {static_cast<mpt_tensor *>(x), static_cast<mpt_tensor *>(w)}) MUST(mpt_tensor_set_requires_grad(t, 1));
    Policy policy;
    MUST(mpt_policy_create(ctx, dtype, policy.out()));
    Program program;
    Tensor logits, loss;
    MUST(mpt_capture_begin(ctx));
    MUST(mpt_autocast_begin(ctx, policy));
    MUST(mpt_linear(x, w, b, logits.out()));
    MUST(mpt_cross_entropy(logits, target, nullptr, loss.out()));
    MUST(mpt_autocast_end(ctx));
    MUST(mpt_backward(loss, nullptr, MPT_GRAD_WRITE));
    mpt_tensor *outputs[] = {loss};
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    MUST(mpt_program_run(program));
    Results results;
    results.plan = dump(program);
    results.y = net::floats(loss);
    const auto gradient = [](mpt_tensor *t) {
        Tensor g;
        MUST(mpt_tensor_grad(t, g.out()));
        return net::floats(g);
    };
    results.dx = gradient(x);
    results.dw = gradient(w);
    return results;
}

double relative_distance(const std::vector<float> &got, const std::vector<float> &exact) {
    double apart = 0, size = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double e = exact[i], d = got[i] - e;
        apart += d * d, size += e * e;
    }
    return std::sqrt(apart / size);
}

class PaddedProducts : public Gpu {};

}  // namespace

TEST_F(PaddedProducts, AreThoseOfMatricesThatStartWell_cuda) {
    const std::vector<float> x = random_values(kRows * kIn, 1);
    struct {
        mpt_dtype dtype;
        std::int64_t words, padded;
        const char *tune;
    } const cases[] = {{MPT_F16, 17001, 17008, "off"}, {MPT_BF16, 17004, 17008, "on"}, {MPT_BF16, 16007, 16008, "off"}};
    for (const auto &c : cases) {
        SCOPED_TRACE(std::string(mpt_dtype_name(c.dtype)) + ", " + std::to_string(c.words));
        MUST(mpt_context_set_option(ctx, "tune", c.tune));
        const std::vector<float> w = random_values(c.words * kIn, 2), b = random_values(c.words, 3), dy = random_values((kRows + 1) * c.words, 4);
        const Results got = run(ctx, c.dtype, c.words, x, w, b, dy);
        const Results exact = run(ctx, c.dtype, c.padded, x, enlarged(w, kIn, c.padded, kIn), enlarged(b, c.words, 1, c.padded), enlarged(dy, c.words, kRows + 1, c.padded));
        EXPECT_EQ(2u, times(got.plan, "cublaslt:matmul, padded")) << got.plan;
        EXPECT_EQ(1u, times(got.plan, "cublaslt:matmul, split")) << got.plan;  // y, whose rows the library places
        EXPECT_EQ(0u, times(exact.plan, "padded") + times(exact.plan, "split")) << exact.plan;
        const double unit = c.dtype == MPT_F16 ? 0x1p-10 : 0x1p-7;  // one in the last place
        expect_near(got.y, c.words, exact.y, c.padded, unit, 1e-3, "y");
        expect_near(got.dx, kIn, exact.dx, kIn, unit, 4e-3, "dx");
        expect_near(got.dw, kIn, exact.dw, kIn, 1e-5, 1e-3, "dw");
        const Results again = run(ctx, c.dtype, c.words, x, w, b, dy);
        EXPECT_TRUE(again.y == got.y && again.dx == got.dx && again.dw == got.dw) << "the same bits";
    }
}

TEST_F(PaddedProducts, AreNotNeededWhereRowsStartWell_cuda) {
    const std::vector<float> x = random_values(kRows * kIn, 1);
    for (const std::int64_t words : {17001, 17004, 16007}) {
        SCOPED_TRACE(words);
        const std::vector<float> w = random_values(words * kIn, 2), b = random_values(words, 3);
        const Results got = classify(ctx, MPT_F16, words, x, w, b), exact = classify(ctx, MPT_F32, words, x, w, b);
        EXPECT_EQ(3u, times(got.plan, "cublaslt:matmul, split")) << got.plan;
        EXPECT_EQ(0u, times(got.plan, "padded")) << got.plan;
        EXPECT_EQ(0u, times(exact.plan, "split")) << exact.plan;
        EXPECT_LE(relative_distance(got.y, exact.y), 1e-3) << "the loss";
        EXPECT_LE(relative_distance(got.dx, exact.dx), 4e-3) << "dx";
        EXPECT_LE(relative_distance(got.dw, exact.dw), 4e-3) << "dw";
        const Results again = classify(ctx, MPT_F16, words, x, w, b);
        EXPECT_TRUE(again.y == got.y && again.dx == got.dx && again.dw == got.dw) << "the same bits";
    }
}
