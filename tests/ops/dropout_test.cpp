#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// Which elements stay depends on the context's random numbers, so the table holds what does not: a dropout of almost nothing. The
// numbers are multiples of 2^-24, and one of 0 is rare.
constexpr Bound kDropout{2, Scale::Result, 4, 1, Scale::Result};
constexpr double kRare = 0x1p-24;

std::vector<Case> cases() {
    std::vector<Case> all;
    const struct {
        const char *name;
        Shape shape;
        Layout layout;
    } forms[] = {
        {"Rows", {4, 10}, Layout::Contiguous},
        {"Transposed", {6, 7}, Layout::Transposed},
        {"Sliced", {3, 5, 4}, Layout::Sliced},
        {"Strided", {3, 5}, Layout::Strided},
        {"ChannelsLast", {2, 3, 4, 5}, Layout::ChannelsLast},
        {"Nothing", {0, 3}, Layout::Contiguous},
        {"Scalar", {}, Layout::Contiguous},
        {"Large", {70, 311}, Layout::Contiguous},
    };
    for (const auto &f : forms)
        all.push_back(
            {.op = "mpt_dropout",
             .name = f.name,
             .inputs = {{.shape = f.shape, .layout = f.layout}},
             .apply = [](In in, Out out) { return mpt_dropout(in[0], kRare, out); },
             .reference = [](const std::vector<Values> &in) { return map(in[0], [](double x) { return x / (1 - kRare); }); },
             .bound = kDropout,
             .any_thread_count = true});
    return all;
}

class Dropout : public DeviceTest {
protected:
    Tensor ones(mpt_dtype dtype, const Shape &shape) {
        Tensor x = create(ctx, dtype, shape);
        MUST(mpt_tensor_fill(x, 1));
        return x;
    }
    std::vector<double> drop(mpt_tensor *x, double p) {
        Tensor y;
        MUST(mpt_dropout(x, p, y.out()));
        return read(y);
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(Dropout, cases());
INSTANTIATE_ON_EVERY_DEVICE(Dropout);

// Element i stays when number i of the context's stream, uniform in [0, 1), is at least p.
TEST_P(Dropout, TakesTheContextsNumbers) {
    for (double p : {0.0, 0.25, 0.9}) {
        MUST(mpt_context_seed(ctx, 7));
        const Tensor uniform = create(ctx, MPT_F32, {1003}), x = ones(MPT_F32, {17, 59});
        MUST(mpt_tensor_random_uniform(uniform, 0, 1));
        MUST(mpt_context_seed(ctx, 7));
        const std::vector<double> numbers = read(uniform), got = drop(x, p);
        for (std::size_t i = 0; i < got.size(); ++i) ASSERT_FLOAT_EQ(got[i], numbers[i] < p ? 0 : 1 / (1 - p)) << p << ", " << i;
        // The next one takes the numbers behind these.
        Tensor next = create(ctx, MPT_F32, {1003});
        MUST(mpt_tensor_random_uniform(next, 0, 1));
        EXPECT_NE(read(next), numbers);
    }
}

TEST_P(Dropout, TheGradientHasTheSameHoles) {
    for (mpt_dtype dtype : formats(GetParam())) {
        const Tensor x = ones(dtype, {1000});
        MUST(mpt_tensor_set_requires_grad(x, 1));
        Tensor y;
        MUST(mpt_dropout(x, 0.5, y.out()));
        const Tensor seed = ones(dtype, {1000});
        mpt_tensor *root = y, *start = seed;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        EXPECT_EQ(read(gradient(x)), read(y)) << mpt_dtype_name(dtype);
    }
}

TEST_P(Dropout, SameNumbersForAnyThreadCount) {
    std::vector<double> first;
    for (int threads : {1, 2, 3}) {
        const Context other = must_open(GetParam(), threads);
        MUST(mpt_context_seed(other, 3));
        Tensor x = create(other, MPT_F32, {100, 1000}), y;
        MUST(mpt_tensor_fill(x, 1));
        MUST(mpt_dropout(x, 0.3, y.out()));
        const std::vector<double> got = read(y);
        if (first.empty()) first = got;
        EXPECT_EQ(got, first) << threads << " threads";
    }
}

TEST_P(Dropout, KeepsTheExpectedShare) {
    const Tensor x = ones(MPT_F32, {1000000});
    for (double p : {0.1, 0.5}) {
        double kept = 0;
        for (double v : drop(x, p)) kept += v != 0;
        EXPECT_NEAR(kept / 1e6, 1 - p, 5 * std::sqrt(p * (1 - p) / 1e6)) << p;  // five standard deviations
    }
}

// Every run of a program draws new numbers, those that eager calls would.
TEST_P(Dropout, ProgramsDrawWhatEagerCallsDraw) {
    const Tensor x = ones(MPT_F32, {999});
    MUST(mpt_context_seed(ctx, 11));
    const std::vector<double> eager[] = {drop(x, 0.5), drop(x, 0.5)};
    EXPECT_NE(eager[0], eager[1]);
    MUST(mpt_context_seed(ctx, 11));
    MUST(mpt_capture_begin(ctx));
    Tensor y;
    MUST(mpt_dropout(x, 0.5, y.out()));
    mpt_tensor *outputs[] = {y};
    Program program;
    MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    for (const std::vector<double> &expected : eager) {
        MUST(mpt_program_run(program));
        EXPECT_EQ(read(y), expected);
    }
}

// A hole is 0, whatever was there.
TEST_P(Dropout, HolesInInfinities) {
    const Tensor x = create(ctx, MPT_F32, {400});
    MUST(mpt_tensor_fill(x, std::numeric_limits<double>::infinity()));
    int holes = 0;
    for (double v : drop(x, 0.5)) {
        holes += v == 0;
        EXPECT_TRUE(v == 0 || std::isinf(v));
    }
    EXPECT_GT(holes, 100);
}

}  // namespace test
