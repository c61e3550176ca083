#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kEps = 1e-3;

// Differences from the mean in f32, rounded once; gradients are differences of terms as large as the largest.
constexpr Bound kNorm{8, Scale::Largest, 24, 1, Scale::Largest};

struct Form {
    const char *name;
    Shape x;
    Layout layout = Layout::Contiguous;
    enum { None, Same, Wide } weight = Wide, bias = Wide;
    bool training = true;
};

// Evaluation: a mean of 0.25 and a variance of 0.75 everywhere, in tensors that are made of one that is there.
Tensor constant(mpt_tensor *like, double value) {
    Tensor flat, wide_one, out;
    MUST(mpt_affine(like, 0, value, flat.out()));
    const mpt_dtype dtype = dtype_of(like);
    MUST(mpt_cast(flat, dtype == MPT_F64 ? MPT_F64 : MPT_F32, wide_one.out()));
    MUST(mpt_tensor_detach(wide_one, out.out()));
    return out;
}

Values reference(const Form &f, const std::vector<Values> &in) {
    const Values &x = in[0];
    std::size_t next = 1;
    const Values *weight = f.weight == Form::None ? nullptr : &in[next++], *bias = f.bias == Form::None ? nullptr : &in[next++];
    const auto channels = static_cast<std::size_t>(f.x[1]);
    std::vector<long double> mean(channels), variance(channels);
    const std::int64_t n = count(f.x), per_channel = n / std::max<std::int64_t>(f.x[1], 1);
    const auto channel = [&](std::int64_t i) { return static_cast<std::size_t>(coordinates(f.x, i)[1]); };
    for (std::int64_t i = 0; i < n; ++i) mean[channel(i)] += x.data[static_cast<std::size_t>(i)];
    for (long double &m : mean) m /= static_cast<long double>(per_channel);
    for (std::int64_t i = 0; i < n; ++i) {
        const long double d = x.data[static_cast<std::size_t>(i)] - mean[channel(i)];
        variance[channel(i)] += d * d;
    }
    for (long double &v : variance) v /= static_cast<long double>(per_channel);
    return tabulate(f.x, [&](const Shape &at) {
        const auto c = static_cast<std::size_t>(at[1]);
        const long double m = f.training ? mean[c] : 0.25L, v = f.training ? variance[c] : 0.75L;
        const long double w = weight ? weight->data[c] : 1, b = bias ? bias->data[c] : 0;
        return static_cast<double>((element(x, at) - m) / std::sqrt(v + static_cast<long double>(kEps)) * w + b);
    });
}

Case norm(const Form &f) {
    std::vector<Operand> inputs{{.shape = f.x, .layout = f.layout}};
    const Shape channels{f.x[1]};
    if (f.weight != Form::None) inputs.push_back({.shape = channels, .low = 0.5, .high = 2, .wide = f.weight == Form::Wide});
    if (f.bias != Form::None) inputs.push_back({.shape = channels, .wide = f.bias == Form::Wide});
    return {.op = "mpt_batch_norm",
            .name = f.name,
            .inputs = inputs,
            .apply =
                [=](In in, Out out) {
                    mpt_tensor *weight = f.weight == Form::None ? nullptr : in[1];
                    mpt_tensor *bias = f.bias == Form::None ? nullptr : in[weight ? 2 : 1];
                    Tensor mean, variance;
                    if (!f.training) mean = constant(weight, 0.25), variance = constant(weight, 0.75);
                    return mpt_batch_norm(in[0], weight, bias, mean, variance, f.training, 0.1, kEps, out);
                },
            .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
            .bound = kNorm,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {4, 3, 5, 6}},
        {.name = "NoAffine", .x = {4, 3, 5, 6}, .weight = Form::None, .bias = Form::None},
        {.name = "WeightAlone", .x = {4, 3, 5, 6}, .bias = Form::None},
        {.name = "BiasAlone", .x = {4, 3, 5, 6}, .weight = Form::None},
        {.name = "AffineOfXsType", .x = {4, 3, 5, 6}, .weight = Form::Same, .bias = Form::Same},
        {.name = "Rows", .x = {9, 5}},
        {.name = "RowsTransposed", .x = {9, 5}, .layout = Layout::Transposed},
        {.name = "Signals", .x = {3, 4, 7}},
        {.name = "Volumes", .x = {2, 3, 4, 2, 3}},
        {.name = "ChannelsLast", .x = {3, 5, 4, 3}, .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastWide", .x = {2, 75, 6, 4}, .layout = Layout::ChannelsLast},
        {.name = "Sliced", .x = {3, 4, 3, 5}, .layout = Layout::Sliced},
        {.name = "Strided", .x = {3, 4, 3, 5}, .layout = Layout::Strided},
        {.name = "Transposed", .x = {3, 4, 3, 5}, .layout = Layout::Transposed},
        {.name = "OneChannel", .x = {5, 1, 4, 4}},
        {.name = "OnePixel", .x = {11, 4, 1, 1}},
        {.name = "Large", .x = {6, 9, 40, 40}},
        {.name = "LargeChannelsLast", .x = {6, 20, 20, 20}, .layout = Layout::ChannelsLast},
        {.name = "ManyChannels", .x = {40, 1100}},
        {.name = "Evaluation", .x = {4, 3, 5, 6}, .training = false},
        {.name = "EvaluationChannelsLast",
         .x = {3, 37, 4, 3},
         .layout = Layout::ChannelsLast,
         .weight = Form::Same,
         .training = false},
        {.name = "EvaluationOfNothing", .x = {0, 3, 5, 6}, .training = false},
        {.name = "NoChannels", .x = {2, 0, 5}},
    };
    for (const Form &form : forms) all.push_back(norm(form));
    return all;
}

