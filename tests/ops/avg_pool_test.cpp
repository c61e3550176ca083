// Mean pooling, adaptive pooling of both kinds, and pooling of signals.
#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr Bound kMean{4, Scale::Magnitudes, 4, 1, Scale::Magnitudes};
constexpr Bound kMax{0, Scale::Result, 4, 1, Scale::Magnitudes};

// Window i of a dimension: [begin, end) inside the image, of `whole` elements with the padding.
struct Window {
    std::int64_t begin, end, whole;
};
using Windows = std::function<Window(std::int64_t i)>;

Values pooled(const Values &in, std::int64_t height, std::int64_t width, const Windows &down, const Windows &across, bool max,
              bool whole) {
    const bool signal = in.shape.size() == 3;
    const Values x{signal ? Shape{in.shape[0], in.shape[1], 1, in.shape[2]} : in.shape, in.data};
    Values y = tabulate({x.shape[0], x.shape[1], height, width}, [&](const Shape &at) {
        const Window v = down(at[2]), u = across(at[3]);
        double best = -kInfinity, sum = 0;
        for (std::int64_t i = v.begin; i < v.end; ++i)
            for (std::int64_t j = u.begin; j < u.end; ++j) {
                const double e = element(x, {at[0], at[1], i, j});
                best = std::max(best, e);
                sum += e;
            }
        const std::int64_t n = whole ? v.whole * u.whole : (v.end - v.begin) * (u.end - u.begin);
        return max ? best : sum / static_cast<double>(n);
    });
    if (signal) y.shape = {x.shape[0], x.shape[1], width};
    return y;
}

Windows regular(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    return [=](std::int64_t i) {
        const std::int64_t first = i * stride - padding;
        return Window{std::max<std::int64_t>(first, 0), std::min(first + kernel, extent), kernel};
    };
}
Windows adaptive(std::int64_t in, std::int64_t out) {
    return [=](std::int64_t i) { return Window{i * in / out, ((i + 1) * in + out - 1) / out, 0}; };
}

struct Form {
    const char *name;
    Shape x;
    std::int32_t kernel[2] = {2, 2}, stride[2] = {0, 0}, padding[2] = {0, 0};
    Layout layout = Layout::Contiguous;
    std::int32_t exclude = 0;
};

Operand operand(const Shape &shape, Layout layout, bool max) {
    // Maxima: positive, so that the magnitudes have theirs where the values have them.
    return {.shape = shape, .low = max ? 0.5 : -1, .high = max ? 2 : 1, .distinct = max, .layout = layout};
}

Case mean(const Form &f) {
    return {.op = "mpt_avg_pool2d",
            .name = f.name,
            .inputs = {operand(f.x, f.layout, false)},
            .apply =
                [=](In in, Out out) {
                    mpt_pool2d_params p;
                    MUST(mpt_pool2d_params_init(&p, sizeof p));
                    p.kernel_h = f.kernel[0], p.kernel_w = f.kernel[1];
                    p.stride_h = f.stride[0], p.stride_w = f.stride[1];
                    p.padding_h = f.padding[0], p.padding_w = f.padding[1];
                    p.exclude_padding = f.exclude;
                    return mpt_avg_pool2d(in[0], &p, out);
                },
            .reference =
                [=](const std::vector<Values> &in) {
                    std::int64_t extent[2];
                    Windows windows[2];
                    for (std::size_t i = 0; i < 2; ++i) {
                        const std::int64_t stride = f.stride[i] ? f.stride[i] : f.kernel[i];
                        extent[i] = (f.x[2 + i] + 2 * f.padding[i] - f.kernel[i]) / stride + 1;
                        windows[i] = regular(f.x[2 + i], f.kernel[i], stride, f.padding[i]);
                    }
                    return pooled(in[0], extent[0], extent[1], windows[0], windows[1], false, !f.exclude);
                },
            .bound = kMean,
            .any_thread_count = true};
}

