#include <cmath>
#include <limits>

#include "ops/loss_cases.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A loss is a sum of logarithms over time, each step of which rounds; a gradient is a probability.
constexpr Bound kLoss{16, Scale::Largest, 64, 1, Scale::Largest};

struct Form {
    const char *name;
    std::int64_t times, items, classes, labels;
    mpt_reduction reduction = MPT_REDUCTION_MEAN;
    std::int64_t blank = 0;
    mpt_dtype index = MPT_I64;
    Layout layout = Layout::Contiguous;
    std::int64_t fewest_labels = 0;
};

mpt_status apply(const Form &f, In in, Out out) {
    return mpt_ctc(in[0], in[1], in[2], in[3], f.blank, f.reduction, 0, out);
}

std::int64_t at(const Values &x, const Shape &place) {
    return static_cast<std::int64_t>(element(x, place));
}

// -log of the probability of all paths, with probabilities themselves.
double item_loss(const Values &x, const std::vector<std::int64_t> &labels, std::int64_t times, std::int64_t item,
                 std::int64_t blank) {
    std::vector<std::int64_t> extended{blank};
    for (std::int64_t label : labels) {
        extended.push_back(label);
        extended.push_back(blank);
    }
    const std::size_t n = extended.size();
    std::vector<long double> paths(n);
    paths[0] = 1;  // before the first time: a place in front
    for (std::int64_t t = 0; t < times; ++t) {
        std::vector<long double> next(n);
        for (std::size_t s = 0; s < n; ++s) {
            long double sum = t == 0 ? (s < 2 ? 1 : 0) : paths[s] + (s > 0 ? paths[s - 1] : 0);
            if (t > 0 && s > 1 && extended[s] != blank && extended[s] != extended[s - 2]) sum += paths[s - 2];
            next[s] = sum * std::exp(static_cast<long double>(element(x, {t, item, extended[s]})));
        }
        paths = next;
    }
    return static_cast<double>(-std::log(n > 1 ? paths[n - 1] + paths[n - 2] : paths[0]));
}

Values reference(const Form &f, const std::vector<Values> &in) {
    Values loss{{f.items}, {}};
    for (std::int64_t i = 0; i < f.items; ++i) {
        std::vector<std::int64_t> labels;
        for (std::int64_t s = 0; s < at(in[3], {i}); ++s) labels.push_back(at(in[1], {i, s}));
        const double per = f.reduction == MPT_REDUCTION_MEAN ? std::max<double>(1, static_cast<double>(labels.size())) : 1;
        loss.data.push_back(item_loss(in[0], labels, at(in[2], {i}), i, f.blank) / per);
    }
    return reduced(loss, f.reduction);
}

std::vector<Case> cases() {
    const mpt_reduction mean = MPT_REDUCTION_MEAN, sum = MPT_REDUCTION_SUM, none = MPT_REDUCTION_NONE;
    const Form forms[] = {
        {"Mean", 9, 4, 5, 3},
        {"Sum", 9, 4, 5, 3, sum, 0, MPT_I32},
        {"None", 9, 4, 5, 3, none},
        {"BatchMean", 9, 4, 5, 3, MPT_REDUCTION_BATCH_MEAN},
        {"LastClassIsBlank", 9, 4, 5, 3, mean, 4},
        {"ManyRepeats", 15, 4, 2, 6, none, 0, MPT_I64, Layout::Contiguous, 4},
        {"OneItem", 7, 1, 4, 2},
        {"OneTime", 1, 3, 4, 0, sum},
        {"NoLabels", 6, 3, 4, 0},
        {"Transposed", 9, 4, 5, 3, mean, 0, MPT_I64, Layout::Transposed},
        {"Sliced", 9, 4, 5, 3, none, 0, MPT_I32, Layout::Sliced},
        {"NoItems", 5, 0, 4, 2, none},
        {"SumOfNoItems", 5, 0, 4, 2, sum},
        {"ManyItems", 12, 40, 6, 4, sum},
        {"Long", 160, 3, 30, 40, mean},
    };
    std::vector<Case> all;
    for (const Form &f : forms) {
        const double first = f.blank == 0 ? 1 : 0;
        const Operand labels{
            .shape = {f.items, f.labels}, .low = first, .high = first + static_cast<double>(f.classes - 1), .index = f.index};
        // Inputs long enough for labels that are all one.
        const Operand input_lengths{.shape = {f.items},
                                    .low = static_cast<double>(std::max<std::int64_t>(2 * f.labels, 1)),
                                    .high = static_cast<double>(f.times + 1),
                                    .index = f.index};
        const Operand label_lengths{.shape = {f.items},
                                    .low = static_cast<double>(f.fewest_labels),
                                    .high = static_cast<double>(f.labels + 1),
                                    .index = f.index};
        all.push_back({.op = "mpt_ctc",
                       .name = f.name,
                       .inputs = {{.shape = {f.times, f.items, f.classes}, .low = -4, .high = -0.1, .layout = f.layout},
                                  labels,
                                  input_lengths,
                                  label_lengths},
                       .apply = [=](In in, Out out) { return apply(f, in, out); },
                       .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
                       .bound = kLoss,
                       .any_thread_count = true});
    }
    return all;
}

