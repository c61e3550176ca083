#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

// f32 accumulation, rounded once: measured by sum |a||b|. A broadcast operand's gradient is a sum of rounded products.
constexpr Bound kProduct{4, Scale::Magnitudes, 4, 2, Scale::Magnitudes};

Values reference(const std::vector<Values> &in) {
    const Values &a = in[0], &b = in[1];
    const Shape batch = broadcast(Shape(a.shape.begin(), a.shape.end() - 2), Shape(b.shape.begin(), b.shape.end() - 2));
    Shape shape = batch;
    shape.push_back(a.shape[a.shape.size() - 2]);
    shape.push_back(b.shape.back());
    const std::int64_t depth = a.shape.back();
    return tabulate(shape, [&](const Shape &at) {
        const std::size_t n = at.size();
        Shape left = at, right = at;
        double sum = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
            left[n - 1] = k;
            right[n - 2] = k;
            sum += element(a, left) * element(b, right);
        }
        return sum;
    });
}

Case product(const char *name, const Shape &a, const Shape &b, Layout la = Layout::Contiguous, Layout lb = Layout::Contiguous) {
    return {.op = "mpt_matmul",
            .name = name,
            .inputs = {{.shape = a, .layout = la}, {.shape = b, .layout = lb}},
            .apply = [](In in, Out out) { return mpt_matmul(in[0], in[1], out); },
            .reference = reference,
            .bound = kProduct};
}

std::vector<Case> cases() {
    const Layout plain = Layout::Contiguous;
    return {
        product("Small", {3, 5}, {5, 4}),
        product("One", {1, 1}, {1, 1}),
        product("RowTimesColumn", {1, 37}, {37, 1}),
        product("Outer", {19, 1}, {1, 23}),
        product("Odd", {17, 33}, {33, 31}),
        product("TransposedLeft", {9, 13}, {13, 6}, Layout::Transposed, plain),
        product("TransposedRight", {9, 13}, {13, 6}, plain, Layout::Transposed),
        product("TransposedBoth", {16, 8}, {8, 16}, Layout::Transposed, Layout::Transposed),
        product("Sliced", {7, 11}, {11, 5}, Layout::Sliced, Layout::Sliced),
        product("Strided", {7, 11}, {11, 5}, Layout::Strided, Layout::Strided),
        product("Batch", {3, 4, 5}, {3, 5, 2}),
        product("BatchBroadcastRight", {3, 4, 5}, {5, 2}),
        product("BatchBroadcastLeft", {4, 5}, {2, 5, 3}),
        product("BatchBroadcastBoth", {2, 1, 3, 4}, {3, 4, 5}),
        product("BatchTransposed", {2, 6, 7}, {2, 7, 3}, Layout::Transposed, Layout::Sliced),
        product("NoRows", {0, 4}, {4, 3}),
        product("NoColumns", {2, 4}, {4, 0}),
        product("NoDepth", {3, 0}, {0, 4}),
        product("NoBatch", {0, 2, 3}, {3, 4}),
        product("Deep", {5, 3001}, {3001, 7}),
        product("Large", {130, 310}, {310, 67}),
        product("LargeTransposed", {65, 257}, {257, 129}, Layout::Transposed, Layout::Transposed),
    };
}

class Matmul : public DeviceTest {};

}  // namespace

INSTANTIATE_OP_TESTS(Matmul, cases());
INSTANTIATE_ON_EVERY_DEVICE(Matmul);

// In a 16-bit accumulator the sum would stick at 2048 (f16) or 256 (bf16).
TEST_P(Matmul, AccumulatesInF32) {
    for (mpt_dtype dtype : {MPT_F16, MPT_BF16}) {
        const Tensor a = create(ctx, dtype, {2, 32768}), b = create(ctx, dtype, {32768, 3});
        MUST(mpt_tensor_fill(a, 1));
        MUST(mpt_tensor_fill(b, 1));
        Tensor y;
        MUST(mpt_matmul(a, b, y.out()));
        EXPECT_EQ(read(y), std::vector<double>(6, 32768)) << mpt_dtype_name(dtype);
    }
}

// Cancellation in f16 inputs: each product needs more digits than f16 has.
TEST_P(Matmul, ProductsAreNotRoundedOnTheWay) {
    const double x = 1 + 0x1p-10;
    const Tensor a = make(ctx, MPT_F16, Values{{1, 2}, {x, -1}}), b = make(ctx, MPT_F16, Values{{2, 1}, {x, 1 + 0x1p-9}});
    Tensor y;
    MUST(mpt_matmul(a, b, y.out()));
    EXPECT_EQ(read(y)[0], 0x1p-20);
}

TEST_P(Matmul, InfinityAndNanGoThrough) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (mpt_dtype dtype : {MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor a = make(ctx, dtype, Values{{3, 2}, {infinity, 1, infinity, 0, std::nan(""), 0}}),
                     b = make(ctx, dtype, Values{{2, 2}, {1, 0, 1, 1}});
        Tensor y;
        MUST(mpt_matmul(a, b, y.out()));
        const std::vector<double> got = read(y);
        EXPECT_EQ(got[0], infinity) << mpt_dtype_name(dtype);
        for (std::size_t i : {1, 3, 4, 5}) EXPECT_TRUE(std::isnan(got[i])) << mpt_dtype_name(dtype) << " " << i;
        EXPECT_EQ(got[2], infinity) << mpt_dtype_name(dtype);
    }
}

}  // namespace test
