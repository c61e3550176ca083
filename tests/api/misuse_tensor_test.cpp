#include "api/misuse.h"

#include <cmath>

namespace {

constexpr mpt_dtype kUnknown = static_cast<mpt_dtype>(99);

// A view of half of x's columns, whose elements are not adjacent.
net::Tensor columns(misuse::World &w) {
    net::Tensor view;
    MUST(mpt_slice(w.x, 1, 0, 1, view.out()));
    return view;
}

const misuse::Rows rows{
    ROW(Null, "ctx", "", mpt_tensor_create, nullptr, MPT_F32, 2, w.extents({2, 3}), w.out()),
    ROW(Dtype, "dtype", "is 99", mpt_tensor_create, w.ctx, kUnknown, 2, w.extents({2, 3}), w.out()),
    ROW(Dtype, "dtype", "is 0", mpt_tensor_create, w.ctx, MPT_DTYPE_NONE, 2, w.extents({2, 3}), w.out()),
    ROW(Range, "ndim", "is -1", mpt_tensor_create, w.ctx, MPT_F32, -1, w.extents({2, 3}), w.out()),
    ROW(Range, "ndim", "is 9", mpt_tensor_create, w.ctx, MPT_F32, 9, w.extents({1, 1, 1, 1, 1, 1, 1, 1, 1}), w.out()),
    ROW(Null, "shape", "", mpt_tensor_create, w.ctx, MPT_F32, 2, nullptr, w.out()),
    ROW(Taken, "shape", "", mpt_tensor_create, w.ctx, MPT_F32, 0, nullptr, w.out()),
    ROW(Taken, "shape", "", mpt_tensor_create, w.ctx, MPT_F32, 2, w.extents({0, 3}), w.out()),
    // Strides are made of the extents around a zero, so these must not overflow either.
    ROW(Shape, "shape", "[0, 9223372036854775807]", mpt_tensor_create, w.ctx, MPT_F32, 2, w.extents({0, INT64_MAX}), w.out()),
    ROW(Shape, "shape", "[2, -3]", mpt_tensor_create, w.ctx, MPT_F32, 2, w.extents({2, -3}), w.out()),
    ROW(Shape, "shape", "[4611686018427387904, 4]", mpt_tensor_create, w.ctx, MPT_F32, 2, w.extents({int64_t(1) << 62, 4}), w.out()),
    ROW_IS(MPT_ERROR_MEMORY, "", "4398046511104 bytes", mpt_tensor_create, w.ctx, MPT_F32, 1, w.extents({int64_t(1) << 40}), w.out()),
    ROW(Null, "out", "", mpt_tensor_create, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr),

    ROW(Null, "ctx", "", mpt_tensor_wrap, nullptr, MPT_F32, 2, w.extents({2, 3}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Dtype, "dtype", "is 99", mpt_tensor_wrap, w.ctx, kUnknown, 2, w.extents({2, 3}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Range, "ndim", "is 9", mpt_tensor_wrap, w.ctx, MPT_F32, 9, w.extents({1, 1, 1, 1, 1, 1, 1, 1, 1}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Range, "ndim", "is -2", mpt_tensor_wrap, w.ctx, MPT_F32, -2, w.extents({2, 3}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Null, "shape", "", mpt_tensor_wrap, w.ctx, MPT_F32, 2, nullptr, nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Shape, "shape", "[-2, 3]", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({-2, 3}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Taken, "strides", "", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Range, "strides", "[3, -1]", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), w.extents({3, -1}), w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Range, "strides", "[9223372036854775807, 1]", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({3, 3}), w.extents({INT64_MAX, 1}), w.memory, 24,
        nullptr, nullptr, w.out()),
    ROW(Null, "data", "", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr, nullptr, 24, nullptr, nullptr, w.out()),
    ROW(Taken, "data", "", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({0, 3}), nullptr, nullptr, 0, nullptr, nullptr, w.out()),
    ROW(Range, "data", "4 bytes of f32", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr, reinterpret_cast<char *>(w.memory) + 1, 24, nullptr,
        nullptr, w.out()),
    ROW(Range, "nbytes", "is 23", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr, w.memory, 23, nullptr, nullptr, w.out()),
    ROW(Range, "nbytes", "is 24", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), w.extents({4, 1}), w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Taken, "release", "", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr, w.memory, 24, nullptr, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_wrap, w.ctx, MPT_F32, 2, w.extents({2, 3}), nullptr, w.memory, 24, nullptr, nullptr, nullptr),

    ROW(Null, "tensor", "", mpt_tensor_dtype, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_dtype, w.x, nullptr),
    ROW(Null, "tensor", "", mpt_tensor_ndim, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_ndim, w.x, nullptr),
    ROW(Null, "tensor", "", mpt_tensor_numel, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_numel, w.x, nullptr),
    ROW(Null, "tensor", "", mpt_tensor_shape, nullptr, w.out(), 2),
    ROW(Null, "out", "", mpt_tensor_shape, w.x, nullptr, 2),
    ROW(Taken, "out", "", mpt_tensor_shape, w.scalar, nullptr, 0),
    ROW(Range, "capacity", "is 1", mpt_tensor_shape, w.x, w.out(), 1),
    ROW(Range, "capacity", "is -1", mpt_tensor_shape, w.scalar, w.out(), -1),
    ROW(Null, "tensor", "", mpt_tensor_strides, nullptr, w.out(), 2),
    ROW(Null, "out", "", mpt_tensor_strides, w.x, nullptr, 2),
    ROW(Range, "capacity", "is 1", mpt_tensor_strides, w.x, w.out(), 1),
    ROW(Range, "capacity", "is -1", mpt_tensor_strides, w.scalar, w.out(), -1),
    ROW(Null, "tensor", "", mpt_tensor_data, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_data, w.x, nullptr),
    STEPS("mpt_tensor_data", State, "tensor", "", w.capture(); return mpt_tensor_data(w.doubled(), w.out())),

    ROW(Null, "tensor", "", mpt_tensor_write, nullptr, w.memory, 24),
    ROW(Null, "data", "", mpt_tensor_write, w.x, nullptr, 24),
    ROW(Shape, "nbytes", "is 23", mpt_tensor_write, w.x, w.memory, 23),
    ROW(Shape, "nbytes", "is 24", mpt_tensor_write, w.half, w.memory, 24),
    ROW(State, "tensor", "", mpt_tensor_write, w.leaf, w.memory, 24),
    ROW(State, "tensor", "", mpt_tensor_write, w.output, w.memory, 24),
    ROW(Capture, "", "", mpt_tensor_write, w.x, w.memory, 24),
    ROW(Null, "tensor", "", mpt_tensor_read, nullptr, w.out(), 24),
    ROW(Null, "data", "", mpt_tensor_read, w.x, nullptr, 24),
    ROW(Shape, "nbytes", "is 25", mpt_tensor_read, w.x, w.out(), 25),
    ROW(State, "tensor", "", mpt_tensor_read, w.output, w.out(), 24),
    STEPS("mpt_tensor_read", State, "tensor", "", mpt_tensor *born = w.capture().doubled(); MUST(mpt_capture_abort(w.ctx));
          return mpt_tensor_read(born, w.out(), 24)),
    ROW(Capture, "", "", mpt_tensor_read, w.x, w.out(), 24),
    ROW(Null, "tensor", "", mpt_tensor_item, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_item, w.scalar, nullptr),
    ROW(Shape, "tensor", "[2, 3]", mpt_tensor_item, w.x, w.out()),
    ROW(State, "tensor", "", mpt_tensor_item, w.output, w.out()),
    ROW(Capture, "", "", mpt_tensor_item, w.scalar, w.out()),

    ROW(Null, "tensor", "", mpt_tensor_fill, nullptr, 1),
    ROW(Taken, "value", "", mpt_tensor_fill, w.x, NAN),
    ROW(State, "tensor", "", mpt_tensor_fill, w.leaf, 1),
    ROW(State, "tensor", "", mpt_tensor_fill, w.output, 1),
    ROW(Null, "tensor", "", mpt_tensor_random_uniform, nullptr, 0, 1),
    ROW(Dtype, "tensor", "is i32", mpt_tensor_random_uniform, w.ints, 0, 1),
    ROW(State, "tensor", "", mpt_tensor_random_uniform, w.leaf, 0, 1),
    ROW(Range, "low", "2 and 1", mpt_tensor_random_uniform, w.x, 2, 1),
    ROW(Range, "low", "nan", mpt_tensor_random_uniform, w.x, NAN, 1),
    ROW(Range, "low", "-inf", mpt_tensor_random_uniform, w.x, -INFINITY, 1),
    ROW(Range, "high", "inf", mpt_tensor_random_uniform, w.x, 0, INFINITY),
    ROW(Null, "tensor", "", mpt_tensor_random_normal, nullptr, 0, 1),
    ROW(Dtype, "tensor", "is i32", mpt_tensor_random_normal, w.ints, 0, 1),
    ROW(State, "tensor", "", mpt_tensor_random_normal, w.leaf, 0, 1),
    ROW(Range, "mean", "nan", mpt_tensor_random_normal, w.x, NAN, 1),
    ROW(Range, "std", "is -1", mpt_tensor_random_normal, w.x, 0, -1),
    ROW(Range, "std", "inf", mpt_tensor_random_normal, w.x, 0, INFINITY),
    ROW(Null, "tensor", "", mpt_tensor_init, nullptr, MPT_INIT_DEFAULT),
    ROW(Dtype, "tensor", "is i32", mpt_tensor_init, w.ints, MPT_INIT_DEFAULT),
    ROW(Shape, "tensor", "[4]", mpt_tensor_init, w.row, MPT_INIT_DEFAULT),
    ROW(Range, "init", "is 77", mpt_tensor_init, w.x, static_cast<mpt_init>(77)),
    ROW(Null, "tensor", "", mpt_tensor_copy, nullptr, w.x),
    ROW(Null, "src", "", mpt_tensor_copy, w.x, nullptr),
    ROW(Foreign, "src", "", mpt_tensor_copy, w.x, w.other.x),
    ROW(Shape, "src", "[4]", mpt_tensor_copy, w.x, w.row),
    ROW(State, "src", "", mpt_tensor_copy, w.x, w.output),
    ROW(State, "tensor", "", mpt_tensor_copy, w.leaf, w.x),
    ROW(Null, "tensor", "", mpt_tensor_mark_modified, nullptr),
    ROW(State, "tensor", "", mpt_tensor_mark_modified, w.output),
    ROW(Capture, "", "", mpt_tensor_mark_modified, w.x),

    ROW(Null, "tensor", "", mpt_tensor_detach, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_detach, w.x, nullptr),
    ROW(Null, "tensor", "", mpt_tensor_set_requires_grad, nullptr, 1),
    ROW(Range, "requires_grad", "is 2", mpt_tensor_set_requires_grad, w.x, 2),
    ROW(Range, "requires_grad", "is -1", mpt_tensor_set_requires_grad, w.x, -1),
    ROW(Dtype, "tensor", "is i32", mpt_tensor_set_requires_grad, w.ints, 1),
    ROW(State, "tensor", "", mpt_tensor_set_requires_grad, w.loss, 1),
    ROW(Null, "tensor", "", mpt_tensor_requires_grad, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_requires_grad, w.x, nullptr),
    ROW(Null, "tensor", "", mpt_tensor_grad, nullptr, w.out()),
    ROW(Null, "out", "", mpt_tensor_grad, w.leaf, nullptr),
    ROW(State, "tensor", "", mpt_tensor_grad, w.x, w.out()),
    ROW(State, "tensor", "", mpt_tensor_grad, w.loss, w.out()),

    STEPS("mpt_program_feed", Shape, "input", "[3, 1]", net::Tensor view = columns(w); return mpt_program_feed(w.program, view, w.memory, 8)),
};

}  // namespace
