#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// f32 accumulation, rounded once: measured by sum |x||w|.
constexpr Bound kConvolution{4, Scale::Magnitudes, 4, 1, Scale::Magnitudes};

struct Form {
    const char *name;
    Shape x, w;
    std::int32_t stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1}, groups = 1;
    enum { None, Same, Wide } bias = Same;
    Layout layout = Layout::Contiguous, filter = Layout::Contiguous;
};

Values reference(const Form &f, const std::vector<Values> &in) {
    const Values &x = in[0], &w = in[1];
    Shape shape{f.x[0], f.w[0], 0, 0};
    for (std::size_t i = 0; i < 2; ++i)
        shape[2 + i] = (f.x[2 + i] + 2 * f.padding[i] - f.dilation[i] * (f.w[2 + i] - 1) - 1) / f.stride[i] + 1;
    const std::int64_t depth = f.w[1], per_group = f.w[0] / f.groups;
    return tabulate(shape, [&](const Shape &at) {
        double sum = in.size() > 2 ? element(in[2], {at[1]}) : 0;
        for (std::int64_t c = 0; c < depth; ++c)
            for (std::int64_t i = 0; i < f.w[2]; ++i)
                for (std::int64_t j = 0; j < f.w[3]; ++j) {
                    const std::int64_t row = at[2] * f.stride[0] - f.padding[0] + i * f.dilation[0];
                    const std::int64_t column = at[3] * f.stride[1] - f.padding[1] + j * f.dilation[1];
                    if (row < 0 || row >= f.x[2] || column < 0 || column >= f.x[3]) continue;
                    sum += element(x, {at[0], at[1] / per_group * depth + c, row, column}) * element(w, {at[1], c, i, j});
                }
        return sum;
    });
}

