#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The maximum is exact; where windows overlap the gradient is a sum in f32.
constexpr Bound kPool{0, Scale::Result, 4, 1, Scale::Magnitudes};

struct Form {
    const char *name;
    Shape x;
    std::int32_t kernel[2] = {2, 2}, stride[2] = {0, 0}, padding[2] = {0, 0};
    Layout layout = Layout::Contiguous;
};

mpt_pool2d_params params_of(const Form &f) {
    mpt_pool2d_params p;
    MUST(mpt_pool2d_params_init(&p, sizeof p));
    p.kernel_h = f.kernel[0], p.kernel_w = f.kernel[1];
    p.stride_h = f.stride[0], p.stride_w = f.stride[1];
    p.padding_h = f.padding[0], p.padding_w = f.padding[1];
    return p;
}

Case pool(const Form &f) {
    return {.op = "mpt_max_pool2d",
            .name = f.name,
            // Positive, so that the magnitudes have their maxima where the values have them.
            .inputs = {{.shape = f.x, .low = 0.5, .high = 2, .distinct = true, .layout = f.layout}},
            .apply =
                [=](In in, Out out) {
                    const mpt_pool2d_params p = params_of(f);
                    return mpt_max_pool2d(in[0], &p, out);
                },
            .reference =
                [=](const std::vector<Values> &in) {
                    Shape shape = f.x;
                    std::int64_t stride[2];
                    for (std::size_t i = 0; i < 2; ++i) {
                        stride[i] = f.stride[i] ? f.stride[i] : f.kernel[i];
                        shape[2 + i] = (f.x[2 + i] + 2 * f.padding[i] - f.kernel[i]) / stride[i] + 1;
                    }
                    return tabulate(shape, [&](const Shape &at) {
                        double best = -kInfinity;
                        for (std::int64_t i = 0; i < f.kernel[0]; ++i)
                            for (std::int64_t j = 0; j < f.kernel[1]; ++j) {
                                const std::int64_t row = at[2] * stride[0] - f.padding[0] + i,
                                                   column = at[3] * stride[1] - f.padding[1] + j;
                                if (row >= 0 && row < f.x[2] && column >= 0 && column < f.x[3])
                                    best = std::max(best, element(in[0], {at[0], at[1], row, column}));
                            }
                        return best;
                    });
                },
            .bound = kPool};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {2, 3, 4, 6}},
        {.name = "RoundsDown", .x = {2, 3, 5, 7}},
        {.name = "Overlap", .x = {1, 2, 6, 7}, .kernel = {3, 3}, .stride = {1, 2}},
        {.name = "Padding", .x = {2, 2, 5, 6}, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}},
        {.name = "Uneven", .x = {1, 3, 7, 9}, .kernel = {2, 4}, .stride = {3, 1}, .padding = {0, 2}},
        {.name = "Gaps", .x = {1, 2, 8, 8}, .kernel = {2, 1}, .stride = {3, 4}},
        {.name = "WholeImage", .x = {2, 3, 5, 4}, .kernel = {5, 4}},
        {.name = "One", .x = {1, 2, 3, 3}, .kernel = {1, 1}},
        {.name = "WideIndices", .x = {1, 2, 20, 19}, .kernel = {17, 17}, .stride = {2, 1}},
        {.name = "ChannelsLast", .x = {2, 5, 6, 4}, .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastOverlap",
         .x = {2, 3, 7, 6},
         .kernel = {3, 3},
         .stride = {2, 2},
         .padding = {1, 1},
         .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastPacks",
         .x = {2, 16, 9, 11},
         .kernel = {3, 3},
         .stride = {2, 2},
         .padding = {1, 1},
         .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastFourWindows",
         .x = {2, 8, 10, 7},
         .kernel = {4, 3},
         .stride = {2, 2},
         .padding = {2, 0},
         .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastGaps", .x = {2, 8, 6, 9}, .kernel = {1, 3}, .stride = {2, 2}, .layout = Layout::ChannelsLast},
        {.name = "Sliced", .x = {2, 3, 4, 6}, .layout = Layout::Sliced},
        {.name = "ManyChannels", .x = {1, 77, 6, 4}, .kernel = {3, 2}, .stride = {2, 1}, .layout = Layout::ChannelsLast},
        {.name = "NoImages", .x = {0, 3, 4, 4}},
        {.name = "Large", .x = {8, 16, 24, 24}, .layout = Layout::ChannelsLast},
    };
    for (const Form &form : forms) all.push_back(pool(form));
    return all;
}

class MaxPool2d : public DeviceTest {
protected:
    // The output, and the gradient of its sum.
    std::pair<std::vector<double>, std::vector<double>> both(mpt_dtype dtype, const Values &values, const Form &form) {
        const Tensor x = make(ctx, dtype, values);
        MUST(mpt_tensor_set_requires_grad(x, 1));
        const mpt_pool2d_params p = params_of(form);
        Tensor y;
        MUST(mpt_max_pool2d(x, &p, y.out()));
        const Tensor seed = create(ctx, dtype, shape_of(y));
        MUST(mpt_tensor_fill(seed, 1));
        mpt_tensor *root = y, *start = seed;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        return {read(y), read(gradient(x))};
    }
};

}  // namespace

INSTANTIATE_OP_TESTS(MaxPool2d, cases());
INSTANTIATE_ON_EVERY_DEVICE(MaxPool2d);

TEST_P(MaxPool2d, TheFirstMaximumTakesTheGradient) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const auto [y, dx] = both(dtype, {{1, 1, 2, 4}, {3, 3, 0, 1, 3, 3, 1, 1}}, {.name = "", .x = {}});
        EXPECT_EQ(y, (std::vector<double>{3, 1}));
        EXPECT_EQ(dx, (std::vector<double>{1, 0, 0, 1, 0, 0, 0, 0})) << mpt_dtype_name(dtype);
    }
}

TEST_P(MaxPool2d, DefaultsAreTwoByTwo) {
    Tensor y;
    MUST(mpt_max_pool2d(make(ctx, MPT_F32, Values{{1, 1, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9}}), nullptr, y.out()));
    EXPECT_EQ(shape_of(y), (Shape{1, 1, 1, 2}));
    EXPECT_EQ(read(y), (std::vector<double>{6, 8}));
}

TEST_P(MaxPool2d, NanWins) {
    const double nan = std::nan("");
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const auto [y, dx] = both(dtype, {{1, 1, 2, 4}, {9, nan, 0, nan, 1, 2, nan, 5}}, {.name = "", .x = {}});
        EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1])) << mpt_dtype_name(dtype);
        EXPECT_EQ(dx, (std::vector<double>{0, 1, 0, 1, 0, 0, 0, 0})) << mpt_dtype_name(dtype);
    }
}

// Padding is no zero: negative values and -inf stay what they are.
TEST_P(MaxPool2d, PaddingIsNeverTheMaximum) {
    const auto [y, dx] = both(MPT_F32, {{1, 1, 2, 2}, {-5, -kInfinity, -7, -kInfinity}},
                              {.name = "", .x = {}, .kernel = {2, 2}, .stride = {1, 1}, .padding = {1, 1}});
    EXPECT_EQ(y, (std::vector<double>{-5, -5, -kInfinity, -5, -5, -kInfinity, -7, -7, -kInfinity}));
    EXPECT_EQ(dx, (std::vector<double>{4, 2, 2, 1}));
}

}  // namespace test
