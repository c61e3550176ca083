// What softmax and cross entropy share: the largest element of a row and the sum of exponentials.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "isa.h"
#include "sums.h"
#include "tiled_row.h"
#include "vector_math.h"

namespace mpt::cpu {

// e[i] = exp(x[i] - shift); returns their sum.
template <class C>
C exp_row(const C *x, C *e, std::int64_t n, C shift) {
    for (std::int64_t i = 0; i < n; i++) e[i] = vexp(x[i] - shift);
    return sum_run(e, n);
}

template <class C>
struct SoftmaxRows {
    C (*max)(const C *, std::int64_t) = Versions<&max_run<C>>::best();
    C (*exp)(const C *, C *, std::int64_t, C) = Versions<&exp_row<C>>::best();

    // A row of -inf alone gives NaN, as do NaN and +inf in it [PyTorch]. e: kRowTile elements, where the exponentials of
    // the row's last tile are left.
    void statistics(RowReader<C> &x, std::int64_t n, C *e, C &largest, C &sum) const {
        C m = -std::numeric_limits<C>::infinity();
        C s = 0;
        each_tile(n, [&](std::int64_t i, std::int64_t length) { m = larger(m, max(x.tile(i, length), length)); });
        each_tile(n, [&](std::int64_t i, std::int64_t length) { s += exp(x.tile(i, length), e, length, m); });
        largest = m;
        sum = s;
    }
};

}  // namespace mpt::cpu
