// The naive reference of attention, for its tables and its dropout.
#pragma once

#include <cmath>
#include <limits>

#include "common/random.h"
#include "ops/reference.h"

namespace test {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Adds to a score, or hides it with -inf.
using Mask = std::function<double(const Shape &)>;

// The probabilities of a row, all 0 where nothing is seen.
inline std::vector<long double> probabilities(const Values &q, const Values &k, Shape at, bool causal, double scale,
                                              const Mask &mask) {
    const std::int64_t t = q.shape[2], s = k.shape[2], d = q.shape[3];
    std::vector<long double> row;
    long double largest = -kInfinity, sum = 0;
    for (std::int64_t j = 0; j < s; ++j) {
        long double score = 0;
        for (std::int64_t i = 0; i < d; ++i)
            score += static_cast<long double>(element(q, {at[0], at[1], at[2], i})) * element(k, {at[0], at[1], j, i});
        score *= scale;
        if (mask) score += mask({at[0], at[1], at[2], j});
        if (causal && j > at[2] + s - t) score = -kInfinity;
        row.push_back(score);
        largest = std::max(largest, score);
    }
    for (long double &x : row) sum += x = x == -kInfinity ? 0 : std::exp(x - largest);
    for (long double &x : row) x = sum == 0 ? 0 : x / sum;
    return row;
}

inline Values attention_reference(const Values &q, const Values &k, const Values &v, bool causal = false, double scale = 0,
                                  const Mask &mask = nullptr, const Mask &keep = nullptr) {
    if (scale == 0) scale = 1 / std::sqrt(static_cast<double>(q.shape[3]));
    Values out{{q.shape[0], q.shape[1], q.shape[2], v.shape[3]}, {}};
    for (std::int64_t r = 0; r < q.shape[0] * q.shape[1] * q.shape[2]; ++r) {
        const Shape at = coordinates({q.shape[0], q.shape[1], q.shape[2]}, r);
        const std::vector<long double> p = probabilities(q, k, at, causal, scale, mask);
        for (std::int64_t e = 0; e < v.shape[3]; ++e) {
            long double sum = 0;
            for (std::int64_t j = 0; j < k.shape[2]; ++j)
                sum += p[static_cast<std::size_t>(j)] * element(v, {at[0], at[1], j, e}) *
                       (keep ? keep({at[0], at[1], at[2], j}) : 1.0);
            out.data.push_back(static_cast<double>(sum));
        }
    }
    return out;
}

inline mpt_attention_params attention_params(bool causal, double scale = 0, double dropout = 0) {
    mpt_attention_params p;
    MUST(mpt_attention_params_init(&p, sizeof p));
    p.causal = causal;
    p.scale = scale;
    p.dropout = dropout;
    return p;
}

inline Values draw(const Shape &shape, std::uint64_t seed) {
    Random random(seed);
    Values v{shape, {}};
    for (std::int64_t i = 0; i < count(shape); ++i) v.data.push_back(random.uniform(-1, 1));
    return v;
}

}  // namespace test
