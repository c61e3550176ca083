// Conversions, bit for bit against the definitions in common/formats.h.
#include <cstring>
#include <limits>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Through f64 and back: nothing is lost, and the gradient takes the same way back. What rounds has no finite differences;
// its gradient is in a test of its own below.
Case there_and_back(const char *name, const Shape &shape, Layout layout) {
    return {.op = "mpt_cast",
            .name = name,
            .inputs = {{.shape = shape, .layout = layout}},
            .apply =
                [](In in, Out out) {
                    Tensor middle;
                    MUST(mpt_cast(in[0], MPT_F64, middle.out()));
                    return mpt_cast(middle, dtype_of(in[0]), out);
                },
            .reference = [](const std::vector<Values> &in) { return in[0]; },
            .bound = {0, Scale::Result, 0, 0, Scale::Result},
            .any_thread_count = true};
}

std::vector<Case> cases() {
    return {
        there_and_back("Plain", {3, 5}, Layout::Contiguous),     there_and_back("Transposed", {4, 5}, Layout::Transposed),
        there_and_back("Sliced", {3, 4, 5}, Layout::Sliced),     there_and_back("Empty", {0, 2}, Layout::Contiguous),
        there_and_back("Large", {257, 301}, Layout::Transposed),
    };
}

class Copy : public DeviceTest {
protected:
    template <class To, class From>
    std::vector<To> convert(mpt_dtype to, mpt_dtype from, const std::vector<From> &values) {
        const Tensor x = create(ctx, from, {static_cast<std::int64_t>(values.size())});
        MUST(mpt_tensor_write(x, values.data(), values.size() * sizeof(From)));
        Tensor y;
        MUST(mpt_cast(x, to, y.out()));
        std::vector<To> out(values.size());
        MUST(mpt_tensor_read(y, out.data(), out.size() * sizeof(To)));
        return out;
    }
    std::vector<double> convert(mpt_dtype to, mpt_dtype from, const std::vector<double> &values) {
        Tensor y;
        MUST(mpt_cast(make(ctx, from, values), to, y.out()));
        return read(y);
    }
};

// Every value of the format, every midpoint between neighbours and what is next to a midpoint, plus a sample of all bits.
std::vector<float> hard_for(const Format &format) {
    std::vector<float> values;
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
        const float x = decode(format, static_cast<std::uint16_t>(bits));
        const float next = decode(format, static_cast<std::uint16_t>(bits + 1));
        values.push_back(x);
        if (!std::isfinite(x)) continue;
        const float middle = std::isfinite(next) ? static_cast<float>((static_cast<double>(x) + next) / 2) : x;
        for (float m : {middle, std::nextafter(middle, 2 * middle), std::nextafter(middle, 0.0f)}) values.push_back(m);
    }
    for (float m : {65504.0f, 65519.996f, 65520.0f, 65536.0f, 3.3961775e38f, 3.39e38f, 3.4028235e38f})
        values.insert(values.end(), {m, -m});
    Random random(5);
    for (int i = 0; i < 300000; ++i) values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.bits())));
    // NaNs of every kind: quiet, signalling, negative, with a payload that only the lower half holds.
    for (std::uint32_t bits :
         {0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu, 0xFF800001u, 0xFFC00000u, 0xFFFFFFFFu, 0x7F808000u, 0x7FBFFFFFu})
        values.push_back(std::bit_cast<float>(bits));
    // f32 denormals, which an instruction may flush.
    for (std::uint32_t bits :
         {1u, 2u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu, 0x10000u, 0x17FFFu, 0x18000u, 0x18001u, 0x7F7FFFu, 0x7FFFFFu})
        values.insert(values.end(), {std::bit_cast<float>(bits), std::bit_cast<float>(bits | 0x80000000u)});
    return values;
}

struct Target {
    mpt_dtype dtype;
    Format format;
};
constexpr Target kTargets[] = {{MPT_F16, kHalf}, {MPT_BF16, kBfloat}};

}  // namespace

INSTANTIATE_OP_TESTS(Copy, cases());
INSTANTIATE_ON_EVERY_DEVICE(Copy);