Case convolution(const Form &f) {
    std::vector<Operand> inputs{{.shape = f.x, .layout = f.layout}, {.shape = f.w, .layout = f.filter}};
    if (f.bias != Form::None) inputs.push_back({.shape = {f.w[0]}, .wide = f.bias == Form::Wide});
    return {.op = "mpt_conv2d",
            .name = f.name,
            .inputs = inputs,
            .apply =
                [=](In in, Out out) {
                    mpt_conv2d_params p;
                    MUST(mpt_conv2d_params_init(&p, sizeof p));
                    p.stride_h = f.stride[0], p.stride_w = f.stride[1];
                    p.padding_h = f.padding[0], p.padding_w = f.padding[1];
                    p.dilation_h = f.dilation[0], p.dilation_w = f.dilation[1];
                    p.groups = f.groups;
                    return mpt_conv2d(in[0], in[1], f.bias == Form::None ? nullptr : in[2], &p, out);
                },
            .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
            .bound = kConvolution};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {2, 3, 5, 6}, .w = {4, 3, 3, 3}},
        {.name = "NoBias", .x = {2, 3, 5, 6}, .w = {4, 3, 3, 3}, .bias = Form::None},
        {.name = "WideBias", .x = {2, 3, 5, 6}, .w = {4, 3, 3, 3}, .bias = Form::Wide},
        {.name = "Padding", .x = {1, 2, 4, 5}, .w = {3, 2, 3, 3}, .padding = {1, 2}},
        {.name = "PaddingBeyondTheImage", .x = {1, 2, 1, 2}, .w = {3, 2, 3, 3}, .padding = {3, 3}},
        {.name = "Stride", .x = {2, 3, 7, 8}, .w = {4, 3, 3, 2}, .stride = {2, 3}},
        {.name = "StridePadding", .x = {1, 3, 8, 7}, .w = {5, 3, 3, 3}, .stride = {2, 2}, .padding = {1, 1}},
        {.name = "StrideBeyondTheFilter", .x = {1, 2, 9, 9}, .w = {3, 2, 2, 1}, .stride = {4, 3}},
        {.name = "Dilation", .x = {1, 2, 8, 9}, .w = {3, 2, 3, 2}, .padding = {1, 0}, .dilation = {2, 3}},
        {.name = "Groups", .x = {2, 4, 5, 5}, .w = {6, 2, 3, 3}, .padding = {1, 1}, .groups = 2},
        {.name = "Depthwise", .x = {1, 5, 6, 4}, .w = {5, 1, 3, 3}, .padding = {1, 1}, .groups = 5},
        {.name = "DepthwiseMultiplier", .x = {1, 3, 6, 4}, .w = {6, 1, 3, 3}, .stride = {2, 1}, .groups = 3},
        {.name = "Pointwise", .x = {2, 5, 4, 3}, .w = {7, 5, 1, 1}},
        {.name = "PointwiseStride", .x = {2, 5, 5, 4}, .w = {3, 5, 1, 1}, .stride = {2, 2}},
        {.name = "WholeImage", .x = {3, 2, 4, 5}, .w = {6, 2, 4, 5}},
        {.name = "OneChannel", .x = {2, 1, 7, 7}, .w = {8, 1, 5, 5}, .padding = {2, 2}},
        {.name = "Everything",
         .x = {2, 4, 9, 8},
         .w = {4, 2, 3, 2},
         .stride = {2, 1},
         .padding = {2, 1},
         .dilation = {2, 2},
         .groups = 2,
         .bias = Form::Wide},
        {.name = "ChannelsLast",
         .x = {2, 3, 6, 5},
         .w = {4, 3, 3, 3},
         .padding = {1, 1},
         .layout = Layout::ChannelsLast,
         .filter = Layout::ChannelsLast},
        {.name = "SlicedInput", .x = {2, 3, 5, 5}, .w = {4, 3, 2, 2}, .layout = Layout::Sliced},
        {.name = "SlicedFilter", .x = {2, 3, 5, 5}, .w = {4, 3, 2, 2}, .filter = Layout::Sliced},
        {.name = "TransposedInput", .x = {1, 2, 5, 6}, .w = {3, 2, 3, 3}, .layout = Layout::Transposed},
        {.name = "NoImages", .x = {0, 3, 5, 5}, .w = {4, 3, 3, 3}},
        {.name = "Large", .x = {4, 16, 14, 14}, .w = {24, 16, 3, 3}, .padding = {1, 1}, .bias = Form::Wide},
        {.name = "ManyChannels", .x = {1, 70, 6, 5}, .w = {33, 70, 3, 3}, .padding = {1, 1}},
        {.name = "ManyChannelsLast",
         .x = {3, 64, 9, 10},
         .w = {48, 64, 3, 3},
         .padding = {1, 1},
         .bias = Form::None,
         .layout = Layout::ChannelsLast},
        {.name = "ManyChannelsLastDilation",
         .x = {1, 128, 13, 20},
         .w = {56, 128, 3, 3},
         .padding = {2, 0},
         .dilation = {2, 3},
         .bias = Form::None,
         .layout = Layout::ChannelsLast},
        {.name = "LargeOneChannel", .x = {8, 1, 28, 28}, .w = {16, 1, 5, 5}},
    };
    for (const Form &form : forms) all.push_back(convolution(form));
    return all;
}

class Conv2d : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Conv2d, cases());
INSTANTIATE_ON_EVERY_DEVICE(Conv2d);

TEST_P(Conv2d, ResultHasChannelsInnermost) {
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = create(ctx, dtype, {2, 3, 6, 5}), w = create(ctx, dtype, {4, 3, 3, 2});
        MUST(mpt_tensor_fill(x, 1));
        MUST(mpt_tensor_fill(w, 1));
        Tensor y;
        MUST(mpt_conv2d(x, w, nullptr, nullptr, y.out()));
        std::int64_t strides[4];
        MUST(mpt_tensor_strides(y, strides, 4));
        EXPECT_EQ(shape_of(y), (Shape{2, 4, 4, 4}));
        EXPECT_EQ(Shape(strides, strides + 4), (Shape{64, 1, 16, 4}));
        EXPECT_EQ(read(y), std::vector<double>(128, 18));
    }
}

}  // namespace test
