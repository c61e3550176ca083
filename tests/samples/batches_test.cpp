// Orders, batches and rows. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

extern "C" {
#include "batches.h"
#include "shuffle.h"
}

namespace {

// The rows of one pass, and the sizes of its batches.
struct Pass {
    std::vector<int32_t> rows;
    std::vector<int64_t> sizes;
};

Pass pass(batches *b) {
    Pass p;
    const int32_t *rows;
    while (const int64_t n = batches_next(b, &rows)) {
        p.rows.insert(p.rows.end(), rows, rows + n);
        p.sizes.push_back(n);
    }
    EXPECT_EQ(batches_next(b, &rows), 0) << "the end stays the end";
    return p;
}

std::vector<int32_t> ascending(int32_t n) {
    std::vector<int32_t> rows;
    for (int32_t i = 0; i < n; ++i) rows.push_back(i);
    return rows;
}

TEST(Batches, last_one_has_the_rest) {
    batches b;
    ASSERT_EQ(batches_open(&b, 10, 4, 0), 0);
    EXPECT_EQ(batches_count(&b), 3);
    EXPECT_EQ(b.rest, 2);
    const Pass p = pass(&b);
    EXPECT_EQ(p.sizes, (std::vector<int64_t>{4, 4, 2}));
    EXPECT_EQ(p.rows, ascending(10));
    batches_close(&b);
    EXPECT_EQ(b.order, nullptr);
}

TEST(Batches, no_rest_and_a_size_above_n) {
    batches b;
    ASSERT_EQ(batches_open(&b, 8, 4, 0), 0);
    EXPECT_EQ(batches_count(&b), 2);
    EXPECT_EQ(b.rest, 0);
    EXPECT_EQ(pass(&b).sizes, (std::vector<int64_t>{4, 4}));
    batches_close(&b);
    ASSERT_EQ(batches_open(&b, 3, 100, 0), 0);
    EXPECT_EQ(b.size, 3);
    EXPECT_EQ(pass(&b).sizes, (std::vector<int64_t>{3}));
    batches_close(&b);
}

TEST(Batches, every_epoch_has_all_rows_in_its_own_order) {
    batches b;
    ASSERT_EQ(batches_open(&b, 101, 7, 5), 0);
    batches_shuffle(&b, 0);
    const Pass first = pass(&b);
    batches_shuffle(&b, 1);
    const Pass second = pass(&b);
    batches_shuffle(&b, 0);
    EXPECT_EQ(pass(&b).rows, first.rows);
    EXPECT_NE(first.rows, second.rows);
    std::vector<int32_t> sorted = second.rows;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, ascending(101));
    batches_in_order(&b);
    EXPECT_EQ(pass(&b).rows, ascending(101));
    batches_close(&b);
}

TEST(Batches, starting_over_in_the_middle) {
    batches b;
    const int32_t *rows;
    ASSERT_EQ(batches_open(&b, 10, 4, 5), 0);
    batches_next(&b, &rows);
    batches_shuffle(&b, 3);
    EXPECT_EQ(pass(&b).rows.size(), 10u);
    batches_close(&b);
}

TEST(Batches, wrong_arguments) {
    batches b;
    EXPECT_EQ(batches_open(&b, 0, 4, 0), -1);
    EXPECT_EQ(batches_open(&b, 4, 0, 0), -1);
    EXPECT_EQ(batches_open(&b, int64_t{INT32_MAX} + 1, 4, 0), -1);
    EXPECT_EQ(b.order, nullptr);
}

TEST(Shuffle, is_a_permutation_that_seed_and_epoch_decide) {
    std::vector<int32_t> a(1000), b(1000), c(1000), d(1000);
    shuffle(a.data(), 1000, 1, 0);
    shuffle(b.data(), 1000, 1, 0);
    shuffle(c.data(), 1000, 1, 1);
    shuffle(d.data(), 1000, 2, 0);
    EXPECT_EQ(a, b);
    EXPECT_NE(a, c);
    EXPECT_NE(a, d);
    EXPECT_NE(c, d);
    EXPECT_NE(a, ascending(1000));
    std::sort(a.begin(), a.end());
    EXPECT_EQ(a, ascending(1000));
}

TEST(Shuffle, numbers_below) {
    uint64_t state = random_begin(3, 4);
    std::vector<int> seen(7);
    for (int i = 0; i < 7000; ++i) {
        const int64_t x = random_below(&state, 7);
        ASSERT_GE(x, 0);
        ASSERT_LT(x, 7);
        ++seen[static_cast<size_t>(x)];
    }
    for (int count : seen) EXPECT_NEAR(count, 1000, 150);
}

TEST(Shuffle, gathers_rows) {
    const float from[3][2] = {{0, 1}, {10, 11}, {20, 21}};
    const int32_t rows[4] = {2, 0, 0, 1};
    float to[4][2];
    gather_rows(to, from, rows, 4, sizeof from[0]);
    EXPECT_EQ(to[0][1], 21);
    EXPECT_EQ(to[1][0], 0);
    EXPECT_EQ(to[2][1], 1);
    EXPECT_EQ(to[3][0], 10);
}

}  // namespace
