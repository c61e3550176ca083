#include <cmath>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kResize{4, Scale::Magnitudes, 4, 1, Scale::Magnitudes};

Values reference(const Values &x, std::int64_t height, std::int64_t width, mpt_upsample_mode mode) {
    const auto at = [&](std::int64_t i, std::int64_t in, std::int64_t out) {
        return std::max((static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5, 0.0);
    };
    return tabulate({x.shape[0], x.shape[1], height, width}, [&](const Shape &c) {
        const std::int64_t h = x.shape[2], w = x.shape[3];
        if (mode == MPT_UPSAMPLE_NEAREST) return element(x, {c[0], c[1], c[2] * h / height, c[3] * w / width});
        const double row = at(c[2], h, height), column = at(c[3], w, width);
        double sum = 0;
        for (std::int64_t i = 0; i < h; ++i)
            for (std::int64_t j = 0; j < w; ++j) {
                // Hat functions; beyond the last pixel the last one counts wholly.
                const double v = std::max(0.0, 1 - std::fabs(std::min(row, static_cast<double>(h - 1)) - static_cast<double>(i)));
                const double u =
                    std::max(0.0, 1 - std::fabs(std::min(column, static_cast<double>(w - 1)) - static_cast<double>(j)));
                sum += v * u * element(x, {c[0], c[1], i, j});
            }
        return sum;
    });
}

void add(std::vector<Case> &all, const std::string &name, const Shape &x, std::int64_t height, std::int64_t width,
         Layout layout = Layout::Contiguous) {
    for (mpt_upsample_mode mode : {MPT_UPSAMPLE_NEAREST, MPT_UPSAMPLE_BILINEAR})
        all.push_back({.op = "mpt_upsample2d",
                       .name = (mode == MPT_UPSAMPLE_NEAREST ? "Nearest" : "Bilinear") + name,
                       .inputs = {{.shape = x, .layout = layout}},
                       .apply = [=](In in, Out out) { return mpt_upsample2d(in[0], height, width, mode, out); },
                       .reference = [=](const std::vector<Values> &in) { return reference(in[0], height, width, mode); },
                       .bound = kResize,
                       .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all;
    add(all, "Twice", {2, 3, 4, 5}, 8, 10);
    add(all, "Uneven", {1, 2, 3, 5}, 7, 6);
    add(all, "Smaller", {2, 3, 7, 6}, 3, 4);
    add(all, "TheSame", {1, 2, 3, 4}, 3, 4);
    add(all, "FromOnePixel", {2, 3, 1, 1}, 3, 2);
    add(all, "ToOnePixel", {2, 3, 5, 4}, 1, 1);
    add(all, "ChannelsLast", {2, 5, 3, 4}, 6, 8, Layout::ChannelsLast);
    add(all, "Sliced", {2, 3, 3, 4}, 5, 8, Layout::Sliced);
    add(all, "Transposed", {2, 3, 3, 4}, 5, 8, Layout::Transposed);
    add(all, "NoImages", {0, 3, 3, 4}, 5, 8);
    add(all, "Large", {4, 33, 14, 14}, 28, 28, Layout::ChannelsLast);
    return all;
}

class Upsample : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Upsample, cases());
INSTANTIATE_ON_EVERY_DEVICE(Upsample);

// As PyTorch's interpolate(align_corners=False).
TEST_P(Upsample, BetweenPixels) {
    Tensor y;
    MUST(mpt_upsample2d(make(ctx, MPT_F32, Values{{1, 1, 1, 2}, {0, 4}}), 1, 4, MPT_UPSAMPLE_BILINEAR, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{0, 1, 3, 4}));
}

// A neighbour that has no weight is not read: no 0 * infinity.
TEST_P(Upsample, Infinities) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (mpt_upsample_mode mode : {MPT_UPSAMPLE_NEAREST, MPT_UPSAMPLE_BILINEAR}) {
        Tensor y;
        MUST(mpt_upsample2d(make(ctx, MPT_F32, Values{{1, 1, 1, 3}, {1, infinity, 2}}), 1, 3, mode, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{1, infinity, 2}));
    }
}

}  // namespace test
