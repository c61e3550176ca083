// 100 000 random found-inf sequences: the kernel against each policy's definition, written again.
#include <algorithm>
#include <cmath>

#include "common/random.h"
#include "device/attrs/scaler.h"
#include "gtest/gtest.h"
#include "kernels/module.h"

namespace {

// What the systems do, each on its own terms. Minimum and maximum are mpt's in all of them.
struct Policy {
    mpt_attrs_scaler a;
    float scale;
    long good = 0, left;  // successful iterations in a row, tolerated failures

    Policy(const mpt_attrs_scaler &attrs, float start) : a(attrs), scale(start), left(attrs.hysteresis) {}

    void step(bool bad) {
        switch (a.kind) {
            case MPT_SCALER_STATIC:
                return;
            case MPT_SCALER_TORCH:
                return torch(bad);
            case MPT_SCALER_HYSTERESIS:
                return apex(bad);
            default:
                return megatron(bad);
        }
    }

    // torch.amp.GradScaler: aten's _amp_update_scale_.
    void torch(bool bad) {
        if (bad) {
            shrink();
            good = 0;
        } else {
            succeed();
        }
    }
    // github.com/NVIDIA/apex csrc/update_scale_hysteresis.cu: tolerance counts failures in a row.
    void apex(bool bad) {
        if (bad && --left > 0) {
            good = 0;
            return;
        }
        torch(bad);
        if (!bad) left = a.hysteresis;
    }
    // github.com/NVIDIA/Megatron-LM megatron/core/optimizer/grad_scaler.py DynamicGradScaler: tolerance counts failures since a
    // growth.
    void megatron(bool bad) {
        if (bad) {
            good = 0;
            if (--left <= 0) shrink();
        } else if (succeed()) {
            left = a.hysteresis;
        }
    }

    bool succeed() {
        if (++good < a.interval) return false;
        good = 0;
        const auto next = static_cast<float>(static_cast<double>(scale) * a.growth);
        if (std::isfinite(next)) scale = a.maximum > 0 ? std::min(next, static_cast<float>(a.maximum)) : next;
        return true;
    }
    void shrink() { scale = std::max(static_cast<float>(static_cast<double>(scale) * a.backoff), static_cast<float>(a.minimum)); }
};

}  // namespace

TEST(ScalerUpdate, FollowsEachPolicyOverRandomSequences) {
    constexpr int kSequences = 100000, kLength = 40;
    kernels::Module module;
    test::Random random(7);
    int moved = 0;
    for (int s = 0; s < kSequences; ++s) {
        mpt_attrs_scaler attrs = {};
        attrs.kind = static_cast<std::int32_t>(s % 4);
        attrs.growth = random.below(4) ? 2 : random.uniform(1, 3);
        attrs.backoff = random.below(4) ? 0.5 : random.uniform(0.1, 1);
        attrs.interval = 1 + random.below(6);
        attrs.hysteresis = static_cast<std::int32_t>(1 + random.below(4));
        const auto start = static_cast<float>(std::ldexp(1.0, static_cast<int>(random.below(20)) + (random.below(20) ? 0 : 108)));
        if (random.below(3) == 0) attrs.minimum = start * random.uniform(0.01, 1);
        if (random.below(3) == 0) attrs.maximum = start * random.uniform(1, 50);
        auto kernel =
            module.prepare("scaler_update", {kernels::operand(MPT_F32), kernels::operand(MPT_F32)},
                           {kernels::operand(MPT_F32), kernels::operand(MPT_I32, {2}), kernels::operand(MPT_I64, {3})}, attrs);
        float found[2], scale = start;
        std::int32_t tracker[2] = {0, attrs.hysteresis};
        std::int64_t counts[3] = {};
        const std::vector<const void *> in{&found[0], &found[1]};
        const std::vector<void *> out{&scale, tracker, counts};
        Policy policy(attrs, start);
        const std::int64_t rarity = 2 + random.below(8);
        for (int i = 0; i < kLength; ++i) {
            for (float &f : found) f = random.below(2 * rarity) == 0 ? 1.0f : 0.0f;
            kernel.launch(in, out);
            policy.step(found[0] != 0 || found[1] != 0);
            ASSERT_EQ(policy.scale, scale) << "sequence " << s << ", kind " << attrs.kind << ", iteration " << i;
        }
        ASSERT_EQ(kLength, counts[0] + counts[1]);
        moved += scale != start;
    }
    EXPECT_GT(moved, kSequences / 2);
}
