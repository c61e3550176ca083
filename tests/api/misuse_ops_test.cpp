#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

const misuse::Rows rows{
    ROW(Null, "a", "", mpt_matmul, nullptr, w.row, w.out()),
    ROW(Null, "b", "", mpt_matmul, w.x, nullptr, w.out()),
    ROW(Null, "out", "", mpt_matmul, w.x, w.x, nullptr),
    ROW(Foreign, "b", "", mpt_matmul, w.x, w.other.x, w.out()),
    ROW(Shape, "b", "[2, 3]", mpt_matmul, w.x, w.x, w.out()),
    ROW(Shape, "a", "[4]", mpt_matmul, w.row, w.weight, w.out()),
    ROW(Shape, "b", "[4]", mpt_matmul, w.weight, w.row, w.out()),
    STEPS("mpt_matmul", Shape, "b", "[3, 2, 2]", net::Tensor a = of(w, MPT_F32, {2, 2, 2}); net::Tensor b = of(w, MPT_F32, {3, 2, 2});
          return mpt_matmul(a, b, w.out())),
    STEPS("mpt_matmul", Dtype, "a", "is i32", net::Tensor b = of(w, MPT_I32, {3, 2}); return mpt_matmul(w.ints, b, w.out())),
    STEPS("mpt_matmul", Dtype, "b", "is i32", net::Tensor b = of(w, MPT_I32, {3, 2}); return mpt_matmul(w.x, b, w.out())),
    STEPS("mpt_matmul", Taken, "b", "", net::Tensor b = of(w, MPT_F16, {3, 2}); return mpt_matmul(w.x, b, w.out())),

    ROW(Null, "x", "", mpt_linear, nullptr, w.weight, nullptr, w.out()),
    ROW(Null, "weight", "", mpt_linear, w.x, nullptr, nullptr, w.out()),
    ROW(Taken, "bias", "", mpt_linear, w.x, w.weight, nullptr, w.out()),
    ROW(Null, "out", "", mpt_linear, w.x, w.weight, nullptr, nullptr),
    ROW(Foreign, "weight", "", mpt_linear, w.x, w.other.weight, nullptr, w.out()),
    ROW(Foreign, "bias", "", mpt_linear, w.x, w.weight, w.other.row, w.out()),
    ROW(Shape, "weight", "[1, 2, 6, 6]", mpt_linear, w.weight, w.image, nullptr, w.out()),
    ROW(Shape, "weight", "[4]", mpt_linear, w.x, w.row, nullptr, w.out()),
    ROW(Shape, "x", "[4]", mpt_linear, w.row, w.weight, nullptr, w.out()),
    ROW(Shape, "x", "[]", mpt_linear, w.scalar, w.weight, nullptr, w.out()),
    ROW(Shape, "bias", "[2, 3]", mpt_linear, w.x, w.weight, w.x, w.out()),
    ROW(Dtype, "x", "is i32", mpt_linear, w.ints, w.weight, nullptr, w.out()),
    ROW(Dtype, "weight", "is i32", mpt_linear, w.x, w.ints, nullptr, w.out()),
    ROW(Dtype, "bias", "is i64", mpt_linear, w.x, w.x, w.labels, w.out()),
    ROW(State, "bias", "", mpt_linear, w.x, w.weight, w.output, w.out()),

};

}  // namespace
