// Padding, mirroring, repetition and triangles move elements.
#include <cmath>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kExact{0, Scale::Result, 0, 0, Scale::Result};
// The gradient of a repeated element is a sum.
constexpr Bound kRepeat{0, Scale::Result, 2, 3, Scale::Magnitudes};

Case pad(const char *name, const Shape &shape, const Shape &before, const Shape &after, double value,
         Layout layout = Layout::Contiguous) {
    return {.op = "mpt_pad",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply =
                [=](In in, Out out) {
                    return mpt_pad(in[0], static_cast<std::int32_t>(shape.size()), before.data(), after.data(), value, out);
                },
            .reference =
                [=](const std::vector<Values> &in) {
                    Shape to = shape;
                    for (std::size_t d = 0; d < to.size(); ++d) to[d] += before[d] + after[d];
                    return tabulate(to, [&](Shape at) {
                        for (std::size_t d = 0; d < at.size(); ++d)
                            if ((at[d] -= before[d]) < 0 || at[d] >= shape[d]) return value;
                        return element(in[0], at);
                    });
                },
            .bound = kExact,
            .any_thread_count = true};
}

Case flip(const char *name, const Shape &shape, const std::vector<std::int32_t> &dims, Layout layout = Layout::Contiguous) {
    return {.op = "mpt_flip",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply = [=](In in, Out out) { return mpt_flip(in[0], static_cast<std::int32_t>(dims.size()), dims.data(), out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return tabulate(shape, [&](Shape at) {
                        for (std::int32_t dim : dims) {
                            const auto d = static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int32_t>(shape.size()) : dim);
                            at[d] = shape[d] - 1 - at[d];
                        }
                        return element(in[0], at);
                    });
                },
            .bound = kExact,
            .any_thread_count = true};
}

Case tile(const char *name, const Shape &shape, const Shape &repeats, Layout layout = Layout::Contiguous) {
    return {
        .op = "mpt_tile",
        .name = name,
        .inputs = {{.shape = shape, .layout = layout}},
        .apply = [=](In in, Out out) { return mpt_tile(in[0], static_cast<std::int32_t>(repeats.size()), repeats.data(), out); },
        .reference =
            [=](const std::vector<Values> &in) {
                Shape to = repeats;
                const std::size_t extra = repeats.size() - shape.size();
                for (std::size_t d = 0; d < shape.size(); ++d) to[d + extra] *= shape[d];
                return tabulate(to, [&](const Shape &at) {
                    Shape from(at.begin() + static_cast<std::ptrdiff_t>(extra), at.end());
                    for (std::size_t d = 0; d < shape.size(); ++d) from[d] %= shape[d];
                    return element(in[0], from);
                });
            },
        .bound = kRepeat,
        .any_thread_count = true};
}

void triangles(std::vector<Case> &all, const char *name, const Shape &shape, std::int64_t diagonal,
               Layout layout = Layout::Contiguous) {
    for (bool upper : {false, true})
        all.push_back({.op = upper ? "mpt_triu" : "mpt_tril",
                       .name = name,
                       .inputs = {{.shape = shape, .layout = layout}},
                       .apply = [=](In in, Out out) { return (upper ? mpt_triu : mpt_tril)(in[0], diagonal, out); },
                       .reference =
                           [=](const std::vector<Values> &in) {
                               return tabulate(shape, [&](const Shape &at) {
                                   const double right =
                                       static_cast<double>(at[at.size() - 1]) - static_cast<double>(at[at.size() - 2]);
                                   const double d = static_cast<double>(diagonal);
                                   return (upper ? right >= d : right <= d) ? element(in[0], at) : 0;
                               });
                           },
                       .bound = kExact,
                       .any_thread_count = true});
}

