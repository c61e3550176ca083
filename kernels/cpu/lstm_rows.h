// The cells of an LSTM in some units of a row.
#pragma once

#include <cstdint>

#include "isa.h"
#include "vector_math.h"

namespace mpt::cpu {

// gates: i, f, g, o.
template <class C>
inline void lstm_row(const C *const *gates, const C *cell, C *h, C *c, std::int64_t n) {
    const C *gi = gates[0], *gf = gates[1], *gg = gates[2], *go = gates[3];
    MPT_CPU_INDEPENDENT
    for (std::int64_t k = 0; k < n; k++) {
        const C next = vsigmoid(gf[k]) * cell[k] + vsigmoid(gi[k]) * vtanh(gg[k]);
        c[k] = next;
        h[k] = vsigmoid(go[k]) * vtanh(next);
    }
}

template <class C>
inline void lstm_grad_row(const C *const *gates, const C *cell, const C *dh, const C *dc, C *const *dgates, C *dcell,
                          std::int64_t n) {
    const C *gi = gates[0], *gf = gates[1], *gg = gates[2], *go = gates[3];
    C *di = dgates[0], *df = dgates[1], *dg = dgates[2], *d_o = dgates[3];
    MPT_CPU_INDEPENDENT
    for (std::int64_t k = 0; k < n; k++) {
        const C i = vsigmoid(gi[k]), f = vsigmoid(gf[k]), g = vtanh(gg[k]), o = vsigmoid(go[k]);
        const C t = vtanh(f * cell[k] + i * g);
        const C d = dc[k] + dh[k] * o * (1 - t * t);
        d_o[k] = dh[k] * t * (o * (1 - o));
        df[k] = d * cell[k] * (f * (1 - f));
        di[k] = d * g * (i * (1 - i));
        dg[k] = d * i * (1 - g * g);
        dcell[k] = d * f;
    }
}

}  // namespace mpt::cpu
