#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) { return net::tensor(w.ctx, dtype, shape); }

const misuse::Rows rows{
    ROW(Null, "x", "", mpt_index_select, nullptr, 0, w.labels, w.out()),
    ROW(Null, "index", "", mpt_index_select, w.x, 0, nullptr, w.out()),
    ROW(Null, "out", "", mpt_index_select, w.x, 0, w.labels, nullptr),
    ROW(Foreign, "index", "", mpt_index_select, w.x, 0, w.other.labels, w.out()),
    ROW(Range, "dim", "is 2", mpt_index_select, w.x, 2, w.labels, w.out()),
    ROW(Range, "dim", "is 0", mpt_index_select, w.scalar, 0, w.labels, w.out()),
    ROW(Dtype, "index", "is f32", mpt_index_select, w.x, 0, w.row, w.out()),
    ROW(Shape, "index", "[2, 3]", mpt_index_select, w.x, 0, w.ints, w.out()),
    STEPS("mpt_index_select", Dtype, "x", "is f8e4m3", net::Tensor t = of(w, MPT_F8E4M3, {2}); return mpt_index_select(t, 0, w.labels, w.out())),
    ROW(State, "x", "", mpt_index_select, w.output, 0, w.labels, w.out()),

    ROW(Null, "x", "", mpt_gather, nullptr, 0, w.ints, w.out()),
    ROW(Null, "index", "", mpt_gather, w.x, 0, nullptr, w.out()),
    ROW(Null, "out", "", mpt_gather, w.x, 0, w.ints, nullptr),
    ROW(Foreign, "index", "", mpt_gather, w.x, 0, w.other.ints, w.out()),
    ROW(Range, "dim", "is -3", mpt_gather, w.x, -3, w.ints, w.out()),
    ROW(Dtype, "index", "is f32", mpt_gather, w.x, 0, w.x, w.out()),
    ROW(Shape, "index", "[2]", mpt_gather, w.x, 0, w.labels, w.out()),
    STEPS("mpt_gather", Shape, "index", "[2, 4]", net::Tensor i = of(w, MPT_I64, {2, 4}); return mpt_gather(w.x, 0, i, w.out())),
    STEPS("mpt_gather", Dtype, "x", "is f8e4m3", net::Tensor t = of(w, MPT_F8E4M3, {2, 3}); return mpt_gather(t, 0, w.ints, w.out())),

    ROW(Null, "x", "", mpt_scatter_add, nullptr, 0, w.ints, w.x, w.out()),
    ROW(Null, "index", "", mpt_scatter_add, w.x, 0, nullptr, w.x, w.out()),
    ROW(Null, "src", "", mpt_scatter_add, w.x, 0, w.ints, nullptr, w.out()),
    ROW(Null, "out", "", mpt_scatter_add, w.x, 0, w.ints, w.x, nullptr),
    ROW(Foreign, "index", "", mpt_scatter_add, w.x, 0, w.other.ints, w.x, w.out()),
    ROW(Foreign, "src", "", mpt_scatter_add, w.x, 0, w.ints, w.other.x, w.out()),
    ROW(Range, "dim", "is 2", mpt_scatter_add, w.x, 2, w.ints, w.x, w.out()),
    ROW(Dtype, "index", "is f32", mpt_scatter_add, w.x, 0, w.x, w.x, w.out()),
    ROW(Dtype, "x", "is i32", mpt_scatter_add, w.ints, 0, w.ints, w.ints, w.out()),
    ROW(Dtype, "src", "is i32", mpt_scatter_add, w.x, 0, w.ints, w.ints, w.out()),
    ROW(Taken, "src", "", mpt_scatter_add, w.x, 0, w.ints, w.half, w.out()),
    ROW(Shape, "index", "[2]", mpt_scatter_add, w.x, 0, w.labels, w.x, w.out()),
    ROW(Shape, "src", "[4]", mpt_scatter_add, w.x, 0, w.ints, w.row, w.out()),

    ROW(Null, "index", "", mpt_one_hot, nullptr, 3, MPT_F32, w.out()),
    ROW(Null, "out", "", mpt_one_hot, w.labels, 3, MPT_F32, nullptr),
    ROW(Range, "classes", "is -1", mpt_one_hot, w.labels, -1, MPT_F32, w.out()),
    ROW(Taken, "classes", "", mpt_one_hot, w.labels, 0, MPT_F32, w.out()),
    ROW(Dtype, "dtype", "is 99", mpt_one_hot, w.labels, 3, static_cast<mpt_dtype>(99), w.out()),
    ROW(Dtype, "dtype", "is f8e4m3", mpt_one_hot, w.labels, 3, MPT_F8E4M3, w.out()),
    ROW(Dtype, "index", "is f32", mpt_one_hot, w.row, 3, MPT_F32, w.out()),
    STEPS("mpt_one_hot", Shape, "index", "[1, 1, 1, 1, 1, 1, 1, 1]", net::Tensor i = of(w, MPT_I64, {1, 1, 1, 1, 1, 1, 1, 1});
          return mpt_one_hot(i, 3, MPT_F32, w.out())),
    ROW(Shape, "", "4611686018427387904", mpt_one_hot, w.labels, std::int64_t(1) << 62, MPT_F32, w.out()),

    ROW(Null, "index", "", mpt_embedding, nullptr, w.weight, -1, w.out()),
    ROW(Null, "weight", "", mpt_embedding, w.labels, nullptr, -1, w.out()),
    ROW(Null, "out", "", mpt_embedding, w.labels, w.weight, -1, nullptr),
    ROW(Foreign, "weight", "", mpt_embedding, w.labels, w.other.weight, -1, w.out()),
    ROW(Range, "padding_index", "is -2", mpt_embedding, w.labels, w.weight, -2, w.out()),
    ROW(Range, "padding_index", "is 4", mpt_embedding, w.labels, w.weight, 4, w.out()),
    ROW(Taken, "padding_index", "", mpt_embedding, w.labels, w.weight, 3, w.out()),
    ROW(Dtype, "index", "is f32", mpt_embedding, w.row, w.weight, -1, w.out()),
    ROW(Dtype, "weight", "is i32", mpt_embedding, w.labels, w.ints, -1, w.out()),
    ROW(Shape, "weight", "[4]", mpt_embedding, w.labels, w.row, -1, w.out()),
    STEPS("mpt_embedding", Shape, "index", "[1, 1, 1, 1, 1, 1, 1, 1]", net::Tensor i = of(w, MPT_I64, {1, 1, 1, 1, 1, 1, 1, 1});
          return mpt_embedding(i, w.weight, -1, w.out())),
    ROW(State, "weight", "", mpt_embedding, w.labels, w.output, -1, w.out()),
};

}  // namespace