Case signal(const char *name, const Shape &x, std::int32_t kernel, std::int32_t stride, std::int32_t padding, Layout layout,
            bool max) {
    const std::int64_t step = stride ? stride : kernel, length = (x[2] + 2 * padding - kernel) / step + 1;
    return {.op = max ? "mpt_max_pool1d" : "mpt_avg_pool1d",
            .name = name,
            .inputs = {operand(x, layout, max)},
            .apply = [=](In in, Out out) { return (max ? mpt_max_pool1d : mpt_avg_pool1d)(in[0], kernel, stride, padding, out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return pooled(in[0], 1, length, regular(1, 1, 1, 0), regular(x[2], kernel, step, padding), max, true);
                },
            .bound = max ? kMax : kMean,
            .any_thread_count = true};
}

Case evenly(const char *name, const Shape &x, std::int64_t height, std::int64_t width, Layout layout, bool max) {
    return {.op = max ? "mpt_adaptive_max_pool2d" : "mpt_adaptive_avg_pool2d",
            .name = name,
            .inputs = {operand(x, layout, max)},
            .apply = [=](In in,
                         Out out) { return (max ? mpt_adaptive_max_pool2d : mpt_adaptive_avg_pool2d)(in[0], height, width, out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return pooled(in[0], height, width, adaptive(x[2], height), adaptive(x[3], width), max, false);
                },
            .bound = max ? kMax : kMean,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Form forms[] = {
        {.name = "Plain", .x = {2, 3, 4, 6}},
        {.name = "RoundsDown", .x = {2, 3, 5, 7}},
        {.name = "Overlap", .x = {1, 2, 6, 7}, .kernel = {3, 3}, .stride = {1, 2}},
        {.name = "Padding", .x = {2, 2, 5, 6}, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}},
        {.name = "PaddingExcluded", .x = {2, 2, 5, 6}, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .exclude = 1},
        {.name = "Uneven", .x = {1, 3, 7, 9}, .kernel = {2, 4}, .stride = {3, 1}, .padding = {0, 2}},
        {.name = "Gaps", .x = {1, 2, 8, 8}, .kernel = {2, 1}, .stride = {3, 4}},
        {.name = "WholeImage", .x = {2, 3, 5, 4}, .kernel = {5, 4}},
        {.name = "ChannelsLast", .x = {2, 5, 6, 4}, .layout = Layout::ChannelsLast},
        {.name = "ChannelsLastOverlap",
         .x = {2, 3, 7, 6},
         .kernel = {3, 3},
         .stride = {2, 2},
         .padding = {1, 1},
         .layout = Layout::ChannelsLast},
        {.name = "Sliced", .x = {2, 3, 4, 6}, .layout = Layout::Sliced},
        {.name = "Transposed", .x = {2, 3, 4, 6}, .layout = Layout::Transposed},
        {.name = "ManyChannels", .x = {1, 77, 6, 4}, .kernel = {3, 2}, .stride = {2, 1}, .layout = Layout::ChannelsLast},
        {.name = "NoImages", .x = {0, 3, 4, 4}},
        {.name = "Large", .x = {8, 16, 24, 24}, .layout = Layout::ChannelsLast},
    };
    for (const Form &form : forms) all.push_back(mean(form));
    for (bool max : {false, true}) {
        all.push_back(signal("Plain", {2, 3, 9}, 2, 0, 0, Layout::Contiguous, max));
        all.push_back(signal("Padding", {2, 3, 10}, 3, 2, 1, Layout::Contiguous, max));
        all.push_back(signal("Transposed", {2, 3, 10}, 3, 1, 0, Layout::Transposed, max));
        all.push_back(signal("Sliced", {2, 3, 7}, 2, 3, 0, Layout::Sliced, max));
        all.push_back(signal("NoSignals", {0, 3, 7}, 2, 2, 0, Layout::Contiguous, max));

        all.push_back(evenly("ToOne", {2, 3, 5, 4}, 1, 1, Layout::Contiguous, max));
        all.push_back(evenly("Divides", {2, 3, 6, 8}, 3, 2, Layout::Contiguous, max));
        all.push_back(evenly("Overlaps", {2, 3, 7, 5}, 3, 3, Layout::Contiguous, max));
        all.push_back(evenly("TheSame", {1, 2, 4, 3}, 4, 3, Layout::Contiguous, max));
        all.push_back(evenly("Larger", {1, 2, 3, 2}, 5, 7, Layout::Contiguous, max));
        all.push_back(evenly("ChannelsLast", {2, 70, 7, 9}, 2, 4, Layout::ChannelsLast, max));
        all.push_back(evenly("Sliced", {2, 3, 5, 6}, 2, 4, Layout::Sliced, max));
        all.push_back(evenly("LargeWindow", {1, 3, 33, 35}, 2, 1, Layout::ChannelsLast, max));
        all.push_back(evenly("NoImages", {0, 3, 4, 4}, 2, 2, Layout::Contiguous, max));
    }
    return all;
}

class AvgPool : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(AvgPool, cases());
INSTANTIATE_ON_EVERY_DEVICE(AvgPool);

// A sum beyond f16 has a mean within.
TEST_P(AvgPool, SumsInF32) {
    const Tensor x = make(ctx, MPT_F16, Values{{1, 1, 2, 2}, {60000, 60000, 60000, 60000}});
    Tensor y;
    MUST(mpt_avg_pool2d(x, nullptr, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{60000}));
    MUST(mpt_adaptive_avg_pool2d(x, 1, 1, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{60000}));
}

TEST_P(AvgPool, NotANumberStaysInItsWindow) {
    const Tensor x = make(ctx, MPT_F32, Values{{1, 1, 2, 4}, {1, std::nan(""), 2, 2, 1, 1, kInfinity, 2}});
    Tensor y;
    MUST(mpt_avg_pool2d(x, nullptr, y.out()));
    EXPECT_TRUE(std::isnan(read(y)[0]));
    EXPECT_EQ(read(y)[1], kInfinity);
    MUST(mpt_adaptive_max_pool2d(x, 1, 2, y.out()));
    EXPECT_TRUE(std::isnan(read(y)[0]));
    EXPECT_EQ(read(y)[1], kInfinity);
}

// The first of equal maxima takes the gradient.
TEST_P(AvgPool, TiesOfAdaptiveMaxima) {
    const Tensor x = make(ctx, MPT_F32, Values{{1, 1, 3, 3}, {2, 2, 2, 2, 2, 2, 2, 2, 2}});
    MUST(mpt_tensor_set_requires_grad(x, 1));
    Tensor y;
    MUST(mpt_adaptive_max_pool2d(x, 2, 2, y.out()));  // windows of 2 x 2 that share the middle
    const Tensor seed = make(ctx, MPT_F32, Values{{1, 1, 2, 2}, {1, 10, 100, 1000}});
    mpt_tensor *root = y, *start = seed;
    MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
    EXPECT_EQ(read(gradient(x)), (std::vector<double>{1, 10, 0, 100, 1000, 0, 0, 0, 0}));
}

}  // namespace test
