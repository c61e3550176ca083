// Layer norm and RMS norm.
#include <cmath>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kEps = 1e-3;
constexpr Bound kNorm{8, Scale::Largest, 24, 1, Scale::Largest};

struct Form {
    const char *name;
    Shape x;
    std::int32_t ndims = 1;
    Layout layout = Layout::Contiguous, weight_layout = Layout::Contiguous;
    enum { None, Same, Wide } weight = Wide, bias = Wide;
};

Values reference(const Form &f, bool rms, const std::vector<Values> &in) {
    const Values &x = in[0];
    std::size_t next = 1;
    const Values *weight = f.weight == Form::None ? nullptr : &in[next++],
                 *bias = f.bias == Form::None || rms ? nullptr : &in[next++];
    std::int64_t length = 1;
    for (std::size_t d = f.x.size() - static_cast<std::size_t>(f.ndims); d < f.x.size(); ++d) length *= f.x[d];
    Values y = x;
    for (std::size_t row = 0; row < x.data.size(); row += static_cast<std::size_t>(length)) {
        long double mean = 0, variance = 0;
        const auto n = static_cast<std::size_t>(length);
        for (std::size_t i = 0; i < n && !rms; ++i) mean += x.data[row + i];
        mean /= static_cast<long double>(length);
        for (std::size_t i = 0; i < n; ++i) variance += (x.data[row + i] - mean) * (x.data[row + i] - mean);
        variance /= static_cast<long double>(length);
        for (std::size_t i = 0; i < n; ++i)
            y.data[row + i] = static_cast<double>((x.data[row + i] - mean) / std::sqrt(variance + static_cast<long double>(kEps)) *
                                                      (weight ? weight->data[i] : 1) +
                                                  (bias ? bias->data[i] : 0));
    }
    return y;
}

void add(std::vector<Case> &all, const Form &f, bool rms) {
    std::vector<Operand> inputs{{.shape = f.x, .layout = f.layout}};
    const Shape row(f.x.end() - f.ndims, f.x.end());
    if (f.weight != Form::None)
        inputs.push_back({.shape = row, .low = 0.5, .high = 2, .layout = f.weight_layout, .wide = f.weight == Form::Wide});
    if (f.bias != Form::None && !rms) inputs.push_back({.shape = row, .layout = f.weight_layout, .wide = f.bias == Form::Wide});
    all.push_back({.op = rms ? "mpt_rms_norm" : "mpt_layer_norm",
                   .name = f.name,
                   .inputs = inputs,
                   .apply =
                       [=](In in, Out out) {
                           mpt_tensor *weight = f.weight == Form::None ? nullptr : in[1];
                           if (rms) return mpt_rms_norm(in[0], weight, kEps, out);
                           return mpt_layer_norm(in[0], f.ndims, weight, f.bias == Form::None ? nullptr : in[weight ? 2 : 1], kEps,
                                                 out);
                       },
                   .reference = [=](const std::vector<Values> &in) { return reference(f, rms, in); },
                   .bound = kNorm,
                   .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Rows", .x = {5, 13}},
        {.name = "NoAffine", .x = {5, 13}, .weight = Form::None, .bias = Form::None},
        {.name = "WeightAlone", .x = {5, 13}, .bias = Form::None},
        {.name = "BiasAlone", .x = {5, 13}, .weight = Form::None},
        {.name = "AffineOfXsType", .x = {5, 13}, .weight = Form::Same, .bias = Form::Same},
        {.name = "Vector", .x = {21}},
        {.name = "Sequence", .x = {2, 3, 70}},
        {.name = "Transposed", .x = {7, 12}, .layout = Layout::Transposed},
        {.name = "Sliced", .x = {2, 3, 9}, .layout = Layout::Sliced},
        {.name = "Strided", .x = {3, 9}, .layout = Layout::Strided, .weight_layout = Layout::Strided},
        {.name = "ChannelsLast", .x = {2, 5, 3, 8}, .layout = Layout::ChannelsLast},
        {.name = "NoRows", .x = {0, 5}},
        {.name = "ManyRows", .x = {600, 33}},
        {.name = "LongRows", .x = {5, 3001}},
        {.name = "LongRowsTransposed", .x = {3, 2100}, .layout = Layout::Transposed},
    };
    for (const Form &form : forms)
        for (bool rms : {false, true})
            if (!rms || form.weight != Form::None || form.bias == Form::None) add(all, form, rms);
    for (const Form &form : {
             Form{.name = "TwoDimensions", .x = {6, 3, 5}, .ndims = 2},
             Form{.name = "AllDimensions", .x = {4, 3, 5}, .ndims = 3},
             Form{.name = "TwoDimensionsTransposed", .x = {6, 3, 5}, .ndims = 2, .layout = Layout::Transposed},
             Form{.name = "TwoDimensionsWeightTransposed", .x = {6, 3, 5}, .ndims = 2, .weight_layout = Layout::Transposed},
             Form{.name = "TwoDimensionsSliced",
             .x = {6, 3, 5},
             .ndims = 2,
             .layout = Layout::Sliced,
             .weight_layout = Layout::Sliced},
         })
        add(all, form, false);
    return all;
}

class LayerNorm : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(LayerNorm, cases());
INSTANTIATE_ON_EVERY_DEVICE(LayerNorm);

// A mean far from 0 costs no digits of the differences from it.
TEST_P(LayerNorm, LargeMeans) {
    Random random(5);
    Values x{{9, 300}, {}};
    for (std::int64_t i = 0; i < count(x.shape); ++i) x.data.push_back(rounded(MPT_F32, 4096 + random.uniform(-1, 1)));
    const Values exact = reference({.name = "", .x = x.shape, .weight = Form::None, .bias = Form::None}, false, {x});
    Tensor y;
    MUST(mpt_layer_norm(make(ctx, MPT_F32, x), 1, nullptr, nullptr, kEps, y.out()));
    const std::vector<double> got = read(y);
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact.data[i], 2e-6) << i;
}

// Squares of f16 numbers are beyond f16.
TEST_P(LayerNorm, LargeElements) {
    const Tensor x = make(ctx, MPT_F16, Values{{1, 4}, {30000, -30000, 30000, -30000}});
    Tensor y;
    MUST(mpt_rms_norm(x, nullptr, 1e-5, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{1, -1, 1, -1}));
    MUST(mpt_layer_norm(x, 1, nullptr, nullptr, 1e-5, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{1, -1, 1, -1}));
}

TEST_P(LayerNorm, NotANumberStaysInItsRow) {
    const Tensor x = make(ctx, MPT_BF16, Values{{2, 3}, {1, std::nan(""), 2, -1, 0, 1}});
    Tensor y;
    MUST(mpt_layer_norm(x, 1, nullptr, nullptr, 0, y.out()));
    const std::vector<double> got = read(y);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(got[i]));
    EXPECT_EQ(got[4], 0);
}

}  // namespace test
