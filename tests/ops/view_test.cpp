// Views compute nothing: forward and gradient are exact in every format.
#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kExact{0, Scale::Result, 0, 0, Scale::Result};

Case reshape(const char *name, const Shape &from, const Shape &to, Layout layout, const Shape &result) {
    return {.op = "mpt_reshape",
            .name = name,
            .inputs = {{.shape = from, .layout = layout}},
            .apply = [=](In in, Out out) { return mpt_reshape(in[0], static_cast<std::int32_t>(to.size()), to.data(), out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return Values{result, in[0].data};
                },
            .bound = kExact,
            .any_thread_count = true};
}

Case transpose(const char *name, const Shape &shape, const std::vector<std::int32_t> &dims, Layout layout) {
    return {.op = "mpt_transpose",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply =
                [=](In in, Out out) {
                    return mpt_transpose(in[0], static_cast<std::int32_t>(dims.size()), dims.empty() ? nullptr : dims.data(), out);
                },
            .reference =
                [=](const std::vector<Values> &in) {
                    const std::size_t n = shape.size();
                    std::vector<std::size_t> order(n);
                    for (std::size_t i = 0; i < n; ++i)
                        order[i] = dims.empty()
                                       ? i
                                       : static_cast<std::size_t>(dims[i] < 0 ? dims[i] + static_cast<std::int32_t>(n) : dims[i]);
                    if (dims.empty()) std::swap(order[n - 1], order[n - 2]);
                    Shape to(n);
                    for (std::size_t i = 0; i < n; ++i) to[i] = shape[order[i]];
                    return tabulate(to, [&](const Shape &at) {
                        Shape from(n);
                        for (std::size_t i = 0; i < n; ++i) from[order[i]] = at[i];
                        return element(in[0], from);
                    });
                },
            .bound = kExact,
            .any_thread_count = true};
}

Case slice(const char *name, const Shape &shape, std::int32_t dim, std::int64_t start, std::int64_t length, Layout layout) {
    return {.op = "mpt_slice",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply = [=](In in, Out out) { return mpt_slice(in[0], dim, start, length, out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    const auto d = static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int32_t>(shape.size()) : dim);
                    Shape to = shape;
                    to[d] = length;
                    return tabulate(to, [&](Shape at) {
                        at[d] += start;
                        return element(in[0], at);
                    });
                },
            .bound = kExact,
            .any_thread_count = true};
}

// The same elements under a shape with an extent of 1 more or less; or with strides of their own.
Case same_elements(const char *op, const char *name, const Shape &shape, const Shape &result, Layout layout,
                   const std::function<mpt_status(mpt_tensor *, mpt_tensor **)> &apply) {
    return {.op = op,
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply = [=](In in, Out out) { return apply(in[0], out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    return Values{result, in[0].data};
                },
            .bound = kExact,
            .any_thread_count = true};
}
Case squeeze(const char *name, const Shape &shape, std::int32_t dim, Layout layout, const Shape &result) {
    return same_elements("mpt_squeeze", name, shape, result, layout,
                         [=](mpt_tensor *x, mpt_tensor **out) { return mpt_squeeze(x, dim, out); });
}
Case unsqueeze(const char *name, const Shape &shape, std::int32_t dim, Layout layout, const Shape &result) {
    return same_elements("mpt_unsqueeze", name, shape, result, layout,
                         [=](mpt_tensor *x, mpt_tensor **out) { return mpt_unsqueeze(x, dim, out); });
}
Case contiguous(const char *name, const Shape &shape, Layout layout) {
    return same_elements("mpt_contiguous", name, shape, shape, layout, mpt_contiguous);
}

Case expand(const char *name, const Shape &shape, const Shape &to, Layout layout) {
    return {.op = "mpt_expand",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply = [=](In in, Out out) { return mpt_expand(in[0], static_cast<std::int32_t>(to.size()), to.data(), out); },
            .reference =
                [=](const std::vector<Values> &in) { return tabulate(to, [&](const Shape &at) { return element(in[0], at); }); },
            .bound = {0, Scale::Result, 2, 2, Scale::Magnitudes},  // the gradient is a sum
            .any_thread_count = true};
}

std::vector<Case> cases() {
    const Layout plain = Layout::Contiguous;
    return {
        squeeze("Front", {1, 3, 4}, 0, plain, {3, 4}),
        squeeze("Middle", {3, 1, 4}, 1, Layout::Sliced, {3, 4}),
        squeeze("Back", {4, 3, 1}, -1, Layout::Transposed, {4, 3}),
        squeeze("ToScalar", {1}, 0, plain, {}),
        unsqueeze("Front", {3, 4}, 0, plain, {1, 3, 4}),
        unsqueeze("Middle", {3, 4}, 1, Layout::Transposed, {3, 1, 4}),
        unsqueeze("Back", {3, 4}, -1, Layout::Sliced, {3, 4, 1}),
        unsqueeze("Scalar", {}, 0, plain, {1}),
        contiguous("Already", {3, 4}, plain),
        contiguous("Transposed", {30, 41}, Layout::Transposed),
        contiguous("Channels", {2, 3, 4, 5}, Layout::ChannelsLast),
        expand("Rows", {1, 4}, {3, 4}, plain),
        expand("Columns", {3, 1}, {3, 5}, plain),
        expand("NewDimensions", {3}, {2, 4, 3}, plain),
        expand("Scalar", {}, {2, 2}, plain),
        expand("ToNothing", {1, 3}, {0, 3}, plain),
        expand("Same", {2, 3}, {2, 3}, Layout::Transposed),
        reshape("Merge", {2, 3, 4}, {6, 4}, plain, {6, 4}),
        reshape("Split", {12}, {3, 2, 2}, plain, {3, 2, 2}),
        reshape("Guess", {4, 6}, {3, -1}, plain, {3, 8}),
        reshape("ToScalar", {1, 1}, {}, plain, {}),
        reshape("CopiesTransposed", {4, 6}, {24}, Layout::Transposed, {24}),
        reshape("CopiesSliced", {4, 6}, {8, 3}, Layout::Sliced, {8, 3}),
        reshape("Channels", {2, 3, 4, 2}, {2, 24}, Layout::ChannelsLast, {2, 24}),
        reshape("Empty", {0, 3}, {3, 0}, plain, {3, 0}),
        reshape("LargeTransposed", {150, 230}, {34500}, Layout::Transposed, {34500}),
        transpose("Last", {2, 3, 4}, {}, plain),
        transpose("Cycle", {2, 3, 4}, {2, 0, 1}, plain),
        transpose("Negative", {2, 3, 4, 5}, {0, -1, 1, -2}, plain),
        transpose("Again", {5, 3}, {1, 0}, Layout::Transposed),
        transpose("Empty", {0, 3}, {1, 0}, plain),
        slice("Rows", {5, 3}, 0, 1, 3, plain),
        slice("Columns", {5, 4}, -1, 2, 2, plain),
        slice("Everything", {3, 4}, 1, 0, 4, plain),
        slice("Nothing", {3, 4}, 0, 3, 0, plain),
        slice("Transposed", {5, 4}, 0, 1, 2, Layout::Transposed),
        slice("Middle", {3, 5, 4}, 1, 2, 2, Layout::Sliced),
    };
}

class View : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(View, cases());
INSTANTIATE_ON_EVERY_DEVICE(View);

TEST_P(View, SharesItsElements) {
    const Tensor x = make(ctx, MPT_I32, Values{{2, 3}, {0, 1, 2, 3, 4, 5}});
    Tensor row, turned, flat;
    MUST(mpt_slice(x, 0, 1, 1, row.out()));
    MUST(mpt_transpose(x, 0, nullptr, turned.out()));
    const std::int64_t shape[] = {6};
    MUST(mpt_reshape(x, 1, shape, flat.out()));
    MUST(mpt_tensor_fill(row, 9));
    EXPECT_EQ(read(turned), (std::vector<double>{0, 9, 1, 9, 2, 9}));
    EXPECT_EQ(read(flat), (std::vector<double>{0, 1, 2, 9, 9, 9}));
    EXPECT_EQ(read(x), read(flat));
}

TEST_P(View, AContiguousTensorIsItself) {
    const Tensor x = make(ctx, MPT_I32, Values{{2, 2}, {0, 1, 2, 3}});
    Tensor same, turned, copy;
    MUST(mpt_contiguous(x, same.out()));
    EXPECT_EQ(static_cast<mpt_tensor *>(same), static_cast<mpt_tensor *>(x));
    MUST(mpt_transpose(x, 0, nullptr, turned.out()));
    MUST(mpt_contiguous(turned, copy.out()));
    std::int64_t strides[2];
    MUST(mpt_tensor_strides(copy, strides, 2));
    EXPECT_EQ(strides[0], 2);
    MUST(mpt_tensor_fill(x, 9));
    EXPECT_EQ(read(copy), (std::vector<double>{0, 2, 1, 3}));
}

TEST_P(View, EveryDtype) {
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16, MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8, MPT_BOOL}) {
        const std::vector<double> v =
            dtype == MPT_BOOL ? std::vector<double>{0, 1, 1, 0, 0, 1} : std::vector<double>{1, 2, 3, 4, 5, 6};
        const Tensor x = make(ctx, dtype, Values{{2, 3}, v});
        Tensor turned, flat, last;
        MUST(mpt_transpose(x, 0, nullptr, turned.out()));
        const std::int64_t shape[] = {-1};
        MUST(mpt_reshape(turned, 1, shape, flat.out()));
        EXPECT_EQ(read(flat), (std::vector<double>{v[0], v[3], v[1], v[4], v[2], v[5]})) << mpt_dtype_name(dtype);
        MUST(mpt_slice(turned, 0, 2, 1, last.out()));
        EXPECT_EQ(read(last), (std::vector<double>{v[2], v[5]})) << mpt_dtype_name(dtype);
    }
}

}  // namespace test
