// Cross entropy and its gradient in one kernel: the bits of the two, and where it must not be.
#include <algorithm>
#include <functional>

#include "common/random.h"
#include "dump.h"

using namespace net;

namespace {

struct Case {
    const char *name;
    mpt_dtype dtype;
    std::int64_t rows, classes;
    mpt_reduction reduction = MPT_REDUCTION_MEAN;
    double smoothing = 0;
    bool weighted = false, probabilities = false, scaled = false;
    bool fuses = true;
};
void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

std::vector<float> values(std::int64_t n, std::uint64_t seed, double low, double high) {
    test::Random random(seed);
    std::vector<float> list(static_cast<std::size_t>(n));
    for (float &v : list) v = static_cast<float>(random.uniform(low, high));
    return list;
}

// Rows of scores, some of which do not count; where rows have losses of their own, one has an index that is no class.
class Problem {
public:
    Problem(const Case &c, bool fused) : ctx(context(3)), case_(c) {
        MUST(mpt_context_set_option(ctx, "fusion", fused ? "on" : "off"));
        const Tensor wide = tensor(ctx, MPT_F32, {c.rows, c.classes}, values(c.rows * c.classes, 1, -4, 4));
        MUST(mpt_cast(wide, c.dtype, logits.out()));
        MUST(mpt_tensor_set_requires_grad(logits, 1));
        if (c.probabilities) {
            target = tensor(ctx, MPT_F32, {c.rows, c.classes}, values(c.rows * c.classes, 2, 0, 1));
        } else {
            test::Random random(2);
            std::vector<std::int32_t> list(static_cast<std::size_t>(c.rows));
            for (std::int32_t &t : list) t = random.below(7) == 0 ? -100 : static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(c.classes)));
            list[0] = 3;
            if (c.reduction == MPT_REDUCTION_NONE) list[1] = static_cast<std::int32_t>(c.classes);
            target = tensor(ctx, MPT_I32, {c.rows}, list);
        }
        if (c.weighted) weight = tensor(ctx, MPT_F32, {c.classes}, values(c.classes, 4, 0.5, 2));
        cotangent = tensor(ctx, MPT_F32, {c.rows}, values(c.rows, 5, -1, 1));
        if (c.scaled) MUST(mpt_scaler_create(ctx, nullptr, scaler.out()));
    }
    Tensor loss() {
        mpt_cross_entropy_params params;
        MUST(mpt_cross_entropy_params_init(&params, sizeof params));
        params.reduction = case_.reduction;
        params.label_smoothing = case_.smoothing;
        params.weight = weight;
        Tensor out;
        MUST(mpt_cross_entropy(logits, target, &params, out.out()));
        return out;
    }
    void backward(mpt_tensor *of, mpt_grad_mode mode = MPT_GRAD_WRITE) {
        if (case_.reduction != MPT_REDUCTION_NONE) return MUST(mpt_backward(of, scaler, mode));
        mpt_tensor *roots[] = {of}, *cotangents[] = {cotangent};
        MUST(mpt_backward_from(roots, cotangents, 1, mode));
    }

    Context ctx;
    Tensor logits, target, weight, cotangent;
    Scaler scaler;

private:
    const Case case_;
};

// Records a loss and its backward, and gives what the program is to put out beside the gradient.
using Body = std::function<Tensor(Problem &)>;

Tensor plain(Problem &p) {
    Tensor loss = p.loss();
    p.backward(loss);
    return loss;
}

struct Results {
    std::vector<unsigned char> output, gradient;
    std::string text;
    bool fused() const { return text.find("\tcross_entropy_with_grad\t") != std::string::npos; }
};

Results results(const Case &c, const Body &body, bool fused) {
    Problem problem(c, fused);
    Tensor output;
    Program program;
    MUST(mpt_capture_begin(problem.ctx));
    output = body(problem);
    mpt_tensor *out[] = {output};
    MUST(mpt_capture_end(problem.ctx, out, 1, program.out()));
    for (int i = 0; i < 3; ++i) MUST(mpt_program_run(program));
    Tensor gradient;
    MUST(mpt_tensor_grad(problem.logits, gradient.out()));
    return {bytes(output), bytes(gradient), dump(program)};
}

