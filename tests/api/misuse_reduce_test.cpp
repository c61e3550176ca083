#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

// function(x, ndims, dims, keep_dims, ..., out); good: a tensor that it takes.
#define DIMS_ROWS(function, good, ...)                                                                      \
    ROW(Null, "x", "", function, nullptr, 0, nullptr, 0, __VA_ARGS__ w.out()),                              \
    ROW(Null, "out", "", function, w.good, 0, nullptr, 0, __VA_ARGS__ nullptr),                             \
    ROW(Taken, "dims", "", function, w.good, 0, nullptr, 0, __VA_ARGS__ w.out()),                           \
    ROW(Range, "ndims", "is 2", function, w.good, 2, nullptr, 0, __VA_ARGS__ w.out()),                      \
    ROW(Range, "ndims", "is 3", function, w.good, 3, w.axes({0, 1, 1}), 0, __VA_ARGS__ w.out()),            \
    ROW(Range, "ndims", "is -1", function, w.good, -1, w.axes({0}), 0, __VA_ARGS__ w.out()),                \
    ROW(Range, "dims", "is 2", function, w.good, 1, w.axes({2}), 0, __VA_ARGS__ w.out()),                   \
    ROW(Range, "dims", "is -3", function, w.good, 1, w.axes({-3}), 0, __VA_ARGS__ w.out()),                 \
    ROW(Range, "dims", "is -2147483648", function, w.good, 1, w.axes({INT32_MIN}), 0, __VA_ARGS__ w.out()), \
    ROW(Range, "dims", "1 twice", function, w.good, 2, w.axes({-1, 1}), 0, __VA_ARGS__ w.out()),            \
    ROW(Range, "keep_dims", "is 2", function, w.good, 0, nullptr, 2, __VA_ARGS__ w.out()),                  \
    ROW(Dtype, "x", "is i32", function, w.ints, 0, nullptr, 0, __VA_ARGS__ w.out())

#define REDUCE_ROWS(function, ...)       \
    DIMS_ROWS(function, x, __VA_ARGS__), \
    ROW(State, "x", "", function, w.output, 0, nullptr, 0, __VA_ARGS__ w.out())

// Along one dimension: function(x, dim, ..., out)
#define DIM_ROWS(function, ...)                                                            \
    ROW(Null, "x", "", function, nullptr, 0, __VA_ARGS__ w.out()),                         \
    ROW(Null, "out", "", function, w.x, 0, __VA_ARGS__ nullptr),                           \
    ROW(Range, "dim", "is 2", function, w.x, 2, __VA_ARGS__ w.out()),                      \
    ROW(Range, "dim", "is -3", function, w.x, -3, __VA_ARGS__ w.out()),                    \
    ROW(Range, "dim", "is 0", function, w.scalar, 0, __VA_ARGS__ w.out()),                 \
    ROW(Range, "dim", "is -2147483648", function, w.x, INT32_MIN, __VA_ARGS__ w.out()),    \
    ROW(Dtype, "x", "is i32", function, w.ints, 0, __VA_ARGS__ w.out()),                   \
    ROW(State, "x", "", function, w.output, 0, __VA_ARGS__ w.out())

const misuse::Rows rows{
    REDUCE_ROWS(mpt_sum),
    REDUCE_ROWS(mpt_mean),
    REDUCE_ROWS(mpt_max),
    REDUCE_ROWS(mpt_min),
    REDUCE_ROWS(mpt_prod),
    REDUCE_ROWS(mpt_norm),
    REDUCE_ROWS(mpt_logsumexp),
    REDUCE_ROWS(mpt_var, 1, ),
    ROW(Range, "correction", "is nan", mpt_var, w.x, 0, nullptr, 0, NAN, w.out()),
    ROW(Range, "correction", "is inf", mpt_var, w.x, 0, nullptr, 0, INFINITY, w.out()),
    ROW(Taken, "correction", "", mpt_var, w.x, 0, nullptr, 0, 1000, w.out()),
    DIMS_ROWS(mpt_any, bools),
    DIMS_ROWS(mpt_all, bools),
    ROW(Dtype, "x", "is f32", mpt_any, w.x, 0, nullptr, 0, w.out()),
    ROW(Dtype, "x", "is f32", mpt_all, w.x, 0, nullptr, 0, w.out()),
    STEPS("mpt_max", Shape, "x", "[0, 3]", net::Tensor none = of(w, MPT_F32, {0, 3}); return mpt_max(none, 0, nullptr, 0, w.out())),
    STEPS("mpt_min", Shape, "x", "[0, 3]", net::Tensor none = of(w, MPT_F32, {0, 3}); return mpt_min(none, 0, nullptr, 0, w.out())),

    DIM_ROWS(mpt_argmax, 0, ),
    DIM_ROWS(mpt_argmin, 0, ),
    ROW(Range, "keep_dims", "is 2", mpt_argmax, w.x, 0, 2, w.out()),
    ROW(Range, "keep_dims", "is -1", mpt_argmin, w.x, 0, -1, w.out()),
    STEPS("mpt_argmax", Shape, "x", "[0, 3]", net::Tensor none = of(w, MPT_F32, {0, 3}); return mpt_argmax(none, 0, 0, w.out())),
    STEPS("mpt_argmin", Shape, "x", "[0, 3]", net::Tensor none = of(w, MPT_F32, {0, 3}); return mpt_argmin(none, 0, 0, w.out())),
    DIM_ROWS(mpt_cumsum),

    ROW(Null, "x", "", mpt_sort, nullptr, 0, 0, w.out(), w.out()),
    ROW(Null, "values_out", "", mpt_sort, w.x, 0, 0, nullptr, w.out()),
    ROW(Null, "indices_out", "", mpt_sort, w.x, 0, 0, w.out(), nullptr),
    ROW(Range, "dim", "is 2", mpt_sort, w.x, 2, 0, w.out(), w.out()),
    ROW(Range, "descending", "is 2", mpt_sort, w.x, 0, 2, w.out(), w.out()),
    ROW(Dtype, "x", "is i32", mpt_sort, w.ints, 0, 0, w.out(), w.out()),
    ROW(State, "x", "", mpt_sort, w.output, 0, 0, w.out(), w.out()),

    ROW(Null, "x", "", mpt_topk, nullptr, 1, 0, 1, w.out(), w.out()),
    ROW(Null, "values_out", "", mpt_topk, w.x, 1, 0, 1, nullptr, w.out()),
    ROW(Null, "indices_out", "", mpt_topk, w.x, 1, 0, 1, w.out(), nullptr),
    ROW(Range, "k", "is -1", mpt_topk, w.x, -1, 0, 1, w.out(), w.out()),
    ROW(Range, "k", "is 3", mpt_topk, w.x, 3, 0, 1, w.out(), w.out()),
    ROW(Taken, "k", "", mpt_topk, w.x, 0, 0, 1, w.out(), w.out()),
    ROW(Range, "dim", "is -3", mpt_topk, w.x, 1, -3, 1, w.out(), w.out()),
    ROW(Range, "largest", "is 2", mpt_topk, w.x, 1, 0, 2, w.out(), w.out()),
    ROW(Dtype, "x", "is bool", mpt_topk, w.bools, 1, 0, 1, w.out(), w.out()),
};

}  // namespace