class Ctc : public DeviceTest {
protected:
    // Of log-probabilities [T,N,C] in f32 or another type.
    Tensor loss_of(mpt_tensor *x, const Values &labels, const std::vector<double> &times, const std::vector<double> &lengths,
                   mpt_reduction reduction = MPT_REDUCTION_NONE, std::int32_t zero_infinity = 0) {
        mpt_context *of = dtype_of(x) == MPT_F64 ? in_f64() : static_cast<mpt_context *>(ctx);
        Tensor loss;
        MUST(mpt_ctc(x, make(of, MPT_I64, labels), make(of, MPT_I64, times), make(of, MPT_I64, lengths), 0, reduction,
                     zero_infinity, loss.out()));
        return loss;
    }
    // Where f64 is computed in.
    mpt_context *in_f64() {
        if (GetParam() != Device::Cuda) return ctx;
        if (!cpu_) cpu_ = must_open(Device::CpuPortable);
        return cpu_;
    }
    Values even(std::int64_t times, std::int64_t items, std::int64_t classes) {
        const auto n = static_cast<std::size_t>(times * items * classes);
        return {{times, items, classes}, std::vector<double>(n, -std::log(static_cast<double>(classes)))};
    }

private:
    Context cpu_;
};

}  // namespace

INSTANTIATE_OP_TESTS(Ctc, cases());
INSTANTIATE_ON_EVERY_DEVICE(Ctc);

// torch.nn.functional.ctc_loss of log_softmax, with the gradient of what log_softmax is given (PyTorch 2, f64).
TEST_P(Ctc, AsInPyTorch) {
    const Tensor z = leaf(
        ctx, MPT_F32, Values{{4, 2, 3}, {.5, -1, 0, 1, 0, .25, 0, .5, 1, -.5, .5, 0, 1, 1, 0, 0, .25, -1, -1, 0, .5, .5, .5, 2}});
    const Values labels{{2, 2}, {1, 1, 2, 1}};
    Tensor x;
    MUST(mpt_log_softmax(z, 2, x.out()));
    expect_near(read(loss_of(x, labels, {4, 3}, {2, 1})), {3.31641624, 1.83973892}, 2e-6, "loss");
    const Tensor mean = loss_of(x, labels, {4, 3}, {2, 1}, MPT_REDUCTION_MEAN);
    EXPECT_NEAR(read(mean)[0], 1.74897352, 1e-6);
    expect_near(gradients(ctx, mean, {z})[0],
                {-0.0253229905,
                 -0.0575517496,
                 0.0828747401,
                 -0.0435165224,
                 0.0999538764,
                 -0.0564373539,
                 -0.00532049584,
                 -0.121299602,
                 0.126620098,
                 -0.00780974075,
                 0.253240196,
                 -0.245430455,
                 -0.114437822,
                 0.075597221,
                 0.0388406009,
                 -0.159933278,
                 0.242094925,
                 -0.0821616473,
                 0.0224243827,
                 -0.15906173,
                 0.136637347,
                 0,
                 0,
                 0},
                1e-6, "gradient");
}

