#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kConvolution{4, Scale::Magnitudes, 4, 1, Scale::Magnitudes};

struct Form {
    const char *name;
    Shape x, w;
    std::int32_t stride = 1, padding = 0, dilation = 1, groups = 1;
    enum { None, Same, Wide } bias = Same;
    Layout layout = Layout::Contiguous, filter = Layout::Contiguous;
};

Values reference(const Form &f, const std::vector<Values> &in) {
    const std::int64_t length = (f.x[2] + 2 * f.padding - f.dilation * (f.w[2] - 1) - 1) / f.stride + 1;
    const std::int64_t depth = f.w[1], per_group = f.w[0] / f.groups;
    return tabulate({f.x[0], f.w[0], length}, [&](const Shape &at) {
        double sum = in.size() > 2 ? element(in[2], {at[1]}) : 0;
        for (std::int64_t c = 0; c < depth; ++c)
            for (std::int64_t k = 0; k < f.w[2]; ++k) {
                const std::int64_t column = at[2] * f.stride - f.padding + k * f.dilation;
                if (column < 0 || column >= f.x[2]) continue;
                sum += element(in[0], {at[0], at[1] / per_group * depth + c, column}) * element(in[1], {at[1], c, k});
            }
        return sum;
    });
}

Case convolution(const Form &f) {
    std::vector<Operand> inputs{{.shape = f.x, .layout = f.layout}, {.shape = f.w, .layout = f.filter}};
    if (f.bias != Form::None) inputs.push_back({.shape = {f.w[0]}, .wide = f.bias == Form::Wide});
    return {.op = "mpt_conv1d",
            .name = f.name,
            .inputs = inputs,
            .apply =
                [=](In in, Out out) {
                    mpt_conv1d_params p;
                    MUST(mpt_conv1d_params_init(&p, sizeof p));
                    p.stride = f.stride, p.padding = f.padding, p.dilation = f.dilation, p.groups = f.groups;
                    return mpt_conv1d(in[0], in[1], f.bias == Form::None ? nullptr : in[2], &p, out);
                },
            .reference = [=](const std::vector<Values> &in) { return reference(f, in); },
            .bound = kConvolution};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {2, 3, 9}, .w = {4, 3, 3}},
        {.name = "NoBias", .x = {2, 3, 9}, .w = {4, 3, 3}, .bias = Form::None},
        {.name = "WideBias", .x = {2, 3, 9}, .w = {4, 3, 3}, .bias = Form::Wide},
        {.name = "StridePadding", .x = {1, 3, 10}, .w = {5, 3, 4}, .stride = 3, .padding = 2},
        {.name = "Dilation", .x = {1, 2, 9}, .w = {3, 2, 3}, .padding = 1, .dilation = 3},
        {.name = "Groups", .x = {2, 4, 8}, .w = {6, 2, 3}, .padding = 1, .groups = 2},
        {.name = "Depthwise", .x = {2, 5, 12}, .w = {5, 1, 5}, .padding = 2, .groups = 5},
        {.name = "Pointwise", .x = {2, 5, 6}, .w = {7, 5, 1}},
        {.name = "WholeSignal", .x = {3, 2, 8}, .w = {6, 2, 8}},
        {.name = "Transposed", .x = {2, 3, 9}, .w = {4, 3, 3}, .layout = Layout::Transposed, .filter = Layout::Transposed},
        {.name = "Sliced", .x = {2, 3, 9}, .w = {4, 3, 3}, .layout = Layout::Sliced, .filter = Layout::Sliced},
        {.name = "Strided", .x = {2, 3, 9}, .w = {4, 3, 3}, .layout = Layout::Strided},
        {.name = "NoSignals", .x = {0, 3, 9}, .w = {4, 3, 3}},
        {.name = "Large", .x = {4, 32, 100}, .w = {24, 32, 3}, .padding = 1, .bias = Form::Wide},
    };
    for (const Form &form : forms) all.push_back(convolution(form));
    return all;
}

}  // namespace

INSTANTIATE_OP_TESTS(Conv1d, cases());

}  // namespace test