TEST_P(Copy, F32To16BitsIsExact) {
    for (const Target &t : kTargets) {
        const std::vector<float> values = hard_for(t.format);
        const auto got = convert<std::uint16_t>(t.dtype, MPT_F32, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            ASSERT_EQ(got[i], encode(t.format, values[i]))
                << values[i] << " (bits " << std::hex << std::bit_cast<std::uint32_t>(values[i]) << ") to "
                << mpt_dtype_name(t.dtype);
    }
}

TEST_P(Copy, F64To16BitsGoesThroughF32) {
    for (const Target &t : kTargets) {
        std::vector<double> values{kNan, -kNan, kInfinity, -kInfinity, 0.0, -0.0, 1e300, -1e300, 1e-300, 0x1p-1074};
        Random random(6);
        for (float v : hard_for(t.format))
            if (std::isfinite(v) && random.below(8) == 0)
                values.insert(values.end(), {v * (1 + 0x1p-40), v * (1 - 0x1p-40), static_cast<double>(v)});
        const auto got = convert<std::uint16_t>(t.dtype, MPT_F64, values);
        for (std::size_t i = 0; i < values.size(); ++i)
            ASSERT_EQ(got[i], encode(t.format, static_cast<float>(values[i]))) << values[i] << " to " << mpt_dtype_name(t.dtype);
    }
}

TEST_P(Copy, From16BitsIsExact) {
    for (const Target &t : kTargets) {
        std::vector<std::uint16_t> all;
        for (unsigned bits = 0; bits < 0x10000; ++bits) all.push_back(static_cast<std::uint16_t>(bits));
        const auto single = convert<float>(MPT_F32, t.dtype, all);
        const auto twice = convert<double>(MPT_F64, t.dtype, all);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const float expected = decode(t.format, all[i]);
            if (std::isnan(expected)) {
                ASSERT_TRUE(std::isnan(single[i]) && std::isnan(twice[i])) << std::hex << i;
                continue;
            }
            ASSERT_EQ(std::bit_cast<std::uint32_t>(single[i]), std::bit_cast<std::uint32_t>(expected)) << std::hex << i;
            ASSERT_EQ(std::bit_cast<std::uint64_t>(twice[i]), std::bit_cast<std::uint64_t>(static_cast<double>(expected)))
                << std::hex << i;
        }
    }
}

TEST_P(Copy, BetweenThe16BitFormats) {
    for (int from = 0; from < 2; ++from) {
        const Target &a = kTargets[from], &b = kTargets[1 - from];
        std::vector<std::uint16_t> all;
        for (unsigned bits = 0; bits < 0x10000; ++bits) all.push_back(static_cast<std::uint16_t>(bits));
        const auto got = convert<std::uint16_t>(b.dtype, a.dtype, all);
        for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(got[i], encode(b.format, decode(a.format, all[i]))) << std::hex << i;
    }
}

TEST_P(Copy, F64ToF32) {
    std::vector<double> values{
        0.0,      -0.0,     kInfinity,  -kInfinity,  1e300,        3.4028235677973366e38, 3.4028235677973362e38,
        0x1p-149, 0x1p-150, 0x1.8p-150, 1 + 0x1p-24, 1 + 0x1.8p-23};
    Random random(7);
    for (int i = 0; i < 20000; ++i) values.push_back(std::ldexp(random.uniform(-1, 1), static_cast<int>(random.below(300)) - 150));
    const auto got = convert<float>(MPT_F32, MPT_F64, values);
    for (std::size_t i = 0; i < values.size(); ++i)
        ASSERT_EQ(std::bit_cast<std::uint32_t>(got[i]), std::bit_cast<std::uint32_t>(static_cast<float>(values[i]))) << values[i];
    EXPECT_TRUE(std::isnan(convert<float>(MPT_F32, MPT_F64, std::vector<double>{kNan})[0]));
}

// Truncated toward zero, saturated, NaN to 0.
TEST_P(Copy, FloatToInteger) {
    struct Range {
        mpt_dtype dtype;
        double low, high;
    };
    const Range ranges[] = {{MPT_I8, -128, 127}, {MPT_I16, -32768, 32767}, {MPT_I32, -2147483648.0, 2147483647}, {MPT_U8, 0, 255}};
    const std::vector<double> values{0,     0.99, -0.99, 1.5,   2.5,    -1.5, 126.9, 127.5, 128,   -128.9,    -129,       254.5,
                                     255.9, 256,  32767, 32768, -40000, 1e9,  3e9,   -3e9,  60000, kInfinity, -kInfinity, kNan};
    for (mpt_dtype from : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16})
        for (const Range &range : ranges) {
            const std::vector<double> got = convert(range.dtype, from, values);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const double x = rounded(from, values[i]);
                const double expected = std::isnan(x) ? 0 : std::min(std::max(std::trunc(x), range.low), range.high);
                EXPECT_EQ(got[i], expected) << x << " from " << mpt_dtype_name(from) << " to " << mpt_dtype_name(range.dtype);
            }
        }
    const std::vector<double> big{9.3e18, -9.3e18, kInfinity, -kInfinity, kNan, 1e15, -0.5};
    const auto got = convert<std::int64_t>(MPT_I64, MPT_F64, big);
    EXPECT_EQ(got, (std::vector<std::int64_t>{INT64_MAX, INT64_MIN, INT64_MAX, INT64_MIN, 0, 1000000000000000, 0}));
}

