// The loops of a reduction: which dimensions stay, which are folded, in the order of the input's memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "kernel.h"

namespace mpt::cuda {

struct FoldPlan {
    struct Dim {
        std::int64_t extent, in, out;
    };
    std::vector<Dim> kept, folded;  // outermost first; kept may be empty
    bool along = true;              // the fastest dimension is folded
    std::int64_t outputs = 1, inputs = 1;

    // y: x with the folded extents 1.
    FoldPlan(const char *kernel, const mpt_mod_operand &x, const mpt_mod_operand &y) {
        struct Both : Dim {
            bool folded;
        };
        std::vector<Both> dims;
        if (x.ndim != y.ndim) throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": operands of different rank"};
        for (int d = 0; d < x.ndim; ++d) {
            const bool folds = x.shape[d] != y.shape[d];
            if (folds && y.shape[d] != 1) throw Failure{MPT_ERROR_INTERNAL, std::string(kernel) + ": a reduced extent is not 1"};
            (folds ? inputs : outputs) *= x.shape[d];
            if (x.shape[d] != 1) dims.push_back({{x.shape[d], x.strides[d], folds ? 0 : y.strides[d]}, folds});
        }
        // What repeats the same memory goes outside, as if it were far away.
        const auto distance = [](const Both &d) { return d.in == 0 ? INT64_MAX : std::abs(d.in); };
        std::stable_sort(dims.begin(), dims.end(), [&](const Both &a, const Both &b) { return distance(a) > distance(b); });
        const Both *before = nullptr;
        for (const Both &d : dims) {
            std::vector<Dim> &list = d.folded ? folded : kept;
            const bool merges =
                before && before->folded == d.folded && list.back().in == d.in * d.extent && list.back().out == d.out * d.extent;
            if (merges)
                list.back() = {list.back().extent * d.extent, d.in, d.out};
            else
                list.push_back(d);
            before = &d;
        }
        along = dims.empty() || dims.back().folded;
        if (folded.empty()) folded.push_back({1, 0, 0});
    }

    // The first `used` of the loops, operand 0 being the input.
    static Loop loop(const std::vector<Dim> &dims, std::size_t used) {
        Loop loop;
        loop.operands = 2;
        loop.ndim = static_cast<int>(std::max<std::size_t>(used, 1));
        loop.shape[0] = loop.count = 1;
        for (std::size_t d = 0; d < used; ++d) {
            loop.shape[d] = dims[d].extent;
            loop.strides[0][d] = dims[d].in;
            loop.strides[1][d] = dims[d].out;
            loop.count *= dims[d].extent;
        }
        return loop;
    }
};

}  // namespace mpt::cuda
