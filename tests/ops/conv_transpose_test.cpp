// Transposed convolutions in two and in one dimension.
#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// f32 accumulation, rounded once: measured by sum |x||w|.
constexpr Bound kConvolution{4, Scale::Magnitudes, 4, 1, Scale::Magnitudes};

// In one dimension only the second elements of pairs count.
struct Form {
    const char *name;
    Shape x, w;
    std::int32_t stride[2] = {1, 1}, padding[2] = {0, 0}, dilation[2] = {1, 1}, groups = 1, output_padding[2] = {0, 0};
    enum { None, Same, Wide } bias = Same;
    Layout layout = Layout::Contiguous, filter = Layout::Contiguous;
};

// Images of height 1 for signals.
Values image(const Values &v) {
    return v.shape.size() == 4 ? v : Values{{v.shape[0], v.shape[1], 1, v.shape[2]}, v.data};
}

Values reference(const Form &f, const std::vector<Values> &in) {
    const Values x = image(in[0]), w = image(in[1]);
    Shape shape{x.shape[0], w.shape[1] * f.groups, 0, 0};
    for (std::size_t i = 0; i < 2; ++i)
        shape[2 + i] =
            (x.shape[2 + i] - 1) * f.stride[i] - 2 * f.padding[i] + f.dilation[i] * (w.shape[2 + i] - 1) + f.output_padding[i] + 1;
    const std::int64_t per_group = x.shape[1] / f.groups, out_per_group = w.shape[1];
    Values y{shape, std::vector<double>(static_cast<std::size_t>(count(shape)))};
    for (std::int64_t i = 0; i < count(shape); ++i)
        y.data[static_cast<std::size_t>(i)] = in.size() > 2 ? in[2].data[static_cast<std::size_t>(coordinates(shape, i)[1])] : 0;
    // Each element of x is spread over the window that it comes from.
    for (std::int64_t i = 0; i < count(x.shape); ++i) {
        const Shape at = coordinates(x.shape, i);
        for (std::int64_t o = 0; o < out_per_group; ++o)
            for (std::int64_t v = 0; v < w.shape[2]; ++v)
                for (std::int64_t u = 0; u < w.shape[3]; ++u) {
                    const std::int64_t row = at[2] * f.stride[0] - f.padding[0] + v * f.dilation[0];
                    const std::int64_t column = at[3] * f.stride[1] - f.padding[1] + u * f.dilation[1];
                    if (row < 0 || row >= shape[2] || column < 0 || column >= shape[3]) continue;
                    const std::int64_t channel = at[1] / per_group * out_per_group + o;
                    y.data[static_cast<std::size_t>(((at[0] * shape[1] + channel) * shape[2] + row) * shape[3] + column)] +=
                        x.data[static_cast<std::size_t>(i)] * element(w, {at[1], o, v, u});
                }
    }
    if (in[0].shape.size() == 3) y.shape = {shape[0], shape[1], shape[3]};
    return y;
}

