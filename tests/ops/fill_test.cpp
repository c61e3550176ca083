#include <limits>

#include "common/devices.h"
#include "common/tensors.h"

namespace test {

namespace {
class Fill : public DeviceTest {};
}  // namespace

INSTANTIATE_ON_EVERY_DEVICE(Fill);

TEST_P(Fill, RoundsToTheDtype) {
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16})
        for (double value : {0.1, -3.7, 65519.0, 70000.0, 1e-7, std::numeric_limits<double>::infinity(), 0x1p-149}) {
            const Tensor x = create(ctx, dtype, {3, 2});
            MUST(mpt_tensor_fill(x, value));
            EXPECT_EQ(read(x), std::vector<double>(6, rounded(dtype, value))) << value << " in " << mpt_dtype_name(dtype);
        }
    const Tensor x = create(ctx, MPT_BF16, {1});
    MUST(mpt_tensor_fill(x, std::nan("")));
    EXPECT_EQ(read_bytes(x), (std::vector<std::uint8_t>{0xFF, 0x7F}));
}

TEST_P(Fill, Integers) {
    for (mpt_dtype dtype : {MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8}) {
        const Tensor x = create(ctx, dtype, {5});
        MUST(mpt_tensor_fill(x, 100.9));
        EXPECT_EQ(read(x), std::vector<double>(5, 100)) << mpt_dtype_name(dtype);
    }
    const Tensor x = create(ctx, MPT_BOOL, {2});
    MUST(mpt_tensor_fill(x, 0.5));
    EXPECT_EQ(read(x), (std::vector<double>{1, 1}));
}

TEST_P(Fill, OnlyTheView) {
    const Tensor x = create(ctx, MPT_F32, {3, 4});
    MUST(mpt_tensor_fill(x, 1));
    Tensor column, turned;
    MUST(mpt_transpose(x, 0, nullptr, turned.out()));
    MUST(mpt_slice(turned, 0, 2, 1, column.out()));
    MUST(mpt_tensor_fill(column, 5));
    EXPECT_EQ(read(x), (std::vector<double>{1, 1, 5, 1, 1, 1, 5, 1, 1, 1, 5, 1}));
    const Tensor none = create(ctx, MPT_F32, {0, 4});
    MUST(mpt_tensor_fill(none, 1));
}

TEST_P(Fill, LargeTensors) {
    const Tensor x = create(ctx, MPT_F16, {3, 100003});
    MUST(mpt_tensor_fill(x, 2.5));
    for (double v : read(x)) ASSERT_EQ(v, 2.5);
}

}  // namespace test