// Every path of 5 times over 3 classes, collapsed.
TEST_P(Ctc, SumsAllAlignments) {
    constexpr std::int64_t kTimes = 5, kClasses = 3;
    Random random(11);
    Values x{{kTimes, 1, kClasses}, {}};
    for (int i = 0; i < kTimes * kClasses; ++i) x.data.push_back(random.uniform(-3, 0));
    for (const std::vector<double> &labels : {std::vector<double>{}, {1}, {1, 1}, {1, 2}, {2, 2, 1}, {1, 1, 1}}) {
        double total = 0;
        for (int path = 0; path < 243; ++path) {
            std::vector<double> collapsed;
            double log_probability = 0;
            for (int t = 0, rest = path, before = -1; t < kTimes; ++t, rest /= 3) {
                const int c = rest % 3;
                log_probability += element(x, {t, 0, c});
                if (c != before && c != 0) collapsed.push_back(c);
                before = c;
            }
            if (collapsed == labels) total += std::exp(log_probability);
        }
        Values padded{{1, 3}, labels};
        padded.data.resize(3, 99);  // what lies behind the labels is not looked at
        const Tensor loss = loss_of(make(in_f64(), MPT_F64, x), padded, {kTimes}, {static_cast<double>(labels.size())});
        EXPECT_NEAR(read(loss)[0], -std::log(total), 1e-12) << labels.size() << " labels";
    }
}

TEST_P(Ctc, ImpossibleAlignments) {
    // Two equal labels need three times; with one label there is nothing to stop it.
    const Values labels{{3, 2}, {1, 1, 1, 1, 1, 2}};
    for (mpt_dtype dtype : formats(GetParam())) {
        const Tensor x = leaf(ctx, dtype, even(2, 3, 3));
        Tensor loss = loss_of(x, labels, {2, 2, 0}, {2, 1, 1});
        std::vector<double> got = read(loss);
        EXPECT_EQ(got[0], kInfinity);
        EXPECT_NEAR(got[1], std::log(3.0), roundoff(dtype) > 1e-6 ? 1e-2 : 1e-6);  // 1-, -1 and 11
        EXPECT_EQ(got[2], kInfinity);
        EXPECT_TRUE(std::isnan(gradients(ctx, loss, {x})[0][0]));
        loss = loss_of(x, labels, {2, 2, 0}, {2, 1, 1}, MPT_REDUCTION_NONE, 1);
        got = read(loss);
        EXPECT_EQ(got[0], 0);
        EXPECT_EQ(got[2], 0);
        const std::vector<double> grad = gradients(ctx, loss, {x})[0];
        for (std::size_t t = 0; t < 2; ++t)
            for (std::size_t c = 0; c < 3; ++c) {
                EXPECT_EQ(grad[9 * t + c], 0);
                EXPECT_NEAR(grad[9 * t + 3 + c],
                            c == 0   ? -1.0 / 3
                            : c == 1 ? -2.0 / 3
                                     : 0,
                            2 * roundoff(dtype))
                    << "time " << t << ", class " << c;
                EXPECT_EQ(grad[9 * t + 6 + c], 0);
            }
        EXPECT_NEAR(read(loss_of(x, labels, {2, 2, 0}, {2, 1, 1}, MPT_REDUCTION_MEAN, 1))[0], std::log(3.0) / 3,
                    roundoff(dtype) > 1e-6 ? 1e-2 : 1e-6);
    }
}

TEST_P(Ctc, NoTimeAndNoLabelsIsCertain) {
    const Tensor x = leaf(ctx, MPT_F32, even(3, 1, 2));
    const Tensor loss = loss_of(x, {{1, 1}, {1}}, {0}, {0}, MPT_REDUCTION_MEAN);
    EXPECT_EQ(read(loss)[0], 0);
    EXPECT_EQ(gradients(ctx, loss, {x})[0], (std::vector<double>(6, 0)));
}