TEST_P(Copy, IntegersToFloatAndAmongThemselves) {
    for (mpt_dtype to : {MPT_F64, MPT_F32, MPT_F16, MPT_BF16}) {
        EXPECT_EQ(convert(to, MPT_I8, {-128, -1, 0, 127}), (std::vector<double>{-128, -1, 0, 127}));
        EXPECT_EQ(convert(to, MPT_U8, {0, 1, 255}), (std::vector<double>{0, 1, 255}));
        EXPECT_EQ(convert(to, MPT_BOOL, {0, 1}), (std::vector<double>{0, 1}));
        for (double x : {257.0, 2049.0, -32767.0}) EXPECT_EQ(convert(to, MPT_I16, {x})[0], rounded(to, x)) << mpt_dtype_name(to);
        for (double x : {16777217.0, 2147483647.0, -2147483648.0})
            EXPECT_EQ(convert(to, MPT_I32, {x})[0], rounded(to, x)) << mpt_dtype_name(to);
    }
    EXPECT_EQ(convert<float>(MPT_F32, MPT_I64, std::vector<std::int64_t>{INT64_MAX, (1ll << 53) + 1})[0], 0x1p63f);
    for (mpt_dtype from : {MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8})
        for (mpt_dtype to : {MPT_I8, MPT_I16, MPT_I32, MPT_I64, MPT_U8})
            EXPECT_EQ(convert(to, from, {0, 1, 99}), (std::vector<double>{0, 1, 99}));
}

TEST_P(Copy, ToBool) {
    EXPECT_EQ(convert(MPT_BOOL, MPT_F32, {0, -0.0, 0.25, -3, kInfinity, kNan, 0x1p-149}),
              (std::vector<double>{0, 0, 1, 1, 1, 1, 1}));
    EXPECT_EQ(convert(MPT_BOOL, MPT_F16, {0, -0.0, 0x1p-24}), (std::vector<double>{0, 0, 1}));
    EXPECT_EQ(convert(MPT_BOOL, MPT_F64, {0, 1e-300}), (std::vector<double>{0, 1}));
    EXPECT_EQ(convert(MPT_BOOL, MPT_I32, {0, 256, -1}), (std::vector<double>{0, 1, 1}));
    EXPECT_EQ(convert<std::uint8_t>(MPT_BOOL, MPT_I64, std::vector<std::int64_t>{0, 1ll << 40}), (std::vector<std::uint8_t>{0, 1}));
}

TEST_P(Copy, CastPassesTheGradient) {
    for (mpt_dtype from : {MPT_F32, MPT_F16, MPT_BF16})
        for (mpt_dtype to : {MPT_F32, MPT_F16, MPT_BF16}) {
            const Tensor x = make(ctx, from, {1.001, -3.3, 1e-3});
            MUST(mpt_tensor_set_requires_grad(x, 1));
            Tensor y;
            MUST(mpt_cast(x, to, y.out()));
            EXPECT_EQ(y == x, from == to) << "the same tensor where nothing is to be done";
            const Tensor seed = make(ctx, to, {0.1, 2.002, -7.7});
            const std::vector<double> cotangent = read(seed);
            if (from == to) continue;
            mpt_tensor *root = y, *start = seed;
            MUST(mpt_backward_from(&root, &start, 1, MPT_GRAD_WRITE));
            const std::vector<double> grad = read(gradient(x));
            for (std::size_t i = 0; i < 3; ++i)
                EXPECT_EQ(grad[i], rounded(from, cotangent[i])) << mpt_dtype_name(from) << " to " << mpt_dtype_name(to);
        }
}

TEST_P(Copy, StridedAndBroadcast) {
    const Tensor to = create(ctx, MPT_BF16, {4, 3});
    MUST(mpt_tensor_fill(to, 7));
    Tensor turned, middle;
    MUST(mpt_transpose(to, 0, nullptr, turned.out()));
    MUST(mpt_slice(turned, 1, 1, 2, middle.out()));  // [3, 2]
    MUST(mpt_tensor_copy(middle, make(ctx, MPT_F32, Values{{3, 1}, {1, 2, 3.001}})));
    EXPECT_EQ(read(to), (std::vector<double>{7, 7, 7, 1, 2, 3, 1, 2, 3, 7, 7, 7}));
    EXPECT_EQ(mpt_tensor_copy(middle, create(ctx, MPT_F32, {4})), MPT_ERROR_SHAPE);
}

TEST_P(Copy, ManyThreadsManyShapes) {
    if (GetParam() == Device::Cuda) GTEST_SKIP() << "the number of threads is the CPU's";
    Values v{{129, 5, 67}, {}};
    Random random(8);
    for (int i = 0; i < 129 * 5 * 67; ++i) v.data.push_back(random.uniform(-1000, 1000));
    std::vector<std::uint8_t> first;
    for (int threads : {1, 2, 3}) {
        const Context other = must_open(GetParam(), threads);
        const Tensor x = make(other, MPT_F32, v);
        Tensor turned, y;
        const std::int32_t dims[] = {2, 0, 1};
        MUST(mpt_transpose(x, 3, dims, turned.out()));
        MUST(mpt_cast(turned, MPT_F16, y.out()));
        const std::vector<std::uint8_t> bits = read_bytes(y);
        if (first.empty()) first = bits;
        EXPECT_TRUE(bits == first) << threads << " threads";
        const std::vector<double> got = read(y);
        for (std::size_t i = 0; i < got.size(); i += 101) {
            const Shape at = coordinates({67, 129, 5}, static_cast<std::int64_t>(i));
            ASSERT_EQ(got[i], rounded(MPT_F16, element(v, {at[1], at[2], at[0]})));
        }
    }
}

}  // namespace test
