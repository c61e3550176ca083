// Naive references in double, shared by the tables.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "common/tensors.h"

namespace test {

// The coordinates of element i, and back: broadcast dimensions count as 0.
inline Shape coordinates(const Shape &shape, std::int64_t i) {
    Shape at(shape.size());
    for (std::size_t d = shape.size(); d-- > 0; i /= shape[d]) at[d] = i % shape[d];
    return at;
}
inline double element(const Values &x, const Shape &at) {
    std::int64_t i = 0;
    const std::size_t extra = at.size() - x.shape.size();
    for (std::size_t d = 0; d < x.shape.size(); ++d) i = i * x.shape[d] + (x.shape[d] == 1 ? 0 : at[d + extra]);
    return x.data[static_cast<std::size_t>(i)];
}

inline Shape broadcast(const Shape &a, const Shape &b) {
    Shape shape(std::max(a.size(), b.size()), 1);
    for (const Shape *s : {&a, &b})
        for (std::size_t d = 0; d < s->size(); ++d) {
            std::int64_t &extent = shape[d + shape.size() - s->size()];
            if ((*s)[d] != 1) extent = (*s)[d];
        }
    return shape;
}

// A tensor whose elements come from their coordinates.
inline Values tabulate(const Shape &shape, const std::function<double(const Shape &)> &f) {
    Values out{shape, {}};
    const std::int64_t n = count(shape);
    for (std::int64_t i = 0; i < n; ++i) out.data.push_back(f(coordinates(shape, i)));
    return out;
}

inline Values map(const Values &x, const std::function<double(double)> &f) {
    Values out = x;
    for (double &v : out.data) v = f(v);
    return out;
}

inline Values zip(const Values &a, const Values &b, const std::function<double(double, double)> &f) {
    return tabulate(broadcast(a.shape, b.shape), [&](const Shape &at) { return f(element(a, at), element(b, at)); });
}

// Folds f over the dimensions of mask, starting from start; wider than double, so that a long sum is no worse than its terms.
inline Values fold(const Values &x, unsigned mask, bool keep_dims, double start,
                   const std::function<long double(long double, long double)> &f) {
    Shape kept = x.shape, shape;
    for (std::size_t d = 0; d < kept.size(); ++d) {
        const bool folded = mask >> d & 1;
        if (folded) kept[d] = 1;
        if (!folded || keep_dims) shape.push_back(kept[d]);
    }
    std::vector<long double> sums(static_cast<std::size_t>(count(kept)), start);
    for (std::int64_t i = 0; i < count(x.shape); ++i) {
        const Shape at = coordinates(x.shape, i);
        std::int64_t j = 0;
        for (std::size_t d = 0; d < kept.size(); ++d) j = j * kept[d] + (kept[d] == 1 ? 0 : at[d]);
        long double &to = sums[static_cast<std::size_t>(j)];
        to = f(to, x.data[static_cast<std::size_t>(i)]);
    }
    return {shape, std::vector<double>(sums.begin(), sums.end())};
}

}  // namespace test
