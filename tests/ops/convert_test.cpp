// Conversions between f32 and the narrow formats, bit for bit against the formats' definitions. CI sees all special values and a
// sample; with MPT_EXHAUSTIVE=1 in the environment (preset "exhaustive") all 2^32 f32 numbers are converted.
#include <bit>
#include <cstdlib>
#include <numeric>
#include <thread>

#include "common/devices.h"
#include "common/tensors.h"

namespace test {

namespace {

struct Narrow {
    mpt_dtype dtype;
    std::uint16_t (*encode)(float);
    float (*decode)(std::uint16_t);
    int codes;
};
const Narrow kNarrow[] = {
    {MPT_F16, [](float x) { return encode(kHalf, x); }, [](std::uint16_t b) { return decode(kHalf, b); }, 65536},
    {MPT_BF16, [](float x) { return encode(kBfloat, x); }, [](std::uint16_t b) { return decode(kBfloat, b); }, 65536},
    {MPT_F8E4M3, [](float x) { return std::uint16_t{encode(kE4M3, x)}; }, [](std::uint16_t b) { return decode(kE4M3, static_cast<std::uint8_t>(b)); }, 256},
    {MPT_F8E5M2, [](float x) { return std::uint16_t{encode(kE5M2, x)}; }, [](std::uint16_t b) { return decode(kE5M2, static_cast<std::uint8_t>(b)); }, 256},
};

std::vector<std::uint16_t> codes_of(mpt_tensor *tensor) {
    const std::vector<std::uint8_t> bytes = read_bytes(tensor);
    std::vector<std::uint16_t> codes(bytes.size() / mpt_dtype_size(dtype_of(tensor)));
    if (mpt_dtype_size(dtype_of(tensor)) == 2)
        std::memcpy(codes.data(), bytes.data(), bytes.size());
    else
        std::copy(bytes.begin(), bytes.end(), codes.begin());
    return codes;
}

// The first number that is converted otherwise than by definition.
void expect_all(mpt_context *ctx, const Narrow &to, const std::vector<float> &numbers) {
    Tensor x = create(ctx, MPT_F32, {static_cast<std::int64_t>(numbers.size())}), y;
    MUST(mpt_tensor_write(x, numbers.data(), numbers.size() * sizeof(float)));
    MUST(mpt_cast(x, to.dtype, y.out()));
    const std::vector<std::uint16_t> got = codes_of(y);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        ASSERT_EQ(got[i], to.encode(numbers[i])) << mpt_dtype_name(to.dtype) << " of " << numbers[i] << ", bits " << std::hex
                                                 << std::bit_cast<std::uint32_t>(numbers[i]);
}

// Every code's value, its neighbours in f32, and the ties between codes with theirs; infinities, NaNs and denormals.
std::vector<float> special(const Narrow &to) {
    std::vector<float> list{INFINITY, -INFINITY, NAN, -NAN, std::bit_cast<float>(0x7F800001u), std::bit_cast<float>(0xFFFFFFFFu), 3.4e38f, -3.4e38f};
    const auto around = [&](float x) {
        for (float y : {x, std::nextafter(x, INFINITY), std::nextafter(x, -INFINITY)}) list.insert(list.end(), {y, -y});
    };
    for (int code = 0; code < to.codes / 2; ++code) {
        const float x = to.decode(static_cast<std::uint16_t>(code)), next = to.decode(static_cast<std::uint16_t>(code + 1));
        if (std::isfinite(x)) around(x);
        if (std::isfinite(x) && std::isfinite(next)) around(std::midpoint(x, next));
    }
    for (std::uint32_t bits = 0; bits < 0x01000000u; bits += 4099) list.push_back(std::bit_cast<float>(bits));
    for (float x : {464.f, 480.f, 512.f, 61440.f, 65504.f, 65519.f, 65520.f, 65536.f, 0x1p-10f, 0x1p-17f, 0x1p-25f, 0x1p-149f}) around(x);
    return list;
}

}  // namespace

class Convert : public DeviceTest {};
INSTANTIATE_ON_EVERY_DEVICE(Convert);

TEST_P(Convert, SpecialValues) {
    for (const Narrow &to : kNarrow) expect_all(ctx, to, special(to));
}

TEST_P(Convert, ASampleOfAllNumbers) {
    std::vector<float> numbers;
    for (std::uint64_t bits = 0; bits < 1ull << 32; bits += 8209) numbers.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    for (const Narrow &to : kNarrow) expect_all(ctx, to, numbers);
}

TEST_P(Convert, EveryCodeBack) {
    for (const Narrow &from : kNarrow) {
        std::vector<std::uint8_t> bytes;
        for (int code = 0; code < from.codes; ++code) {
            bytes.push_back(static_cast<std::uint8_t>(code));
            if (from.codes > 256) bytes.push_back(static_cast<std::uint8_t>(code >> 8));
        }
        Tensor x = create(ctx, from.dtype, {from.codes});
        MUST(mpt_tensor_write(x, bytes.data(), bytes.size()));
        for (mpt_dtype wide : {MPT_F32, MPT_F64, MPT_BF16}) {
            if (wide == MPT_F64 && GetParam() == Device::Cuda) continue;
            if (wide == MPT_BF16 && from.codes > 256) continue;  // every fp8 value is a bf16 value
            Tensor y, back;
            MUST(mpt_cast(x, wide, y.out()));
            const std::vector<double> got = read(y);
            for (int code = 0; code < from.codes; ++code) {
                const float want = from.decode(static_cast<std::uint16_t>(code));
                if (std::isnan(want))
                    ASSERT_TRUE(std::isnan(got[static_cast<std::size_t>(code)])) << mpt_dtype_name(from.dtype) << " code " << code;
                else
                    ASSERT_EQ(std::bit_cast<std::uint64_t>(got[static_cast<std::size_t>(code)]), std::bit_cast<std::uint64_t>(static_cast<double>(want)))
                        << mpt_dtype_name(from.dtype) << " code " << code;
            }
        }
    }
}

// fp8 from other types: through f32, saturating.
TEST_P(Convert, OtherTypesToFp8) {
    const std::vector<double> x{0, -0.0, 1, -3, 7, 100, 127};
    for (mpt_dtype from : {MPT_F64, MPT_F16, MPT_BF16, MPT_I8, MPT_I32, MPT_I64}) {
        if (from == MPT_F64 && GetParam() == Device::Cuda) continue;
        for (mpt_dtype to : {MPT_F8E4M3, MPT_F8E5M2}) {
            Tensor y;
            MUST(mpt_cast(make(ctx, from, x), to, y.out()));
            const std::vector<double> got = read(y);
            for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(got[i], rounded(to, x[i])) << mpt_dtype_name(from) << " " << x[i];
        }
    }
}

TEST_P(Convert, AllNumbers) {
    const char *wanted = std::getenv("MPT_EXHAUSTIVE");
    if (!wanted || std::string(wanted) != "1") GTEST_SKIP() << "takes minutes: set MPT_EXHAUSTIVE=1";
    constexpr std::uint64_t kChunk = 1u << 22;
    std::vector<float> numbers(kChunk);
    for (std::uint64_t first = 0; first < 1ull << 32; first += kChunk) {
        for (std::uint64_t i = 0; i < kChunk; ++i) numbers[i] = std::bit_cast<float>(static_cast<std::uint32_t>(first + i));
        for (const Narrow &to : kNarrow) expect_all(ctx, to, numbers);
        if (HasFatalFailure()) return;
    }
}

}  // namespace test