class CrossEntropyFusion : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        if (device() != MPT_DEVICE_CUDA) GTEST_SKIP() << "the CPU has no fused kernels";
    }
};
class CrossEntropyHazards : public CrossEntropyFusion {
protected:
    static constexpr Case kCase{"", MPT_BF16, 40, 1000};
    // The bits of the parts, whatever was fused.
    static Results expect_the_bits_of_the_parts(const Body &body) {
        EXPECT_TRUE(results(kCase, plain, true).fused()) << "the harmless twin";
        const Results parts = results(kCase, body, false), fused = results(kCase, body, true);
        EXPECT_FALSE(parts.fused());
        EXPECT_TRUE(parts.output == fused.output);
        EXPECT_TRUE(parts.gradient == fused.gradient);
        EXPECT_TRUE(std::any_of(parts.gradient.begin(), parts.gradient.end(), [](unsigned char b) { return b != 0; }));
        return fused;
    }
};

const Case kCases[] = {
    {.name = "f32_10", .dtype = MPT_F32, .rows = 64, .classes = 10},
    {.name = "bf16_10", .dtype = MPT_BF16, .rows = 5000, .classes = 10},
    {.name = "f16_1000_scaled", .dtype = MPT_F16, .rows = 300, .classes = 1000, .scaled = true},
    {.name = "f32_5001", .dtype = MPT_F32, .rows = 300, .classes = 5001},
    {.name = "f32_50257", .dtype = MPT_F32, .rows = 600, .classes = 50257},
    {.name = "bf16_50257", .dtype = MPT_BF16, .rows = 600, .classes = 50257},
    {.name = "bf16_200003", .dtype = MPT_BF16, .rows = 9, .classes = 200003},
    {.name = "bf16_sum_weighted", .dtype = MPT_BF16, .rows = 70, .classes = 3000, .reduction = MPT_REDUCTION_SUM, .weighted = true},
    {.name = "f32_batch_mean_smoothed", .dtype = MPT_F32, .rows = 70, .classes = 1100, .reduction = MPT_REDUCTION_BATCH_MEAN, .smoothing = 0.1},
    {.name = "f16_mean_smoothed", .dtype = MPT_F16, .rows = 70, .classes = 2048, .smoothing = 0.1},
    {.name = "f32_none", .dtype = MPT_F32, .rows = 70, .classes = 1500, .reduction = MPT_REDUCTION_NONE},
    {.name = "bf16_probabilities", .dtype = MPT_BF16, .rows = 70, .classes = 1500, .smoothing = 0.2, .probabilities = true},
    {.name = "f32_mean_weighted", .dtype = MPT_F32, .rows = 70, .classes = 1500, .weighted = true, .fuses = false},
};

}  // namespace

TEST_P(CrossEntropyFusion, GivesTheBitsOfTheParts) {
    const Results parts = results(GetParam(), plain, false), fused = results(GetParam(), plain, true);
    EXPECT_FALSE(parts.fused());
    EXPECT_EQ(GetParam().fuses, fused.fused()) << fused.text;
    EXPECT_TRUE(parts.output == fused.output);
    EXPECT_TRUE(parts.gradient == fused.gradient);
    EXPECT_TRUE(std::any_of(parts.gradient.begin(), parts.gradient.end(), [](unsigned char b) { return b != 0; }));
}

INSTANTIATE_TEST_SUITE_P(Of, CrossEntropyFusion, testing::ValuesIn(kCases), [](const auto &info) { return std::string(info.param.name); });

TEST_F(CrossEntropyHazards, TheGradientsOwnGradientIsOfTheLoss) {
    expect_the_bits_of_the_parts([](Problem &p) {
        const Tensor loss = p.loss();
        Tensor square;
        MUST(mpt_mul(loss, loss, square.out()));
        p.backward(square);
        Tensor out;
        MUST(mpt_affine(loss, 2, 1, out.out()));
        return out;
    });
}

TEST_F(CrossEntropyHazards, ScoresThatChangeInBetween) {
    expect_the_bits_of_the_parts([](Problem &p) {
        Tensor loss = p.loss();
        p.backward(loss);
        MUST(mpt_no_grad_begin(p.ctx));
        MUST(mpt_tensor_fill(p.logits, 0.5));
        MUST(mpt_no_grad_end(p.ctx));
        Tensor second = p.loss();
        p.backward(second, MPT_GRAD_ADD);
        Tensor out;
        MUST(mpt_add(loss, second, out.out()));
        return out;
    });
}

TEST_F(CrossEntropyHazards, ALossThatIsReadBeforeItsGradient) {
    const Results fused = expect_the_bits_of_the_parts([](Problem &p) {
        const Tensor loss = p.loss();
        Tensor twice;
        MUST(mpt_affine(loss, 2, 0, twice.out()));
        p.backward(loss);
        return twice;
    });
    EXPECT_TRUE(fused.text.find("cross_entropy") != std::string::npos);
}