Case transpose(const Form &f) {
    const bool signal = f.x.size() == 3;
    std::vector<Operand> inputs{{.shape = f.x, .layout = f.layout}, {.shape = f.w, .layout = f.filter}};
    if (f.bias != Form::None) inputs.push_back({.shape = {f.w[1] * f.groups}, .wide = f.bias == Form::Wide});
    return {.op = signal ? "mpt_conv_transpose1d" : "mpt_conv_transpose2d",
            .name = f.name,
            .inputs = inputs,
            .apply =
                [=](In in, Out out) {
                    mpt_tensor *bias = f.bias == Form::None ? nullptr : in[2];
                    if (signal) {
                        mpt_conv1d_params p;
                        MUST(mpt_conv1d_params_init(&p, sizeof p));
                        p.stride = f.stride[1], p.padding = f.padding[1], p.dilation = f.dilation[1], p.groups = f.groups;
                        p.output_padding = f.output_padding[1];
                        return mpt_conv_transpose1d(in[0], in[1], bias, &p, out);
                    }
                    mpt_conv2d_params p;
                    MUST(mpt_conv2d_params_init(&p, sizeof p));
                    p.stride_h = f.stride[0], p.stride_w = f.stride[1];
                    p.padding_h = f.padding[0], p.padding_w = f.padding[1];
                    p.dilation_h = f.dilation[0], p.dilation_w = f.dilation[1];
                    p.groups = f.groups;
                    p.output_padding_h = f.output_padding[0], p.output_padding_w = f.output_padding[1];
                    return mpt_conv_transpose2d(in[0], in[1], bias, &p, out);
                },
            .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
            .bound = kConvolution};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {2, 3, 4, 5}, .w = {3, 4, 3, 3}},
        {.name = "NoBias", .x = {2, 3, 4, 5}, .w = {3, 4, 3, 3}, .bias = Form::None},
        {.name = "WideBias", .x = {2, 3, 4, 5}, .w = {3, 4, 3, 3}, .bias = Form::Wide},
        {.name = "Stride", .x = {2, 3, 4, 3}, .w = {3, 4, 3, 2}, .stride = {2, 3}},
        {.name = "StrideBeyondTheFilter", .x = {1, 2, 3, 3}, .w = {2, 3, 2, 1}, .stride = {4, 3}},
        {.name = "StrideBeyondTheFilterNoBias", .x = {1, 2, 3, 3}, .w = {2, 3, 2, 1}, .stride = {4, 3}, .bias = Form::None},
        {.name = "Padding", .x = {1, 2, 4, 5}, .w = {2, 3, 3, 3}, .padding = {1, 2}},
        {.name = "OutputPadding",
         .x = {1, 3, 4, 3},
         .w = {3, 5, 3, 3},
         .stride = {2, 2},
         .padding = {1, 1},
         .output_padding = {1, 1}},
        {.name = "OutputPaddingOfDilation", .x = {1, 2, 4, 3}, .w = {2, 2, 2, 3}, .dilation = {2, 3}, .output_padding = {1, 2}},
        {.name = "Dilation", .x = {1, 2, 4, 3}, .w = {2, 3, 3, 2}, .padding = {1, 0}, .dilation = {2, 3}},
        {.name = "Groups", .x = {2, 4, 5, 5}, .w = {4, 3, 3, 3}, .padding = {1, 1}, .groups = 2},
        {.name = "Depthwise", .x = {1, 5, 6, 4}, .w = {5, 1, 3, 3}, .stride = {2, 2}, .groups = 5},
        {.name = "Pointwise", .x = {2, 5, 4, 3}, .w = {5, 7, 1, 1}},
        {.name = "FromOnePixel", .x = {3, 6, 1, 1}, .w = {6, 2, 4, 5}},
        {.name = "Everything",
         .x = {2, 4, 4, 5},
         .w = {4, 2, 3, 2},
         .stride = {2, 3},
         .padding = {2, 1},
         .dilation = {2, 2},
         .groups = 2,
         .output_padding = {1, 2},
         .bias = Form::Wide},
        {.name = "ChannelsLast",
         .x = {2, 3, 6, 5},
         .w = {3, 4, 3, 3},
         .padding = {1, 1},
         .layout = Layout::ChannelsLast,
         .filter = Layout::ChannelsLast},
        {.name = "SlicedInput", .x = {2, 3, 5, 5}, .w = {3, 4, 2, 2}, .layout = Layout::Sliced},
        {.name = "SlicedFilter", .x = {2, 3, 5, 5}, .w = {3, 4, 2, 2}, .filter = Layout::Sliced},
        {.name = "NoImages", .x = {0, 3, 5, 5}, .w = {3, 4, 3, 3}},
        {.name = "Large", .x = {4, 24, 7, 7}, .w = {24, 16, 4, 4}, .stride = {2, 2}, .padding = {1, 1}, .bias = Form::Wide},
        {.name = "Plain", .x = {2, 3, 7}, .w = {3, 4, 3}},
        {.name = "Stride", .x = {2, 3, 5}, .w = {3, 4, 4}, .stride = {1, 3}, .padding = {0, 1}, .output_padding = {0, 2}},
        {.name = "Dilation", .x = {2, 4, 5}, .w = {4, 3, 2}, .dilation = {1, 3}, .groups = 2, .bias = Form::None},
        {.name = "WideBias", .x = {2, 3, 7}, .w = {3, 4, 3}, .bias = Form::Wide},
        {.name = "Transposed", .x = {2, 3, 7}, .w = {3, 4, 3}, .layout = Layout::Transposed, .filter = Layout::Transposed},
        {.name = "Sliced", .x = {2, 3, 7}, .w = {3, 4, 3}, .layout = Layout::Sliced, .filter = Layout::Sliced},
        {.name = "NoSignals", .x = {0, 3, 7}, .w = {3, 4, 3}},
    };
    for (const Form &form : forms) all.push_back(transpose(form));
    return all;
}

}  // namespace

INSTANTIATE_OP_TESTS(ConvTranspose, cases());

}  // namespace test
