#include <cmath>

#include "common/devices.h"
#include "common/tensors.h"

namespace test {

namespace {
class Range : public DeviceTest {};
}  // namespace

INSTANTIATE_ON_EVERY_DEVICE(Range);

TEST_P(Range, InLogicalOrder) {
    const Tensor x = create(ctx, MPT_F32, {3, 4});
    Tensor turned, part;
    MUST(mpt_transpose(x, 0, nullptr, turned.out()));
    MUST(mpt_tensor_fill_range(turned, 1, 0.5));
    EXPECT_EQ(read(turned), (std::vector<double>{1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5}));
    EXPECT_EQ(read(x), (std::vector<double>{1, 2.5, 4, 5.5, 1.5, 3, 4.5, 6, 2, 3.5, 5, 6.5}));
    MUST(mpt_slice(x, 1, 1, 2, part.out()));
    MUST(mpt_tensor_fill_range(part, 0, -1));
    EXPECT_EQ(read(x), (std::vector<double>{1, 0, -1, 5.5, 1.5, -2, -3, 6, 2, -4, -5, 6.5}));
}

TEST_P(Range, RoundsToTheDtype) {
    for (mpt_dtype dtype : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16}) {
        const Tensor x = create(ctx, dtype, {70, 100});
        MUST(mpt_tensor_fill_range(x, 0.1, 0.3));
        const std::vector<double> got = read(x);
        for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], rounded(dtype, 0.1 + static_cast<double>(i) * 0.3)) << i;
    }
    for (mpt_dtype dtype : {MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8}) {
        const Tensor x = create(ctx, dtype, {4});
        MUST(mpt_tensor_fill_range(x, 0.5, 40));
        EXPECT_EQ(read(x), (std::vector<double>{0, 40, 80, 120})) << mpt_dtype_name(dtype);
    }
    const Tensor x = create(ctx, MPT_U8, {3}), none = create(ctx, MPT_F32, {0}), scalar = create(ctx, MPT_F32, {});
    MUST(mpt_tensor_fill_range(x, -1, 200));
    EXPECT_EQ(read(x), (std::vector<double>{0, 199, 255}));
    MUST(mpt_tensor_fill_range(none, 0, 1));
    MUST(mpt_tensor_fill_range(scalar, 3, NAN));
    EXPECT_TRUE(std::isnan(read(scalar)[0])) << "0 * NaN";
}

}  // namespace test
