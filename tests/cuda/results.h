// What a program gives by one kind of kernel beside what it gives by another.
#pragma once

#include <algorithm>
#include <cmath>

#include "common/tensors.h"
#include "gpu.h"

namespace cuda {

// Tensors, and the plan that they came from.
struct Result {
    std::vector<std::vector<double>> values;
    std::string plan;
};

// Relative to the largest: each result is a sum of many, rounded once to the format.
inline void expect_near(const Result &result, const Result &expected, double bound) {
    ASSERT_EQ(expected.values.size(), result.values.size());
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
        ASSERT_EQ(expected.values[i].size(), result.values[i].size()) << "result " << i;
        double largest = 0, off = 0;
        for (std::size_t k = 0; k < expected.values[i].size(); ++k) {
            const double difference = std::fabs(expected.values[i][k] - result.values[i][k]);
            largest = std::max(largest, std::fabs(expected.values[i][k]));
            off = std::isfinite(difference) ? std::max(off, difference) : INFINITY;
        }
        EXPECT_GT(largest, 0) << "result " << i;
        EXPECT_LE(off, bound * largest) << "result " << i;
    }
}

}  // namespace cuda
