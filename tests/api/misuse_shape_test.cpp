#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }
constexpr std::int64_t kHuge = std::int64_t(1) << 62;

// function(tensors, n, dim, out)
#define JOIN_ROWS(function)                                                                                                                  \
    misuse::Row{#function, misuse::Null, "tensors", "", [](misuse::World &w) { return function(nullptr, 1, 0, w.out()); }, MPT_OK, true},    \
    misuse::Row{#function, misuse::Null, "tensors[0]", "", [](misuse::World &w) { return function(w.list({nullptr}), 1, 0, w.out()); }, MPT_OK, true}, \
    misuse::Row{#function, misuse::Range, "n", "is 0", [](misuse::World &w) { return function(w.list({w.x}), 0, 0, w.out()); }, MPT_OK, true},   \
    misuse::Row{#function, misuse::Range, "n", "is -1", [](misuse::World &w) { return function(w.list({w.x}), -1, 0, w.out()); }, MPT_OK, true}, \
    ROW(Null, "tensors[1]", "", function, w.list({w.x, nullptr}), 2, 0, w.out()),                                                            \
    ROW(Null, "out", "", function, w.list({w.x}), 1, 0, nullptr),                                                                            \
    ROW(Foreign, "tensors[1]", "", function, w.list({w.x, w.other.x}), 2, 0, w.out()),                                                       \
    ROW(Dtype, "tensors", "is i32", function, w.list({w.x, w.ints}), 2, 0, w.out()),                                                         \
    ROW(Taken, "tensors", "", function, w.list({w.x, w.half}), 2, 0, w.out()),                                                               \
    ROW(State, "tensors[1]", "", function, w.list({w.x, w.output}), 2, 0, w.out()),                                                          \
    STEPS(#function, Dtype, "tensors", "is f8e4m3", net::Tensor t = of(w, MPT_F8E4M3, {2}); return function(w.list({t}), 1, 0, w.out())),     \
    ROW(Range, "dim", "is 3", function, w.list({w.x}), 1, 3, w.out()),                                                                       \
    ROW(Range, "dim", "is -4", function, w.list({w.x}), 1, -4, w.out())

const misuse::Rows rows{
    ROW(Null, "x", "", mpt_reshape, nullptr, 1, w.extents({6}), w.out()),
    ROW(Null, "out", "", mpt_reshape, w.x, 1, w.extents({6}), nullptr),
    ROW(Null, "shape", "", mpt_reshape, w.x, 1, nullptr, w.out()),
    ROW(Taken, "shape", "", mpt_reshape, w.scalar, 0, nullptr, w.out()),
    ROW(Range, "ndim", "is -1", mpt_reshape, w.x, -1, w.extents({6}), w.out()),
    ROW(Range, "ndim", "is 9", mpt_reshape, w.x, 9, w.extents({6, 1, 1, 1, 1, 1, 1, 1, 1}), w.out()),
    ROW(Shape, "shape", "[4, 4]", mpt_reshape, w.x, 2, w.extents({4, 4}), w.out()),
    ROW(Shape, "shape", "[-1, 4]", mpt_reshape, w.x, 2, w.extents({-1, 4}), w.out()),
    ROW(Shape, "shape", "[-1, -1]", mpt_reshape, w.x, 2, w.extents({-1, -1}), w.out()),
    ROW(Shape, "shape", "[-2, 3]", mpt_reshape, w.x, 2, w.extents({-2, 3}), w.out()),
    ROW(Shape, "shape", "[0, -1]", mpt_reshape, w.x, 2, w.extents({0, -1}), w.out()),
    ROW(Shape, "shape", "[4611686018427387904, 4]", mpt_reshape, w.x, 2, w.extents({int64_t(1) << 62, 4}), w.out()),
    ROW(State, "x", "", mpt_reshape, w.output, 1, w.extents({6}), w.out()),

    ROW(Null, "x", "", mpt_transpose, nullptr, 0, nullptr, w.out()),
    ROW(Null, "out", "", mpt_transpose, w.x, 0, nullptr, nullptr),
    ROW(Taken, "dims", "", mpt_transpose, w.x, 0, nullptr, w.out()),
    ROW(Shape, "x", "[4]", mpt_transpose, w.row, 0, nullptr, w.out()),
    ROW(Range, "ndim", "is 3", mpt_transpose, w.x, 3, w.axes({0, 1, 2}), w.out()),
    ROW(Range, "ndim", "is -1", mpt_transpose, w.x, -1, w.axes({0, 1}), w.out()),
    ROW(Range, "dims", "is 2", mpt_transpose, w.x, 2, w.axes({0, 2}), w.out()),
    ROW(Range, "dims", "0 twice", mpt_transpose, w.x, 2, w.axes({0, 0}), w.out()),

    ROW(Null, "x", "", mpt_slice, nullptr, 0, 0, 1, w.out()),
    ROW(Null, "out", "", mpt_slice, w.x, 0, 0, 1, nullptr),
    ROW(Range, "dim", "is 2", mpt_slice, w.x, 2, 0, 1, w.out()),
    ROW(Range, "dim", "is 0", mpt_slice, w.scalar, 0, 0, 1, w.out()),
    ROW(Shape, "start", "-1 and 1", mpt_slice, w.x, 0, -1, 1, w.out()),
    ROW(Shape, "start", "3 and 0", mpt_slice, w.x, 0, 3, 0, w.out()),
    ROW(Shape, "length", "1 and 2", mpt_slice, w.x, 0, 1, 2, w.out()),
    ROW(Shape, "length", "0 and -1", mpt_slice, w.x, 0, 0, -1, w.out()),
    ROW(Shape, "length", "1 and 9223372036854775807", mpt_slice, w.x, 0, 1, INT64_MAX, w.out()),

    ROW(Null, "x", "", mpt_cast, nullptr, MPT_F16, w.out()),
    ROW(Null, "out", "", mpt_cast, w.x, MPT_F16, nullptr),
    ROW(Dtype, "dtype", "is 99", mpt_cast, w.x, static_cast<mpt_dtype>(99), w.out()),
    ROW(Dtype, "dtype", "is 0", mpt_cast, w.x, MPT_DTYPE_NONE, w.out()),

    ROW(Null, "x", "", mpt_expand, nullptr, 2, w.extents({2, 3}), w.out()),
    ROW(Null, "out", "", mpt_expand, w.x, 2, w.extents({2, 3}), nullptr),
    ROW(Null, "shape", "", mpt_expand, w.x, 2, nullptr, w.out()),
    ROW(Taken, "shape", "", mpt_expand, w.scalar, 0, nullptr, w.out()),
    ROW(Range, "ndim", "is 9", mpt_expand, w.x, 9, w.extents({1, 1, 1, 1, 1, 1, 1, 2, 3}), w.out()),
    ROW(Range, "ndim", "is -1", mpt_expand, w.x, -1, w.extents({1}), w.out()),
    ROW(Shape, "shape", "[4, 3]", mpt_expand, w.x, 2, w.extents({4, 3}), w.out()),
    ROW(Shape, "shape", "[3]", mpt_expand, w.x, 1, w.extents({3}), w.out()),
    ROW(Shape, "shape", "[-1, 2, 3]", mpt_expand, w.x, 3, w.extents({-1, 2, 3}), w.out()),
    ROW(Shape, "shape", "[4611686018427387904, 2, 3]", mpt_expand, w.x, 3, w.extents({kHuge, 2, 3}), w.out()),
    ROW(State, "x", "", mpt_expand, w.output, 2, w.extents({2, 3}), w.out()),

    ROW(Null, "x", "", mpt_squeeze, nullptr, 0, w.out()),
    ROW(Null, "out", "", mpt_squeeze, w.image, 0, nullptr),
    ROW(Shape, "x", "[2, 3]", mpt_squeeze, w.x, 0, w.out()),
    ROW(Range, "dim", "is 4", mpt_squeeze, w.image, 4, w.out()),
    ROW(Range, "dim", "is 0", mpt_squeeze, w.scalar, 0, w.out()),
    ROW(Null, "x", "", mpt_unsqueeze, nullptr, 0, w.out()),
    ROW(Null, "out", "", mpt_unsqueeze, w.x, 0, nullptr),
    ROW(Range, "dim", "is 3", mpt_unsqueeze, w.x, 3, w.out()),
    ROW(Range, "dim", "is -4", mpt_unsqueeze, w.x, -4, w.out()),
    ROW(Range, "dim", "is -2147483648", mpt_unsqueeze, w.x, INT32_MIN, w.out()),
    ROW(Taken, "dim", "", mpt_unsqueeze, w.scalar, -1, w.out()),
    STEPS("mpt_unsqueeze", Shape, "x", "[1, 1, 1, 1, 1, 1, 1, 1]", net::Tensor t = of(w, MPT_F32, {1, 1, 1, 1, 1, 1, 1, 1});
          return mpt_unsqueeze(t, 0, w.out())),
    ROW(Null, "x", "", mpt_contiguous, nullptr, w.out()),
    ROW(Null, "out", "", mpt_contiguous, w.x, nullptr),
    ROW(State, "x", "", mpt_contiguous, w.output, w.out()),

    JOIN_ROWS(mpt_concat),
    ROW(Shape, "tensors", "[4]", mpt_concat, w.list({w.x, w.row}), 2, 0, w.out()),
    ROW(Shape, "tensors", "[4, 3]", mpt_concat, w.list({w.x, w.weight}), 2, 1, w.out()),
    ROW(Shape, "tensors", "mpt_stack", mpt_concat, w.list({w.scalar, w.scalar}), 2, 0, w.out()),
    ROW(Range, "dim", "is 2", mpt_concat, w.list({w.x}), 1, 2, w.out()),
    STEPS("mpt_concat", Shape, "", "", net::Tensor t = of(w, MPT_F32, {kHuge / 8, 0}); return mpt_concat(w.list({t, t, t}), 3, 0, w.out())),
    JOIN_ROWS(mpt_stack),
    ROW(Shape, "tensors", "[4, 3]", mpt_stack, w.list({w.x, w.weight}), 2, 0, w.out()),
    ROW(Taken, "dim", "", mpt_stack, w.list({w.x}), 1, -3, w.out()),

    ROW(Null, "x", "", mpt_split, nullptr, 0, w.extents({2}), 1, w.out()),
    ROW(Null, "lengths", "", mpt_split, w.x, 0, nullptr, 1, w.out()),
    ROW(Null, "outputs", "", mpt_split, w.x, 0, w.extents({2}), 1, nullptr),
    ROW(Taken, "lengths", "", mpt_split, w.x, 0, w.extents({2}), 1, w.out()),
    ROW(Range, "dim", "is 2", mpt_split, w.x, 2, w.extents({2}), 1, w.out()),
    ROW(Range, "n", "is 0", mpt_split, w.x, 0, w.extents({2}), 0, w.out()),
    ROW(Range, "n", "is -1", mpt_split, w.x, 0, w.extents({2}), -1, w.out()),
    ROW(Shape, "lengths", "1 elements", mpt_split, w.x, 0, w.extents({1}), 1, w.out()),
    ROW(Shape, "lengths[1]", "is 2", mpt_split, w.x, 0, w.extents({1, 2}), 2, w.out()),
    ROW(Shape, "lengths[0]", "is -1", mpt_split, w.x, 0, w.extents({-1, 3}), 2, w.out()),
    ROW(Shape, "lengths[1]", "is 9223372036854775807", mpt_split, w.x, 0, w.extents({1, INT64_MAX}), 2, w.out()),

    ROW(Null, "x", "", mpt_pad, nullptr, 2, w.extents({1, 1}), w.extents({0, 0}), 0, w.out()),
    ROW(Null, "out", "", mpt_pad, w.x, 2, w.extents({1, 1}), w.extents({0, 0}), 0, nullptr),
    ROW(Null, "before", "", mpt_pad, w.x, 2, nullptr, w.extents({0, 0}), 0, w.out()),
    ROW(Null, "after", "", mpt_pad, w.x, 2, w.extents({1, 1}), nullptr, 0, w.out()),
    ROW(Taken, "before", "", mpt_pad, w.scalar, 0, nullptr, nullptr, 0, w.out()),
    ROW(Taken, "value", "", mpt_pad, w.x, 2, w.extents({1, 1}), w.extents({0, 0}), NAN, w.out()),
    ROW(Range, "ndim", "is 1", mpt_pad, w.x, 1, w.extents({1}), w.extents({0}), 0, w.out()),
    ROW(Range, "ndim", "is -1", mpt_pad, w.x, -1, w.extents({1}), w.extents({0}), 0, w.out()),
    ROW(Range, "before", "4611686018427387904", mpt_pad, w.x, 2, w.extents({kHuge, 1}), w.extents({0, 0}), 0, w.out()),
    ROW(Range, "after", "9223372036854775807", mpt_pad, w.x, 2, w.extents({1, 1}), w.extents({0, INT64_MAX}), 0, w.out()),
    ROW(Shape, "before", "-3 and 0", mpt_pad, w.x, 2, w.extents({-3, 1}), w.extents({0, 0}), 0, w.out()),
    ROW(Shape, "after", "-9223372036854775808", mpt_pad, w.x, 2, w.extents({0, 0}), w.extents({0, INT64_MIN}), 0, w.out()),
    ROW(Shape, "after", "-2 and -2", mpt_pad, w.x, 2, w.extents({0, -2}), w.extents({0, -2}), 0, w.out()),
    STEPS("mpt_pad", Dtype, "x", "is f8e5m2", net::Tensor t = of(w, MPT_F8E5M2, {2}); return mpt_pad(t, 1, w.extents({1}), w.extents({0}), 0, w.out())),
    ROW(State, "x", "", mpt_pad, w.output, 2, w.extents({1, 1}), w.extents({0, 0}), 0, w.out()),

    ROW(Null, "x", "", mpt_flip, nullptr, 1, w.axes({0}), w.out()),
    ROW(Null, "out", "", mpt_flip, w.x, 1, w.axes({0}), nullptr),
    ROW(Null, "dims", "", mpt_flip, w.x, 1, nullptr, w.out()),
    ROW(Taken, "dims", "", mpt_flip, w.x, 0, nullptr, w.out()),
    ROW(Range, "ndims", "is 3", mpt_flip, w.x, 3, w.axes({0, 1, 1}), w.out()),
    ROW(Range, "ndims", "is -1", mpt_flip, w.x, -1, w.axes({0}), w.out()),
    ROW(Range, "dims", "is 2", mpt_flip, w.x, 1, w.axes({2}), w.out()),
    ROW(Range, "dims", "1 twice", mpt_flip, w.x, 2, w.axes({-1, 1}), w.out()),
    STEPS("mpt_flip", Dtype, "x", "is f8e4m3", net::Tensor t = of(w, MPT_F8E4M3, {2}); return mpt_flip(t, 1, w.axes({0}), w.out())),
    ROW(State, "x", "", mpt_flip, w.output, 1, w.axes({0}), w.out()),

    ROW(Null, "x", "", mpt_tile, nullptr, 2, w.extents({1, 2}), w.out()),
    ROW(Null, "out", "", mpt_tile, w.x, 2, w.extents({1, 2}), nullptr),
    ROW(Null, "repeats", "", mpt_tile, w.x, 2, nullptr, w.out()),
    ROW(Taken, "repeats", "", mpt_tile, w.scalar, 0, nullptr, w.out()),
    ROW(Range, "ndim", "is 1", mpt_tile, w.x, 1, w.extents({2}), w.out()),
    ROW(Range, "ndim", "is 9", mpt_tile, w.x, 9, w.extents({1, 1, 1, 1, 1, 1, 1, 1, 1}), w.out()),
    ROW(Range, "repeats", "[2, -1]", mpt_tile, w.x, 2, w.extents({2, -1}), w.out()),
    ROW(Shape, "repeats", "[2, 4611686018427387904]", mpt_tile, w.x, 2, w.extents({2, kHuge}), w.out()),
    STEPS("mpt_tile", Dtype, "x", "is f8e4m3", net::Tensor t = of(w, MPT_F8E4M3, {2}); return mpt_tile(t, 1, w.extents({2}), w.out())),
    ROW(State, "x", "", mpt_tile, w.output, 2, w.extents({1, 2}), w.out()),

    ROW(Null, "x", "", mpt_tril, nullptr, 0, w.out()),
    ROW(Null, "out", "", mpt_tril, w.x, 0, nullptr),
    ROW(Taken, "diagonal", "", mpt_tril, w.x, INT64_MIN, w.out()),
    ROW(Shape, "x", "[4]", mpt_tril, w.row, 0, w.out()),
    ROW(Dtype, "x", "is i32", mpt_tril, w.ints, 0, w.out()),
    ROW(Null, "x", "", mpt_triu, nullptr, 0, w.out()),
    ROW(Null, "out", "", mpt_triu, w.x, 0, nullptr),
    ROW(Taken, "diagonal", "", mpt_triu, w.x, INT64_MAX, w.out()),
    ROW(Shape, "x", "[]", mpt_triu, w.scalar, 0, w.out()),
    ROW(Dtype, "x", "is bool", mpt_triu, w.bools, 0, w.out()),

    ROW(Null, "tensor", "", mpt_tensor_fill_range, nullptr, 0, 1),
    ROW(Taken, "start", "", mpt_tensor_fill_range, w.x, NAN, 1),
    ROW(Taken, "step", "", mpt_tensor_fill_range, w.ints, 0, INFINITY),
    ROW(Dtype, "tensor", "is bool", mpt_tensor_fill_range, w.bools, 0, 1),
    STEPS("mpt_tensor_fill_range", Dtype, "tensor", "is f8e4m3", net::Tensor t = of(w, MPT_F8E4M3, {2}); return mpt_tensor_fill_range(t, 0, 1)),
    ROW(State, "tensor", "", mpt_tensor_fill_range, w.leaf, 0, 1),
    ROW(State, "tensor", "", mpt_tensor_fill_range, w.output, 0, 1),
};

}  // namespace
