// What reductions are tested on.
#pragma once

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

struct ReduceForm {
    const char *name;
    Shape shape;
    std::vector<std::int32_t> dims;  // empty: all
    bool keep;
    Layout layout;
};

inline unsigned mask_of(const ReduceForm &form) {
    if (form.dims.empty()) return (1u << form.shape.size()) - 1;
    unsigned mask = 0;
    for (std::int32_t d : form.dims) mask |= 1u << (d < 0 ? d + static_cast<std::int32_t>(form.shape.size()) : d);
    return mask;
}

using ReduceFunction = mpt_status (*)(mpt_tensor *, std::int32_t, const std::int32_t *, std::int32_t, mpt_tensor **);

// The function over the form's dimensions.
inline mpt_status reduce(ReduceFunction function, const ReduceForm &form, mpt_tensor *x, mpt_tensor **out) {
    return function(x, static_cast<std::int32_t>(form.dims.size()), form.dims.empty() ? nullptr : form.dims.data(), form.keep, out);
}

inline std::vector<ReduceForm> reduce_forms() {
    const Layout plain = Layout::Contiguous;
    return {
        {"All", {3, 5}, {}, false, plain},
        {"AllKept", {3, 5}, {}, true, plain},
        {"Scalar", {}, {}, false, plain},
        {"Rows", {4, 7}, {1}, false, plain},
        {"Columns", {4, 7}, {0}, true, plain},
        {"Negative", {2, 3, 4}, {-1}, false, plain},
        {"Middle", {2, 3, 4}, {1}, false, plain},
        {"Outer", {2, 3, 4}, {0, 2}, true, plain},
        {"Unordered", {2, 3, 4, 2}, {3, 0}, false, plain},
        {"Transposed", {5, 6}, {0}, false, Layout::Transposed},
        {"Sliced", {3, 4, 5}, {1}, false, Layout::Sliced},
        {"Strided", {6, 5}, {1}, true, Layout::Strided},
        {"Channels", {2, 3, 5, 4}, {0, 2, 3}, false, Layout::ChannelsLast},
        {"NoElements", {0, 3}, {1}, false, plain},
        {"LargeAll", {40, 1003}, {}, false, plain},
        {"LargeRows", {301, 130}, {1}, false, plain},
        {"LargeColumns", {301, 130}, {0}, false, plain},
        {"LargeTransposed", {130, 301}, {1}, false, Layout::Transposed},
        {"LongRows", {3, 20001}, {1}, false, plain},
        {"LargeMiddle", {9, 67, 65}, {1}, false, plain},
    };
}

}  // namespace test
