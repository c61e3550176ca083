// The elementwise steps of attention on a block of scores, which is held as keys x queries: what belongs to a query lies in one
// column, so that maxima and sums over keys are those of vectors. To be called inside functions that Versions compiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "philox.h"
#include "sums.h"
#include "vector_math.h"

namespace mpt::cpu {

inline constexpr std::int64_t kQueries = 64;  // columns of a block; the distance of its rows
inline constexpr std::int64_t kKeys = 96;     // rows of a block; a multiple of 4, the numbers of a Philox block

// Which part of a block is seen: columns from `first` + r on in row r (causal), `queries` columns in all.
struct Seen {
    std::int64_t keys, queries;
    std::int64_t first;  // far below 0 where all is seen

    std::int64_t first_query(std::int64_t key) const { return std::clamp<std::int64_t>(first + key, 0, queries); }
    std::int64_t keys_of(std::int64_t query) const { return std::clamp<std::int64_t>(query - first + 1, 0, keys); }
};

// The columns in whole vectors.
template <class C>
inline std::int64_t vector_start(std::int64_t query) {
    return query / Lanes<C>::count * Lanes<C>::count;
}

// Scores that are not seen become -inf, up to the vector where the seen ones begin; no step looks further left.
template <class C>
void hide_later(C *s, Seen seen) {
    for (std::int64_t r = 0; r < seen.keys; r++) {
        const std::int64_t end = seen.first_query(r);
        for (std::int64_t c = vector_start<C>(end); c < end; c++) s[r * kQueries + c] = -std::numeric_limits<C>::infinity();
    }
}

// mask: rows of seen.queries. What -inf hides is hidden whatever the score is.
template <class C>
void add_mask(C *s, const C *mask, Seen seen) {
    for (std::int64_t r = 0; r < seen.keys; r++)
        for (std::int64_t c = 0; c < seen.queries; c++) {
            const C m = mask[r * seen.queries + c];
            C &x = s[r * kQueries + c];
            x = m == -std::numeric_limits<C>::infinity() ? m : x + m;
        }
}

// largest[c] = the largest of itself and of column c. NaN is passed over: the exponentials show it.
template <class C>
void raise_largest(const C *s, Seen seen, C *largest) {
    for (std::int64_t r = 0; r < seen.keys; r++, s += kQueries)
        for (std::int64_t c = vector_start<C>(seen.first_query(r)); c < seen.queries; c++)
            largest[c] = s[c] > largest[c] ? s[c] : largest[c];
}

// s = exp(s - shift of the column), 0 where nothing is seen; the columns' sums are added to sum.
template <class C>
void exponentials(C *s, Seen seen, const C *shift, C *sum) {
    constexpr std::int64_t n = Lanes<C>::count;
    for (std::int64_t c = 0; c < seen.queries; c += n) {
        auto &to = *reinterpret_cast<typename Lanes<C>::Unaligned *>(sum + c);
        typename Lanes<C>::Vector total = to;
        const std::int64_t keys = seen.keys_of(std::min(c + n, seen.queries) - 1);
        for (std::int64_t r = 0; r < keys; r++) {
            C *x = s + r * kQueries + c;
            for (std::int64_t i = 0; i < n; i++) x[i] = vexp(x[i] - shift[c + i]);
            total += Lanes<C>::at(x);
        }
        for (std::int64_t r = keys; r < seen.keys; r++) std::fill_n(s + r * kQueries + c, n, C{0});
        to = total;
    }
}

// p = exp(p - shift), ds = p (ds - delta): the gradient of the scores; 0 where nothing is seen.
template <class C>
void score_gradients(C *p, C *ds, Seen seen, const C *shift, const C *delta) {
    constexpr std::int64_t n = Lanes<C>::count;
    for (std::int64_t c = 0; c < seen.queries; c += n) {
        const std::int64_t keys = seen.keys_of(std::min(c + n, seen.queries) - 1);
        for (std::int64_t r = 0; r < keys; r++) {
            C *x = p + r * kQueries + c, *d = ds + r * kQueries + c;
            for (std::int64_t i = 0; i < n; i++) {
                const C e = vexp(x[i] - shift[c + i]);
                x[i] = e;
                d[i] = e * (d[i] - delta[c + i]);
            }
        }
        for (std::int64_t r = keys; r < seen.keys; r++) {
            std::fill_n(p + r * kQueries + c, n, C{0});
            std::fill_n(ds + r * kQueries + c, n, C{0});
        }
    }
}

// What dropout multiplies a block of probabilities with: 0, or `kept`. block: that of the first row and column; blocks of
// neighbouring columns are `step` apart.
template <class C>
void dropout_factors(C *z, Seen seen, std::uint64_t seed, std::uint64_t block, std::uint64_t step, std::uint32_t threshold,
                     C kept) {
    for (std::int64_t r = 0; r < seen.keys; r += 4) {
        std::uint32_t lanes[4][kQueries];
        philox(seed, block + static_cast<std::uint64_t>(r / 4), lanes, step);
        for (std::int64_t l = 0; l < std::min<std::int64_t>(4, seen.keys - r); l++)
            for (std::int64_t c = 0; c < kQueries; c++) z[(r + l) * kQueries + c] = (lanes[l][c] >> 8) < threshold ? C{0} : kept;
    }
}

template <class C>
void multiply_block(C *x, const C *z, Seen seen) {
    for (std::int64_t r = 0; r < seen.keys; r++)
        for (std::int64_t c = 0; c < seen.queries; c++) x[r * kQueries + c] *= z[r * kQueries + c];
}

}  // namespace mpt::cpu
