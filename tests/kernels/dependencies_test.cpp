// Which launches of a program wait for which, against the definition over single bytes.
#include "program/passes/dependencies.h"

#include <gtest/gtest.h>

#include <set>

#include "common/random.h"

using mpt::passes::Access;
using mpt::passes::dependencies;

namespace {

using Lists = std::vector<std::vector<std::int32_t>>;

Access reads(std::uintptr_t begin, std::uintptr_t end) { return {begin, end, false}; }
Access writes(std::uintptr_t begin, std::uintptr_t end) { return {begin, end, true}; }

// Every pair of launches of which one writes a byte that the other uses must be in order, if not directly then through others.
std::set<std::pair<std::int32_t, std::int32_t>> must(const std::vector<std::vector<Access>> &launches) {
    std::set<std::pair<std::int32_t, std::int32_t>> pairs;
    for (std::size_t b = 0; b < launches.size(); ++b)
        for (std::size_t a = 0; a < b; ++a)
            for (const Access &x : launches[a])
                for (const Access &y : launches[b])
                    if ((x.writes || y.writes) && x.begin < y.end && y.begin < x.end) pairs.emplace(static_cast<std::int32_t>(a), static_cast<std::int32_t>(b));
    return pairs;
}

// All that a launch comes behind.
std::set<std::pair<std::int32_t, std::int32_t>> closure(const Lists &before) {
    std::set<std::pair<std::int32_t, std::int32_t>> pairs;
    std::vector<std::set<std::int32_t>> all(before.size());
    for (std::size_t b = 0; b < before.size(); ++b)
        for (const std::int32_t a : before[b]) {
            all[b].insert(a);
            all[b].insert(all[static_cast<std::size_t>(a)].begin(), all[static_cast<std::size_t>(a)].end());
        }
    for (std::size_t b = 0; b < all.size(); ++b)
        for (const std::int32_t a : all[b]) pairs.emplace(a, static_cast<std::int32_t>(b));
    return pairs;
}

}  // namespace

TEST(Dependencies, FollowWhatIsWrittenAndRead) {
    EXPECT_EQ((Lists{{}, {}, {0, 1}, {2}}), dependencies({{writes(0, 8)}, {writes(8, 16)}, {reads(0, 16), writes(16, 24)}, {reads(16, 24)}}));
    // Readers run beside each other, and who writes waits for all of them.
    EXPECT_EQ((Lists{{}, {0}, {0}, {0, 1, 2}}), dependencies({{writes(0, 8)}, {reads(0, 4)}, {reads(2, 8)}, {writes(0, 8)}}));
    // Parts of what was written, and places that nobody has used.
    EXPECT_EQ((Lists{{}, {}, {0}, {1}, {0, 1, 2, 3}}), dependencies({{writes(0, 8)}, {writes(16, 24)}, {reads(4, 12)}, {reads(12, 20)}, {writes(0, 32)}}));
    // In place.
    EXPECT_EQ((Lists{{}, {0}, {1}}), dependencies({{writes(0, 8)}, {reads(0, 8), writes(0, 8)}, {reads(0, 8)}}));
    EXPECT_EQ((Lists{{}, {}}), dependencies({{writes(0, 0)}, {writes(0, 0)}}));
}

TEST(Dependencies, OrderAllThatMustBeAndNothingElse) {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        test::Random random(seed);
        std::vector<std::vector<Access>> launches(2 + random.below(14));
        for (auto &list : launches)
            for (std::uint64_t n = random.below(5); n > 0; --n) {
                const std::uintptr_t begin = random.below(40);
                list.push_back({begin, begin + random.below(12), random.below(3) == 0});
            }
        const Lists before = dependencies(launches);
        const auto wanted = must(launches), ordered = closure(before);
        for (const auto &pair : wanted) EXPECT_TRUE(ordered.count(pair)) << pair.second << " does not wait for " << pair.first << ", seed " << seed;
        for (std::size_t b = 0; b < before.size(); ++b)
            for (const std::int32_t a : before[b])
                EXPECT_TRUE(wanted.count({a, static_cast<std::int32_t>(b)})) << b << " waits for " << a << " in vain, seed " << seed;
    }
}
