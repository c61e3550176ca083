// The cells of a GRU in some units of a row.
#pragma once

#include <cstdint>

#include "isa.h"
#include "vector_math.h"

namespace mpt::cpu {

// x, y: r, z, n.
template <class C>
inline void gru_row(const C *const *x, const C *const *y, const C *hidden, C *out, std::int64_t n) {
    const C *xr = x[0], *xz = x[1], *xn = x[2], *yr = y[0], *yz = y[1], *yn = y[2];
    MPT_CPU_INDEPENDENT
    for (std::int64_t k = 0; k < n; k++) {
        const C fresh = vtanh(xn[k] + vsigmoid(xr[k] + yr[k]) * yn[k]);
        out[k] = fresh + vsigmoid(xz[k] + yz[k]) * (hidden[k] - fresh);
    }
}

// d: dr, dz, dn, and dn r, which is that of y's n.
template <class C>
inline void gru_grad_row(const C *const *x, const C *const *y, const C *hidden, const C *dout, C *const *d, C *dhidden,
                         std::int64_t n) {
    const C *xr = x[0], *xz = x[1], *xn = x[2], *yr = y[0], *yz = y[1], *yn = y[2];
    C *dr = d[0], *dz = d[1], *dn = d[2], *dyn = d[3];
    MPT_CPU_INDEPENDENT
    for (std::int64_t k = 0; k < n; k++) {
        const C r = vsigmoid(xr[k] + yr[k]), z = vsigmoid(xz[k] + yz[k]), fresh = vtanh(xn[k] + r * yn[k]);
        const C dfresh = dout[k] * (1 - z) * (1 - fresh * fresh);
        dn[k] = dfresh;
        dyn[k] = dfresh * r;
        dr[k] = dfresh * yn[k] * (r * (1 - r));
        dz[k] = dout[k] * (hidden[k] - fresh) * (z * (1 - z));
        dhidden[k] = dout[k] * z;
    }
}

}  // namespace mpt::cpu
