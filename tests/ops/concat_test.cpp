// Joining and cutting move elements: exact in every format.
#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kExact{0, Scale::Result, 0, 0, Scale::Result};

// The parts one after the other along dim.
Values joined(const std::vector<Values> &in, std::size_t dim) {
    Shape shape = in[0].shape;
    shape[dim] = 0;
    for (const Values &x : in) shape[dim] += x.shape[dim];
    return tabulate(shape, [&](Shape at) {
        std::size_t part = 0;
        for (; at[dim] >= in[part].shape[dim]; ++part) at[dim] -= in[part].shape[dim];
        const Shape own = in[part].shape;
        std::int64_t i = 0;
        for (std::size_t d = 0; d < own.size(); ++d) i = i * own[d] + at[d];
        return in[part].data[static_cast<std::size_t>(i)];
    });
}

Case concat(const char *name, const std::vector<Operand> &inputs, std::int32_t dim) {
    return {.op = "mpt_concat",
            .name = name,
            .inputs = inputs,
            .apply = [=](In in, Out out) { return mpt_concat(in, static_cast<std::int32_t>(inputs.size()), dim, out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return joined(in,
                                  static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int32_t>(in[0].shape.size()) : dim));
                },
            .bound = kExact,
            .any_thread_count = true};
}

Case stack(const char *name, const std::vector<Operand> &inputs, std::int32_t dim) {
    return {.op = "mpt_stack",
            .name = name,
            .inputs = inputs,
            .apply = [=](In in, Out out) { return mpt_stack(in, static_cast<std::int32_t>(inputs.size()), dim, out); },
            .reference =
                [=](std::vector<Values> in) {
                    const auto d =
                        static_cast<std::size_t>(dim < 0 ? dim + 1 + static_cast<std::int32_t>(in[0].shape.size()) : dim);
                    for (Values &x : in) x.shape.insert(x.shape.begin() + static_cast<std::ptrdiff_t>(d), 1);
                    return joined(in, d);
                },
            .bound = kExact,
            .any_thread_count = true};
}

// Cut and joined in the reverse order, so that every part is seen.
Case split(const char *name, const Operand &x, std::int32_t dim, const std::vector<std::int64_t> &lengths) {
    return {.op = "mpt_split",
            .name = name,
            .inputs = {x},
            .apply =
                [=](In in, Out out) {
                    const auto n = static_cast<std::int32_t>(lengths.size());
                    std::vector<mpt_tensor *> parts(lengths.size());
                    MUST(mpt_split(in[0], dim, lengths.data(), n, parts.data()));
                    const std::vector<mpt_tensor *> turned(parts.rbegin(), parts.rend());
                    const mpt_status status = mpt_concat(turned.data(), n, dim, out);
                    for (mpt_tensor *part : parts) mpt_tensor_release(part);
                    return status;
                },
            .reference =
                [=](const std::vector<Values> &in) {
                    const auto d = static_cast<std::size_t>(dim);
                    std::vector<Values> parts;
                    std::int64_t start = 0;
                    for (std::int64_t length : lengths) {
                        Shape shape = x.shape;
                        shape[d] = length;
                        parts.insert(parts.begin(), tabulate(shape, [&](Shape at) {
                                         at[d] += start;
                                         return element(in[0], at);
                                     }));
                        start += length;
                    }
                    return joined(parts, d);
                },
            .bound = kExact,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    const Operand matrix{.shape = {3, 4}}, turned{.shape = {3, 4}, .layout = Layout::Transposed};
    const Operand image{.shape = {2, 3, 4, 5}, .layout = Layout::ChannelsLast},
        other{.shape = {2, 5, 4, 5}, .layout = Layout::ChannelsLast};
    std::vector<Operand> many(70, Operand{.shape = {2, 3}});
    return {
        concat("Rows", {matrix, {.shape = {2, 4}}}, 0),
        concat("Columns", {matrix, {.shape = {3, 1}}, turned}, -1),
        concat("One", {turned}, 0),
        concat("Empty", {matrix, {.shape = {3, 0}}, matrix}, 1),
        concat("Nothing", {{.shape = {0, 4}}, {.shape = {0, 2}}}, 1),
        concat("Channels", {image, other}, 1),
        concat("Batches", {image, {.shape = {1, 3, 4, 5}}}, 0),
        concat("Sliced", {{.shape = {3, 2, 4}, .layout = Layout::Sliced}, {.shape = {3, 5, 4}, .layout = Layout::Strided}}, 1),
        concat("Large", {{.shape = {130, 210}}, {.shape = {130, 70}, .layout = Layout::Transposed}, {.shape = {130, 90}}}, 1),
        concat("Many", many, 0),
        stack("Front", {matrix, turned}, 0),
        stack("Middle", {matrix, turned, matrix}, 1),
        stack("Back", {matrix, turned}, -1),
        stack("Scalars", {{.shape = {}}, {.shape = {}}, {.shape = {}}}, 0),
        stack("Many", many, 1),
        split("Rows", {.shape = {6, 3}}, 0, {2, 1, 3}),
        split("Columns", {.shape = {3, 7}, .layout = Layout::Transposed}, 1, {3, 0, 4}),
        split("Whole", {.shape = {3, 4}}, 1, {4}),
    };
}

class Concat : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Concat, cases());
INSTANTIATE_ON_EVERY_DEVICE(Concat);

TEST_P(Concat, EveryDtype) {
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL}) {
        const Tensor a = make(ctx, dtype, Values{{2, 1}, {1, 0}}), b = make(ctx, dtype, Values{{2, 2}, {0, 1, 1, 1}});
        mpt_tensor *const list[] = {a, b};
        Tensor y;
        MUST(mpt_concat(list, 2, 1, y.out()));
        EXPECT_EQ(dtype_of(y), dtype);
        EXPECT_EQ(read(y), (std::vector<double>{1, 0, 1, 0, 1, 1})) << mpt_dtype_name(dtype);
    }
}

TEST_P(Concat, PromotesToTheWidest) {
    const Tensor a = make(ctx, MPT_F16, {1, 2}), b = make(ctx, MPT_BF16, {3.0}), c = make(ctx, MPT_F64, {4.0});
    MUST(mpt_tensor_set_requires_grad(a, 1));
    mpt_tensor *const list[] = {a, b, c};
    Tensor y;
    MUST(mpt_concat(list, 2, 0, y.out()));
    EXPECT_EQ(dtype_of(y), MPT_F32);
    MUST(mpt_concat(list, 3, 0, y.out()));
    EXPECT_EQ(dtype_of(y), MPT_F64);
    EXPECT_EQ(read(y), (std::vector<double>{1, 2, 3, 4}));
    const Tensor seed = make(ctx, MPT_F64, {0.5, 0.25, 7, 7});
    mpt_tensor *root = y, *start = seed;
    MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
    EXPECT_EQ(read(gradient(a)), (std::vector<double>{0.5, 0.25}));
}

TEST_P(Concat, PartsAreViews) {
    const Tensor x = make(ctx, MPT_I32, {1, 2, 3});
    const std::int64_t lengths[] = {1, 2};
    mpt_tensor *parts[2];
    MUST(mpt_split(x, 0, lengths, 2, parts));
    const Tensor first(parts[0]), second(parts[1]);
    MUST(mpt_tensor_fill(second, 9));
    EXPECT_EQ(read(x), (std::vector<double>{1, 9, 9}));
    EXPECT_EQ(read(first), (std::vector<double>{1}));
}

}  // namespace test