std::vector<Case> cases() {
    std::vector<Case> all = {
        pad("Rows", {3, 4}, {1, 0}, {2, 0}, 0),
        pad("Columns", {3, 4}, {0, 2}, {0, 1}, -1.5),
        pad("Cut", {5, 6}, {-1, 2}, {-2, -3}, 1),
        pad("CutAndAdded", {4, 4}, {-4, 0}, {3, 0}, 2),
        pad("Nothing", {3, 4}, {0, 0}, {0, 0}, 5),
        pad("Empty", {0, 3}, {2, 1}, {0, 0}, 5),
        pad("Scalar", {}, {}, {}, 5),
        pad("Image", {2, 3, 4, 5}, {0, 0, 1, 1}, {0, 0, 1, 1}, 0),
        pad("Channels", {2, 3, 4, 5}, {0, 1, 2, 1}, {0, 0, 1, 2}, 0, Layout::ChannelsLast),
        pad("Transposed", {5, 4}, {1, 1}, {0, 2}, 0.5, Layout::Transposed),
        pad("Sliced", {3, 4, 2}, {1, 0, 2}, {0, 1, 0}, 0.25, Layout::Sliced),
        pad("Large", {120, 251}, {3, 5}, {7, 2}, 0),
        flip("Rows", {4, 3}, {0}),
        flip("Columns", {3, 5}, {-1}),
        flip("Both", {4, 5}, {1, 0}),
        flip("None", {2, 3}, {}),
        flip("Middle", {2, 3, 4}, {1}),
        flip("Empty", {0, 3}, {0, 1}),
        flip("Transposed", {4, 6}, {0}, Layout::Transposed),
        flip("Sliced", {3, 4}, {0, 1}, Layout::Sliced),
        flip("Channels", {2, 3, 4, 5}, {2, 3}, Layout::ChannelsLast),
        flip("Large", {130, 251}, {0, 1}),
        tile("Rows", {2, 3}, {3, 1}),
        tile("Columns", {2, 3}, {1, 2}),
        tile("Both", {2, 3}, {2, 3}),
        tile("NewDimensions", {3}, {2, 2, 2}),
        tile("Once", {2, 3}, {1, 1}),
        tile("Never", {2, 3}, {2, 0}),
        tile("Scalar", {}, {4}),
        tile("Ones", {1, 3, 1}, {2, 2, 5}),
        tile("SixDimensions", {2, 3, 2, 1, 2, 2}, {2, 1, 2, 3, 2, 2}),
        tile("EightDimensions", {2, 2, 1, 1, 2, 1, 2, 1}, {2, 1, 1, 2, 2, 1, 3, 1}),
        tile("Transposed", {4, 5}, {2, 2}, Layout::Transposed),
        tile("Large", {40, 33}, {7, 5}),
    };
    triangles(all, "Square", {5, 5}, 0);
    triangles(all, "Above", {4, 6}, 2);
    triangles(all, "Below", {6, 4}, -3);
    triangles(all, "FarAbove", {3, 4}, 9000000000000000000);
    triangles(all, "FarBelow", {3, 4}, -9000000000000000000);
    triangles(all, "Batches", {2, 3, 4, 4}, 1);
    triangles(all, "Empty", {0, 3}, 0);
    triangles(all, "Transposed", {4, 6}, -1, Layout::Transposed);
    triangles(all, "Sliced", {2, 5, 4}, 0, Layout::Sliced);
    triangles(all, "Large", {3, 130, 170}, 5);
    return all;
}

class Pad : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Pad, cases());
INSTANTIATE_ON_EVERY_DEVICE(Pad);

TEST_P(Pad, EveryDtype) {
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL}) {
        const Tensor x = make(ctx, dtype, Values{{2, 2}, {1, 0, 0, 1}});
        const std::int64_t before[] = {0, 1}, after[] = {0, 0}, repeats[] = {1, 2};
        const std::int32_t dim = 1;
        Tensor y;
        MUST(mpt_pad(x, 2, before, after, 1, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{1, 1, 0, 1, 0, 1})) << mpt_dtype_name(dtype);
        MUST(mpt_flip(x, 1, &dim, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{0, 1, 1, 0})) << mpt_dtype_name(dtype);
        MUST(mpt_tile(x, 2, repeats, y.out()));
        EXPECT_EQ(read(y), (std::vector<double>{1, 0, 1, 0, 0, 1, 0, 1})) << mpt_dtype_name(dtype);
        EXPECT_EQ(dtype_of(y), dtype);
    }
}

TEST_P(Pad, TheValueIsRounded) {
    const std::int64_t one = 1, none = 0;
    Tensor y;
    MUST(mpt_pad(make(ctx, MPT_BF16, {1.0}), 1, &one, &none, 0.1, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{rounded(MPT_BF16, 0.1), 1}));
    MUST(mpt_pad(make(ctx, MPT_U8, {1.0}), 1, &none, &one, 1e9, y.out()));
    EXPECT_EQ(read(y), (std::vector<double>{1, 255}));
    MUST(mpt_pad(make(ctx, MPT_F32, {1.0}), 1, &one, &none, std::nan(""), y.out()));
    EXPECT_TRUE(std::isnan(read(y)[0]));
}

// A mirrored or repeated tensor has memory of its own.
TEST_P(Pad, ResultsAreCopies) {
    const Tensor x = make(ctx, MPT_F32, {1, 2});
    const std::int64_t once = 1;
    const std::int32_t dim = 0;
    Tensor flipped, tiled, same;
    MUST(mpt_flip(x, 1, &dim, flipped.out()));
    MUST(mpt_tile(x, 1, &once, tiled.out()));
    MUST(mpt_flip(x, 0, nullptr, same.out()));
    MUST(mpt_tensor_fill(x, 7));
    EXPECT_EQ(read(flipped), (std::vector<double>{2, 1}));
    EXPECT_EQ(read(tiled), (std::vector<double>{1, 2}));
    EXPECT_EQ(read(same), (std::vector<double>{1, 2}));
}

}  // namespace test