class BatchNorm : public DeviceTest {
protected:
    struct Running {
        Tensor mean, variance;
    };
    Running running(mpt_dtype dtype, const std::vector<double> &mean, const std::vector<double> &variance) {
        return {make(ctx, dtype, mean), make(ctx, dtype, variance)};
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(BatchNorm, cases());
INSTANTIATE_ON_EVERY_DEVICE(BatchNorm);

// The unbiased variance, in one f32 step: (1 - momentum) * old + momentum * new.
TEST_P(BatchNorm, MovesTheRunningStatistics) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, Values{{2, 2, 2}, {1, 3, 10, 20, 5, 7, 30, 40}});
        const Running s = running(MPT_F32, {1, -2}, {3, 0.5});
        Tensor y;
        MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 1, 0.25, 1e-5, y.out()));
        const std::vector<double> mean = read(s.mean), variance = read(s.variance);
        EXPECT_FLOAT_EQ(mean[0], 0.75 * 1 + 0.25 * 4) << mpt_dtype_name(dtype);
        EXPECT_FLOAT_EQ(mean[1], 0.75 * -2 + 0.25 * 25);
        EXPECT_FLOAT_EQ(variance[0], 0.75 * 3 + 0.25 * 20.0 / 3);
        EXPECT_FLOAT_EQ(variance[1], 0.75 * 0.5 + 0.25 * 500.0 / 3);
        // Evaluation reads them and leaves them.
        MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 0, 0.25, 1e-5, y.out()));
        EXPECT_EQ(read(s.mean), mean);
        EXPECT_EQ(read(s.variance), variance);
        const double exact = (30 - mean[1]) / std::sqrt(variance[1] + 1e-5);
        EXPECT_NEAR(read(y)[6], exact, (roundoff(dtype) + 1e-6) * std::fabs(exact));
    }
}

TEST_P(BatchNorm, StridedRunningStatistics) {
    const Tensor x = make(ctx, MPT_F32, Values{{3, 2}, {0, 0, 1, 2, 2, 4}});
    const Tensor both = make(ctx, MPT_F32, Values{{2, 2}, {0, 1, 0, 1}});
    Tensor columns[2];
    for (std::int32_t i = 0; i < 2; ++i) {
        Tensor column;
        const std::int64_t shape[] = {2};
        MUST(mpt_slice(both, 1, i, 1, column.out()));
        MUST(mpt_reshape(column, 1, shape, columns[i].out()));
    }
    Tensor y;
    MUST(mpt_batch_norm(x, nullptr, nullptr, columns[0], columns[1], 1, 0.5, 0, y.out()));
    EXPECT_EQ(read(both), (std::vector<double>{0.5, 1, 1, 2.5}));
}

