#include "api/misuse.h"

namespace {

#define SOFTMAX_ROWS(function)                                \
    ROW(Null, "x", "", function, nullptr, 1, w.out()),        \
    ROW(Null, "out", "", function, w.x, 1, nullptr),          \
    ROW(Dtype, "x", "is i32", function, w.ints, 1, w.out()),  \
    ROW(State, "x", "", function, w.output, 1, w.out()),      \
    ROW(Range, "dim", "is 2", function, w.x, 2, w.out()),     \
    ROW(Range, "dim", "is -3", function, w.x, -3, w.out()),   \
    ROW(Range, "dim", "is 0", function, w.scalar, 0, w.out())

const misuse::Rows rows{SOFTMAX_ROWS(mpt_softmax), SOFTMAX_ROWS(mpt_log_softmax)};

}  // namespace
