// Group norm and instance norm.
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
    std::int64_t groups = 2;
    Layout layout = Layout::Contiguous;
    enum { None, Same, Wide } weight = Wide, bias = Wide;
};

Values reference(const Form &f, std::int64_t groups, const std::vector<Values> &in) {
    const Values &x = in[0];
    std::size_t next = 1;
    const Values *weight = f.weight == Form::None ? nullptr : &in[next++], *bias = f.bias == Form::None ? nullptr : &in[next++];
    const std::int64_t channels = f.x[1], per_group = groups ? channels / groups : 1;
    std::int64_t pixels = 1;
    for (std::size_t d = 2; d < f.x.size(); ++d) pixels *= f.x[d];
    const std::int64_t length = per_group * pixels;  // neighbours in logical order
    Values y = x;
    for (std::int64_t start = 0; start < count(f.x); start += length) {
        long double mean = 0, variance = 0;
        for (std::int64_t i = start; i < start + length; ++i) mean += x.data[static_cast<std::size_t>(i)];
        mean /= static_cast<long double>(length);
        for (std::int64_t i = start; i < start + length; ++i) {
            const long double d = x.data[static_cast<std::size_t>(i)] - mean;
            variance += d * d;
        }
        variance /= static_cast<long double>(length);
        for (std::int64_t i = start; i < start + length; ++i) {
            const auto at = static_cast<std::size_t>(i), c = static_cast<std::size_t>(i / pixels % channels);
            y.data[at] = static_cast<double>((x.data[at] - mean) / std::sqrt(variance + static_cast<long double>(kEps)) *
                                                 (weight ? weight->data[c] : 1) +
                                             (bias ? bias->data[c] : 0));
        }
    }
    return y;
}

void add(std::vector<Case> &all, const Form &f, bool instance) {
    std::vector<Operand> inputs{{.shape = f.x, .layout = f.layout}};
    const Shape channels{f.x[1]};
    if (f.weight != Form::None) inputs.push_back({.shape = channels, .low = 0.5, .high = 2, .wide = f.weight == Form::Wide});
    if (f.bias != Form::None) inputs.push_back({.shape = channels, .wide = f.bias == Form::Wide});
    all.push_back({.op = instance ? "mpt_instance_norm" : "mpt_group_norm",
                   .name = f.name,
                   .inputs = inputs,
                   .apply =
                       [=](In in, Out out) {
                           mpt_tensor *weight = f.weight == Form::None ? nullptr : in[1];
                           mpt_tensor *bias = f.bias == Form::None ? nullptr : in[weight ? 2 : 1];
                           return instance ? mpt_instance_norm(in[0], weight, bias, kEps, out)
                                           : mpt_group_norm(in[0], f.groups, weight, bias, kEps, out);
                       },
                   .reference = [=](const std::vector<Values> &in) { return reference(f, instance ? f.x[1] : f.groups, in); },
                   .bound = kNorm,
                   .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {3, 4, 5, 6}},
        {.name = "NoAffine", .x = {3, 4, 5, 6}, .weight = Form::None, .bias = Form::None},
        {.name = "WeightAlone", .x = {3, 4, 5, 6}, .bias = Form::None},
        {.name = "BiasAlone", .x = {3, 4, 5, 6}, .weight = Form::None},
        {.name = "AffineOfXsType", .x = {3, 4, 5, 6}, .weight = Form::Same, .bias = Form::Same},
        {.name = "OneGroup", .x = {3, 5, 4, 3}, .groups = 1},
        {.name = "GroupPerChannel", .x = {3, 5, 4, 3}, .groups = 5},
        {.name = "Signals", .x = {3, 6, 7}, .groups = 3},
        {.name = "ChannelsLast", .x = {3, 6, 4, 3}, .groups = 3, .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastWide", .x = {2, 80, 6, 4}, .groups = 8, .layout = Layout::ChannelsLast},
        {.name = "Sliced", .x = {3, 4, 3, 5}, .layout = Layout::Sliced},
        {.name = "Transposed", .x = {3, 4, 3, 5}, .layout = Layout::Transposed},
        {.name = "NoImages", .x = {0, 4, 3, 3}},
        {.name = "NoPixels", .x = {2, 4, 0}},
        {.name = "Large", .x = {2, 8, 60, 60}, .groups = 4},
        {.name = "LargeChannelsLast", .x = {3, 40, 20, 20}, .groups = 4, .layout = Layout::ChannelsLast},
        // Groups that several blocks of a GPU share.
        {.name = "LargeImages", .x = {1, 8, 96, 96}, .groups = 2},
        {.name = "LargeImagesChannelsLast", .x = {1, 16, 80, 80}, .groups = 4, .layout = Layout::ChannelsLast},
        // Packs of 16 bits hold channels of several groups.
        {.name = "NarrowGroups", .x = {2, 48, 24, 24}, .groups = 16, .layout = Layout::ChannelsLast},
        {.name = "NarrowRows", .x = {2, 96, 4, 6}, .groups = 32},
        {.name = "ManyChannels", .x = {3, 1200, 3, 3}, .groups = 3, .layout = Layout::ChannelsLast},
    };
    for (const Form &form : forms)
        for (bool instance : {false, true}) add(all, form, instance);
    add(all, {.name = "Rows", .x = {7, 6}, .groups = 2}, false);
    return all;
}

class GroupNorm : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(GroupNorm, cases());
INSTANTIATE_ON_EVERY_DEVICE(GroupNorm);

TEST_P(GroupNorm, LargeMeans) {
    Random random(5);
    Values x{{2, 6, 11, 13}, {}};
    for (std::int64_t i = 0; i < count(x.shape); ++i) x.data.push_back(rounded(MPT_F32, 4096 + random.uniform(-1, 1)));
    const Values exact = reference({.name = "", .x = x.shape, .weight = Form::None, .bias = Form::None}, 3, {x});
    Tensor y;
    MUST(mpt_group_norm(make(ctx, MPT_F32, x), 3, nullptr, nullptr, kEps, y.out()));
    const std::vector<double> got = read(y);
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], exact.data[i], 2e-6) << i;
}

// An instance of one pixel has no variance: the bias.
TEST_P(GroupNorm, OnePixel) {
    const Tensor x = make(ctx, MPT_F32, Values{{2, 2, 1}, {1, 2, 3, 4}}), bias = make(ctx, MPT_F32, std::vector<double>{5, 6});
    Tensor y;
    MUST(mpt_instance_norm(x, nullptr, bias, 1e-5, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{5, 6, 5, 6}));
}

}  // namespace test