TEST_P(BatchNorm, EveryRunOfAProgramMovesThem) {
    for (bool captured : {false, true}) {
        const Tensor x = make(ctx, MPT_F32, Values{{4, 1}, {0, 2, 4, 6}});
        const Running s = running(MPT_F32, {0}, {0});
        if (captured) {
            MUST(mpt_capture_begin(ctx));
            Tensor y;
            MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 1, 0.5, 1e-5, y.out()));
            Program program;
            MUST(mpt_capture_end(ctx, nullptr, 0, program.out()));
            EXPECT_EQ(read(s.mean)[0], 0) << "nothing has run";
            for (int run = 0; run < 3; ++run) MUST(mpt_program_run(program));
        } else {
            for (int run = 0; run < 3; ++run) {
                Tensor y;
                MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 1, 0.5, 1e-5, y.out()));
            }
        }
        EXPECT_EQ(read(s.mean)[0], 1.5 + 0.75 + 0.375);
        EXPECT_FLOAT_EQ(read(s.variance)[0], 20.0 / 3 * 0.875);
    }
}

// A graph may be walked after a later batch has moved the statistics.
TEST_P(BatchNorm, EvaluationsGradientOutlivesAMove) {
    const Tensor x = make(ctx, MPT_F32, Values{{2, 1}, {1, 2}});
    MUST(mpt_tensor_set_requires_grad(x, 1));
    const Running s = running(MPT_F32, {0}, {4});
    Tensor y, other;
    MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 0, 0.5, 0, y.out()));
    MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 1, 0.5, 0, other.out()));
    const Tensor seed = make(ctx, MPT_F32, Values{{2, 1}, {1, 3}});
    mpt_tensor *root = y, *start = seed;
    MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
    EXPECT_EQ(read(gradient(x)), (std::vector<double>{0.5, 1.5}));
}

// A mean far from 0 costs no digits of the differences from it.
TEST_P(BatchNorm, LargeMeans) {
    Random random(5);
    for (const Shape &shape : {Shape{64, 3, 7, 9}, Shape{500, 40}}) {
        Values x{shape, {}};
        for (std::int64_t i = 0; i < count(shape); ++i) x.data.push_back(rounded(MPT_F32, 4096 + random.uniform(-1, 1)));
        const Form form{.name = "", .x = shape, .weight = Form::None, .bias = Form::None};
        const Values exact = reference(form, {x});
        Tensor y;
        MUST(mpt_batch_norm(make(ctx, MPT_F32, x), nullptr, nullptr, nullptr, nullptr, 1, 0.1, kEps, y.out()));
        const std::vector<double> got = read(y);
        for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact.data[i], 2e-6) << i;
    }
}

TEST_P(BatchNorm, NotANumberStaysInItsChannel) {
    for (double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        const Tensor x = make(ctx, MPT_F32, Values{{3, 2}, {1, 1, bad, 2, 3, 3}});
        const Running s = running(MPT_F32, {0, 0}, {1, 1});
        Tensor y;
        MUST(mpt_batch_norm(x, nullptr, nullptr, s.mean, s.variance, 1, 0.5, 0, y.out()));
        const std::vector<double> got = read(y);
        for (std::size_t i : {0u, 2u, 4u}) EXPECT_TRUE(std::isnan(got[i])) << bad;
        EXPECT_EQ(got[3], 0);
        EXPECT_TRUE(std::isnan(read(s.variance)[0]));
        EXPECT_EQ(read(s.variance)[1], 1);
    }
}

// Equal elements: the bias, whatever eps.
TEST_P(BatchNorm, NoVariance) {
    const Tensor x = make(ctx, MPT_BF16, Values{{4, 1}, {3, 3, 3, 3}}), bias = make(ctx, MPT_F32, std::vector<double>{0.5});
    Tensor y;
    MUST(mpt_batch_norm(x, nullptr, bias, nullptr, nullptr, 1, 0.1, 1e-5, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{0.5, 0.5, 0.5, 0.5}));
}

// Under autocast a 16-bit x is read as it is, with parameters in f32.
TEST_P(BatchNorm, KeepsXsTypeUnderAutocast) {
    Policy policy;
    MUST(mpt_policy_create(ctx, MPT_BF16, policy.out()));
    MUST(mpt_autocast_begin(ctx, policy));
    for (mpt_dtype dtype : {MPT_F32, MPT_BF16}) {
        const Tensor x = make(ctx, dtype, Values{{2, 2}, {1, 2, 3, 4}}), weight = make(ctx, MPT_F32, std::vector<double>{1, 2});
        Tensor y;
        MUST(mpt_batch_norm(x, weight, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, y.out()));
        EXPECT_EQ(dtype_of(y), dtype);
    }
    MUST(mpt_autocast_end(ctx));
}

}  // namespace test
