// The loops of a reduction, for its kernel and for gradients that walk the same way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "kernel.h"

namespace mpt::cpu {

struct Dim {
    std::int64_t extent, in, out;
};

// The loops of one reduction, outermost first.
struct Plan {
    std::vector<Dim> kept, reduced;
    bool row = true;  // the fastest dimension is reduced
    std::int64_t outputs = 1, inputs = 1;

    // y: x with the reduced extents 1.
    Plan(const mpt_mod_operand &x, const mpt_mod_operand &y) {
        struct Both : Dim {
            bool reduced;
        };
        std::vector<Both> dims;
        if (x.ndim != y.ndim) throw Failure{MPT_ERROR_INTERNAL, "reduce: operands of different rank"};
        for (int d = 0; d < x.ndim; d++) {
            const bool folded = x.shape[d] != y.shape[d];
            if (folded && y.shape[d] != 1) throw Failure{MPT_ERROR_INTERNAL, "reduce: a reduced extent is not 1"};
            (folded ? inputs : outputs) *= x.shape[d];
            if (x.shape[d] != 1) dims.push_back({{x.shape[d], x.strides[d], folded ? 0 : y.strides[d]}, folded});
        }
        std::stable_sort(dims.begin(), dims.end(), [](const Both &a, const Both &b) { return std::abs(a.in) > std::abs(b.in); });
        bool last_reduced = false;
        for (const Both &d : dims) {
            std::vector<Dim> &list = d.reduced ? reduced : kept;
            const bool adjacent = &d != dims.data() && last_reduced == d.reduced;
            last_reduced = d.reduced;
            if (adjacent && list.back().in == d.in * d.extent && list.back().out == d.out * d.extent)
                list.back() = {list.back().extent * d.extent, d.in, d.out};
            else
                list.push_back(d);
        }
        row = dims.empty() || dims.back().reduced;
        if (reduced.empty()) reduced.push_back({1, 1, 0});
        if (row && dims.empty()) kept.clear();
        if (!row && kept.empty()) kept.push_back({1, 1, 1});
    }
};

// Adds the offsets of the index-th place in the first `used` loops.
inline void locate(const std::vector<Dim> &dims, std::size_t used, std::int64_t index, std::int64_t &in, std::int64_t &out) {
    for (std::size_t d = used; d-- > 0 && index > 0;) {
        in += index % dims[d].extent * dims[d].in;
        out += index % dims[d].extent * dims[d].out;
        index /= dims[d].extent;
    }
}

}  // namespace mpt::cpu
