#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr Bound kCumsum{1, Scale::Magnitudes, 1, 1, Scale::Magnitudes};

Case cumsum(const char *name, const Shape &shape, std::int32_t dim, Layout layout = Layout::Contiguous) {
    return {.op = "mpt_cumsum",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply = [=](In in, Out out) { return mpt_cumsum(in[0], dim, out); },
            .reference =
                [=](const std::vector<Values> &in) {
                    const auto d = static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int32_t>(shape.size()) : dim);
                    Values out = in[0];
                    std::int64_t step = 1;
                    for (std::size_t i = d + 1; i < shape.size(); ++i) step *= shape[i];
                    for (std::int64_t i = 0; i < count(shape); ++i)
                        if (coordinates(shape, i)[d] > 0)
                            out.data[static_cast<std::size_t>(i)] += out.data[static_cast<std::size_t>(i - step)];
                    return out;
                },
            .bound = kCumsum,
            .any_thread_count = true};
}

std::vector<Case> cases() {
    return {cumsum("Rows", {4, 7}, 1),
            cumsum("Columns", {5, 12}, 0),
            cumsum("FewColumns", {5, 3}, 0),
            cumsum("Vector", {9}, -1),
            cumsum("Middle", {2, 5, 9}, 1),
            cumsum("NoRows", {0, 3}, 1),
            cumsum("Empty", {3, 0}, 1),
            cumsum("Transposed", {6, 11}, 1, Layout::Transposed),
            cumsum("Sliced", {3, 5, 4}, -2, Layout::Sliced),
            cumsum("Strided", {4, 6}, 1, Layout::Strided),
            cumsum("Channels", {2, 9, 3, 4}, 1, Layout::ChannelsLast),
            cumsum("LongRows", {2, 3001}, 1),
            cumsum("LargeColumns", {129, 700}, 0)};
}

class Cumsum : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Cumsum, cases());
INSTANTIATE_ON_EVERY_DEVICE(Cumsum);

// In pieces; and a 16-bit sum would stick at 2048 or 256.
TEST_P(Cumsum, LongLines) {
    constexpr std::int64_t kLength = 200003;
    for (mpt_dtype dtype : {MPT_F32, MPT_BF16}) {
        const Tensor ones = create(ctx, dtype, {2, kLength});
        MUST(mpt_tensor_fill(ones, 1));
        MUST(mpt_tensor_set_requires_grad(ones, 1));
        Tensor y;
        MUST(mpt_cumsum(ones, 1, y.out()));
        const std::vector<double> got = read(y);
        for (std::int64_t i = 0; i < 2 * kLength; ++i)
            ASSERT_EQ(got[static_cast<std::size_t>(i)], rounded(dtype, static_cast<double>(i % kLength + 1)))
                << i << " of " << mpt_dtype_name(dtype);
        // Backwards the same sums from the other end.
        const Tensor seed = create(ctx, dtype, {2, kLength});
        MUST(mpt_tensor_fill(seed, 1));
        mpt_tensor *root = y, *start = seed;
        MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
        const std::vector<double> back = read(gradient(ones));
        for (std::int64_t i = 0; i < 2 * kLength; ++i)
            ASSERT_EQ(back[static_cast<std::size_t>(i)], rounded(dtype, static_cast<double>(kLength - i % kLength))) << i;
    }
}

}  // namespace test