// Labels that are no class or the blank, and lengths that do not fit: NaN for the item and no gradient.
TEST_P(Ctc, WhatCannotBeIsNan) {
    const Tensor x = leaf(ctx, MPT_F32, even(3, 7, 4));
    const Tensor loss = loss_of(x, {{7, 1}, {4, -1, 0, 1, 1, 1, 2}}, {3, 3, 3, 4, -1, 3, 3}, {1, 1, 1, 1, 1, 2, 1});
    const std::vector<double> got = read(loss), grad = gradients(ctx, loss, {x})[0];
    for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(std::isnan(got[i])) << i;
    EXPECT_TRUE(std::isfinite(got[6]));
    for (std::size_t t = 0; t < 3; ++t)
        for (std::size_t i = 0; i < 7; ++i)
            for (std::size_t c = 0; c < 4; ++c)
                EXPECT_EQ(grad[(t * 7 + i) * 4 + c] != 0, i == 6 && (c == 0 || c == 2)) << t << ", " << i << ", " << c;
    Values bad = even(3, 1, 2);
    bad.data[0] = std::nan("");
    const Tensor seen = leaf(ctx, MPT_F32, bad);
    const Tensor of_nan = loss_of(seen, {{1, 1}, {1}}, {3}, {1});
    EXPECT_TRUE(std::isnan(read(of_nan)[0]));
    EXPECT_TRUE(std::isnan(gradients(ctx, of_nan, {seen})[0][0]));
}

// At each time the gradient is minus a distribution, also where f32 has no digits left for the whole path.
TEST_P(Ctc, LongInputsKeepTheirPrecision) {
    constexpr std::int64_t kTimes = 2000, kClasses = 20, kLabels = 300;
    Random random(3);
    Values x{{kTimes, 1, kClasses}, {}}, labels{{1, kLabels}, {}};
    for (int i = 0; i < kTimes * kClasses; ++i) x.data.push_back(rounded(MPT_F32, random.uniform(-12, 0)));
    for (int i = 0; i < kLabels; ++i) labels.data.push_back(static_cast<double>(1 + random.below(kClasses - 1)));
    const Tensor narrow = leaf(ctx, MPT_F32, x), fine = leaf(in_f64(), MPT_F64, x);
    const Tensor a = loss_of(narrow, labels, {kTimes}, {kLabels}), b = loss_of(fine, labels, {kTimes}, {kLabels});
    EXPECT_NEAR(read(a)[0] / read(b)[0], 1, 1e-6);
    const std::vector<double> got = gradients(ctx, a, {narrow})[0], exact = gradients(in_f64(), b, {fine})[0];
    expect_near(got, exact, 5e-4, "gradient");
    for (std::size_t t = 0; t < kTimes; t += 100) {
        double sum = 0;
        for (std::size_t c = 0; c < kClasses; ++c) sum += got[t * kClasses + c];
        EXPECT_NEAR(sum, -1, 1e-5) << "time " << t;
    }
}

// A model that says blank nearly always: the places where paths must end have e^-160 of the likeliest ones, which f32 has no number for.
TEST_P(Ctc, AlignmentsFarBelowTheLikeliestPlaces) {
    constexpr std::int64_t kTimes = 100, kClasses = 28, kLabels = 20;
    Values x = tabulate({kTimes, 1, kClasses}, [](const Shape &at) { return at[2] == 0 ? -0.0078125 : -8.0; }), labels{{1, kLabels}, {}};
    for (int i = 0; i < kLabels; ++i) labels.data.push_back(1 + i);
    const Tensor fine = leaf(in_f64(), MPT_F64, x);
    const Tensor exact = loss_of(fine, labels, {kTimes}, {kLabels}, MPT_REDUCTION_SUM, 1);
    const std::vector<double> exact_gradient = gradients(in_f64(), exact, {fine})[0];
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor narrow = leaf(ctx, dtype, x);
        const Tensor loss = loss_of(narrow, labels, {kTimes}, {kLabels}, MPT_REDUCTION_SUM, 1);
        EXPECT_NEAR(read(loss)[0] / read(exact)[0], 1, 1e-5);
        expect_near(gradients(ctx, loss, {narrow})[0], exact_gradient, 1e-3 + roundoff(dtype), "gradient");
    }
}

}  // namespace test
