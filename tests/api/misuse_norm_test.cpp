#include "api/misuse.h"

namespace {

net::Tensor of(misuse::World &w, mpt_dtype dtype, const std::vector<std::int64_t> &shape) {
    net::Tensor t = net::tensor(w.ctx, dtype, shape);
    MUST(mpt_tensor_fill(t, 1));
    return t;
}

// function(vector): w.x is [2, 3].
#define VECTOR_ROWS(name, function, call) \
    STEPS(#function, Foreign, name, "", mpt_tensor *v = w.other.row; return call), \
    STEPS(#function, State, name, "", mpt_tensor *v = w.output; return call), \
    STEPS(#function, Shape, name, "[4]", mpt_tensor *v = w.row; return call), \
    STEPS(#function, Shape, name, "[2, 3]", mpt_tensor *v = w.x; return call), \
    STEPS(#function, Dtype, name, "is i64", net::Tensor v = of(w, MPT_I64, {3}); return call), \
    STEPS(#function, Dtype, name, "is f16", net::Tensor v = of(w, MPT_F16, {3}); return call), \
    STEPS(#function, Dtype, name, "is f64", net::Tensor v = of(w, MPT_F64, {3}); return call)

#define EPS_ROWS(function, ...) \
    ROW(Range, "eps", "is -1", function, w.x, __VA_ARGS__, -1, w.out()), \
    ROW(Range, "eps", "is inf", function, w.x, __VA_ARGS__, INFINITY, w.out()), \
    ROW(Range, "eps", "is nan", function, w.x, __VA_ARGS__, NAN, w.out()), \
    ROW(Taken, "eps", "", function, w.x, __VA_ARGS__, 0, w.out())

#define X_ROWS(function, ...) \
    ROW(Null, "x", "", function, nullptr, __VA_ARGS__, w.out()), ROW(Null, "out", "", function, w.x, __VA_ARGS__, nullptr), \
    ROW(State, "x", "", function, w.output, __VA_ARGS__, w.out()), \
    ROW(Dtype, "x", "is i32", function, w.ints, __VA_ARGS__, w.out())

const misuse::Rows rows{
    X_ROWS(mpt_batch_norm, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5),
    EPS_ROWS(mpt_batch_norm, nullptr, nullptr, nullptr, nullptr, 1, 0.1),
    ROW(Taken, "weight", "", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, w.out()),
    ROW(Taken, "bias", "", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, w.out()),
    ROW(Shape, "x", "[4]", mpt_batch_norm, w.row, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, w.out()),
    STEPS("mpt_batch_norm", Shape, "x", "[1, 3]", net::Tensor x = of(w, MPT_F32, {1, 3});
          return mpt_batch_norm(x, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, w.out())),
    STEPS("mpt_batch_norm", Shape, "x", "[0, 3]", net::Tensor x = net::tensor(w.ctx, MPT_F32, {0, 3});
          return mpt_batch_norm(x, nullptr, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, w.out())),
    ROW(Range, "training", "is 2", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 2, 0.1, 1e-5, w.out()),
    ROW(Range, "momentum", "is -0.5", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 1, -0.5, 1e-5, w.out()),
    ROW(Range, "momentum", "is 1.5", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 1, 1.5, 1e-5, w.out()),
    ROW(Range, "momentum", "is nan", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 1, NAN, 1e-5, w.out()),
    ROW(Null, "running_mean", "", mpt_batch_norm, w.x, nullptr, nullptr, nullptr, nullptr, 0, 0.1, 1e-5, w.out()),
    STEPS("mpt_batch_norm", Null, "running_mean", "", net::Tensor v = of(w, MPT_F32, {3});
          return mpt_batch_norm(w.x, nullptr, nullptr, nullptr, v, 1, 0.1, 1e-5, w.out())),
    STEPS("mpt_batch_norm", Null, "running_var", "", net::Tensor v = of(w, MPT_F32, {3});
          return mpt_batch_norm(w.x, nullptr, nullptr, v, nullptr, 1, 0.1, 1e-5, w.out())),
    STEPS("mpt_batch_norm", State, "running_var", "gradients", net::Tensor m = of(w, MPT_F32, {3});
          net::Tensor v = of(w, MPT_F32, {3}); MUST(mpt_tensor_set_requires_grad(v, 1));
          return mpt_batch_norm(w.x, nullptr, nullptr, m, v, 1, 0.1, 1e-5, w.out())),
    VECTOR_ROWS("weight", mpt_batch_norm, mpt_batch_norm(w.x, v, nullptr, nullptr, nullptr, 1, 0.1, 1e-5, w.out())),
    VECTOR_ROWS("bias", mpt_batch_norm, mpt_batch_norm(w.x, nullptr, v, nullptr, nullptr, 1, 0.1, 1e-5, w.out())),
    VECTOR_ROWS("running_mean", mpt_batch_norm,
                (mpt_batch_norm(w.x, nullptr, nullptr, v, of(w, MPT_F32, {3}), 1, 0.1, 1e-5, w.out()))),
    VECTOR_ROWS("running_var", mpt_batch_norm,
                (mpt_batch_norm(w.x, nullptr, nullptr, of(w, MPT_F32, {3}), v, 0, 0.1, 1e-5, w.out()))),

    X_ROWS(mpt_layer_norm, 1, nullptr, nullptr, 1e-5), EPS_ROWS(mpt_layer_norm, 1, nullptr, nullptr),
    ROW(Taken, "weight", "", mpt_layer_norm, w.x, 1, nullptr, nullptr, 1e-5, w.out()),
    ROW(Taken, "bias", "", mpt_layer_norm, w.x, 1, nullptr, nullptr, 1e-5, w.out()),
    ROW(Range, "ndims", "is 0", mpt_layer_norm, w.x, 0, nullptr, nullptr, 1e-5, w.out()),
    ROW(Range, "ndims", "is 3", mpt_layer_norm, w.x, 3, nullptr, nullptr, 1e-5, w.out()),
    ROW(Range, "ndims", "is -1", mpt_layer_norm, w.x, -1, nullptr, nullptr, 1e-5, w.out()),
    ROW(Range, "ndims", "is 1", mpt_layer_norm, w.scalar, 1, nullptr, nullptr, 1e-5, w.out()),
    ROW(Taken, "ndims", "", mpt_layer_norm, w.x, 2, nullptr, nullptr, 1e-5, w.out()),
    VECTOR_ROWS("weight", mpt_layer_norm, mpt_layer_norm(w.x, 1, v, nullptr, 1e-5, w.out())),
    VECTOR_ROWS("bias", mpt_layer_norm, mpt_layer_norm(w.x, 1, nullptr, v, 1e-5, w.out())),

    X_ROWS(mpt_rms_norm, nullptr, 1e-5), EPS_ROWS(mpt_rms_norm, nullptr),
    ROW(Taken, "weight", "", mpt_rms_norm, w.x, nullptr, 1e-5, w.out()),
    ROW(Shape, "x", "[]", mpt_rms_norm, w.scalar, nullptr, 1e-5, w.out()),
    VECTOR_ROWS("weight", mpt_rms_norm, mpt_rms_norm(w.x, v, 1e-5, w.out())),

    X_ROWS(mpt_group_norm, 3, nullptr, nullptr, 1e-5), EPS_ROWS(mpt_group_norm, 3, nullptr, nullptr),
    ROW(Taken, "weight", "", mpt_group_norm, w.x, 1, nullptr, nullptr, 1e-5, w.out()),
    ROW(Taken, "bias", "", mpt_group_norm, w.x, 1, nullptr, nullptr, 1e-5, w.out()),
    ROW(Range, "groups", "is 0", mpt_group_norm, w.x, 0, nullptr, nullptr, 1e-5, w.out()),
    ROW(Range, "groups", "is -3", mpt_group_norm, w.x, -3, nullptr, nullptr, 1e-5, w.out()),
    ROW(Shape, "x", "groups = 2", mpt_group_norm, w.x, 2, nullptr, nullptr, 1e-5, w.out()),
    ROW(Shape, "x", "[4]", mpt_group_norm, w.row, 1, nullptr, nullptr, 1e-5, w.out()),
    VECTOR_ROWS("weight", mpt_group_norm, mpt_group_norm(w.x, 3, v, nullptr, 1e-5, w.out())),
    VECTOR_ROWS("bias", mpt_group_norm, mpt_group_norm(w.x, 3, nullptr, v, 1e-5, w.out())),

    X_ROWS(mpt_instance_norm, nullptr, nullptr, 1e-5), EPS_ROWS(mpt_instance_norm, nullptr, nullptr),
    ROW(Taken, "weight", "", mpt_instance_norm, w.x, nullptr, nullptr, 1e-5, w.out()),
    ROW(Taken, "bias", "", mpt_instance_norm, w.x, nullptr, nullptr, 1e-5, w.out()),
    ROW(Shape, "x", "[4]", mpt_instance_norm, w.row, nullptr, nullptr, 1e-5, w.out()),
    VECTOR_ROWS("weight", mpt_instance_norm, mpt_instance_norm(w.x, v, nullptr, 1e-5, w.out())),
    VECTOR_ROWS("bias", mpt_instance_norm, mpt_instance_norm(w.x, nullptr, v, 1e-5, w.out())),

    X_ROWS(mpt_dropout, 0.5), ROW(Range, "p", "is 1", mpt_dropout, w.x, 1, w.out()),
    ROW(Range, "p", "is -0.5", mpt_dropout, w.x, -0.5, w.out()), ROW(Range, "p", "is nan", mpt_dropout, w.x, NAN, w.out()),
    ROW(Taken, "p", "", mpt_dropout, w.x, 0, w.out()),
};

}  // namespace
