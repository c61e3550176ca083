// Random numbers against an implementation of Philox 4x32-10 of the test's own, which is held to the published answers.
#include <array>
#include <cmath>

#include "common/devices.h"
#include "common/tensors.h"

namespace test {

namespace {

using Block = std::array<std::uint32_t, 4>;

Block philox(Block counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = 0xD2511F53ull * counter[0], b = 0xCD9E8D57ull * counter[2];
        counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
                   static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

// Number i of the stream of a seed: 24 bits as a fraction.
double fraction(std::uint64_t seed, std::uint64_t i) {
    const std::uint64_t block = i / 4;
    const Block lanes = philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0},
                               {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return static_cast<double>(lanes[i % 4] >> 8) * 0x1p-24;
}

double normal(std::uint64_t seed, std::uint64_t i) {
    const std::uint64_t pair = i & ~1ull;
    const double r = std::sqrt(-2 * std::log(fraction(seed, pair) + 0x1p-24)),
                 angle = 2 * std::acos(-1.0) * fraction(seed, pair + 1);
    return r * (i & 1 ? std::sin(angle) : std::cos(angle));
}

class RandomNumbers : public DeviceTest {};

constexpr std::uint64_t kSeeds[] = {0, 1, 0xFFFFFFFFull, 0x123456789ABCDEFull, ~0ull};

}  // namespace

INSTANTIATE_ON_EVERY_DEVICE(RandomNumbers);

// From the known-answer file of Random123 [Salmon et al. 2011].
TEST(Philox, KnownAnswers) {
    EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST_P(RandomNumbers, UniformIsPhiloxBitForBit) {
    for (std::uint64_t seed : kSeeds) {
        MUST(mpt_context_seed(ctx, seed));
        const Tensor x = create(ctx, MPT_F32, {1003});
        MUST(mpt_tensor_random_uniform(x, 0, 1));
        std::vector<double> got = read(x);
        for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], fraction(seed, i)) << "seed " << seed << " element " << i;
        // The next fill starts at the next whole block of four.
        MUST(mpt_tensor_random_uniform(x, -2, 6));
        got = read(x);
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_EQ(got[i], static_cast<float>(-2 + static_cast<float>(8 * fraction(seed, 1004 + i))));
    }
}

TEST_P(RandomNumbers, NormalIsBoxMuller) {
    for (std::uint64_t seed : kSeeds) {
        MUST(mpt_context_seed(ctx, seed));
        const Tensor x = create(ctx, MPT_F32, {1001});
        MUST(mpt_tensor_random_normal(x, 0.5, 3));
        const std::vector<double> got = read(x);
        // f32 logarithm, root, sine and cosine: 16 units of 2^-24 of the largest that can be, 3 * 5.8.
        for (std::size_t i = 0; i < got.size(); ++i)
            ASSERT_NEAR(got[i], 0.5 + 3 * normal(seed, i), 16 * 0x1p-24 * 17.4) << "seed " << seed << " element " << i;
    }
}

TEST_P(RandomNumbers, EveryFormatIsTheRoundedF32) {
    for (int kind = 0; kind < 2; ++kind) {
        const auto fill = [&](mpt_dtype dtype) {
            MUST(mpt_context_seed(ctx, 9));
            const Tensor x = create(ctx, dtype, {2, 501});
            MUST(kind ? mpt_tensor_random_normal(x, 0, 1) : mpt_tensor_random_uniform(x, -1, 1));
            return read(x);
        };
        const std::vector<double> single = fill(MPT_F32);
        for (mpt_dtype dtype : {MPT_F64, MPT_F16, MPT_BF16}) {
            const std::vector<double> got = fill(dtype);
            for (std::size_t i = 0; i < got.size(); ++i)
                ASSERT_EQ(got[i], rounded(dtype, single[i])) << mpt_dtype_name(dtype) << " element " << i;
        }
    }
}

TEST_P(RandomNumbers, FollowLogicalOrderAndNotThreads) {
    for (int kind = 0; kind < 2; ++kind) {
        std::vector<double> first;
        for (int threads : {1, 2, 3})
            for (int layout = 0; layout < 3; ++layout) {
                if (GetParam() == Device::Cuda && threads > 1) continue;
                Context other;
                MUST(open(GetParam(), threads, other));
                MUST(mpt_context_seed(other, 77));
                Tensor base, x;
                if (layout == 0) {
                    x = create(other, MPT_F32, {211, 307});
                } else if (layout == 1) {
                    base = create(other, MPT_F32, {307, 211});
                    MUST(mpt_transpose(base, 0, nullptr, x.out()));
                } else {
                    base = create(other, MPT_F32, {211, 310});
                    MUST(mpt_slice(base, 1, 2, 307, x.out()));
                }
                MUST(kind ? mpt_tensor_random_normal(x, 0, 1) : mpt_tensor_random_uniform(x, 0, 1));
                const std::vector<double> got = read(x);
                if (first.empty()) first = got;
                EXPECT_TRUE(got == first) << "kind " << kind << ", " << threads << " threads, layout " << layout;
            }
    }
}

// 5 standard errors of n = 300 000 numbers: a right generator passes, and the seed is fixed.
TEST_P(RandomNumbers, Moments) {
    constexpr double n = 300000;
    MUST(mpt_context_seed(ctx, 4));
    const Tensor x = create(ctx, MPT_F32, {static_cast<std::int64_t>(n)});
    const auto moments = [&](double mean, double variance, double fourth) {
        double sum = 0, squares = 0, neighbours = 0, last = 0;
        for (double v : read(x)) {
            sum += v;
            squares += (v - mean) * (v - mean);
            neighbours += (v - mean) * last;
            last = v - mean;
        }
        EXPECT_NEAR(sum / n, mean, 5 * std::sqrt(variance / n));
        EXPECT_NEAR(squares / n, variance, 5 * std::sqrt((fourth - variance * variance) / n));
        EXPECT_NEAR(neighbours / n, 0, 5 * variance / std::sqrt(n));
    };
    MUST(mpt_tensor_random_uniform(x, -1, 3));
    moments(1, 16.0 / 12, 256.0 / 80);
    for (double v : read(x)) ASSERT_TRUE(v >= -1 && v <= 3) << v;
    MUST(mpt_tensor_random_normal(x, 2, 0.5));
    moments(2, 0.25, 3 * 0.0625);
}

TEST_P(RandomNumbers, SeedsDiffer) {
    const Tensor x = create(ctx, MPT_F32, {64});
    std::vector<std::vector<double>> seen;
    for (std::uint64_t seed : kSeeds) {
        MUST(mpt_context_seed(ctx, seed));
        MUST(mpt_tensor_random_uniform(x, 0, 1));
        seen.push_back(read(x));
        for (std::size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_NE(seen[i], seen.back());
    }
    EXPECT_EQ(mpt_tensor_random_uniform(create(ctx, MPT_I32, {2}), 0, 1), MPT_ERROR_DTYPE);
}

}  // namespace test
