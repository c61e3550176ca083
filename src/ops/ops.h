// The ops that others are made of, as functions; families of their own have headers of their own beside this one. Layers, optimizers,
// gradient rules and the C boundary call these; each sends one or more calls down the context's chain.
#pragma once

#include <vector>

#include "ops/emit.h"

struct mpt_attrs_conv2d;  // device/attrs/
struct mpt_attrs_pool2d;

namespace mpt::ops {

// elementwise.cpp
Ref<Tensor> unary(const Ref<Tensor> &x, int kind, double scale = 1, double shift = 0);
Ref<Tensor> binary(const Ref<Tensor> &a, const Ref<Tensor> &b, int kind);
void add_to(const Ref<Tensor> &sum, const Ref<Tensor> &x);  // sum += x, in place
Ref<Tensor> sum_to(const Ref<Tensor> &x, const Dims &shape);  // undoes a broadcast

// reduce.cpp
Ref<Tensor> reduce(const Ref<Tensor> &x, int kind, unsigned dims, bool keep_dims, mpt_dtype result = MPT_DTYPE_NONE, Tensor *into = nullptr);

// view.cpp
Ref<Tensor> reshape(const Ref<Tensor> &x, const Dims &shape);
Ref<Tensor> transpose(const Ref<Tensor> &x, const Dims &order);
Ref<Tensor> transpose_last(const Ref<Tensor> &x);
Ref<Tensor> slice(const Ref<Tensor> &x, int dim, std::int64_t start, std::int64_t length);
Ref<Tensor> expand(const Ref<Tensor> &x, const Dims &shape);

// copy.cpp
Ref<Tensor> cast(const Ref<Tensor> &x, mpt_dtype dtype);
Ref<Tensor> contiguous(const Ref<Tensor> &x);  // x itself where it is
Ref<Tensor> clone(const Ref<Tensor> &x);       // always a copy; dimensions in the same order in memory
void copy_into(const Ref<Tensor> &to, const Ref<Tensor> &from);  // broadcasts, converts

// fill.cpp
void fill(const Ref<Tensor> &x, double value);
void fill_now(const Ref<Tensor> &x, double value);  // also while a capture is open: for state made on the way
Ref<Tensor> full(Context &ctx, mpt_dtype dtype, const Dims &shape, double value);

// random.cpp
void seed(Context &ctx, std::uint64_t seed);
Ref<Tensor> random_state(Context &ctx);  // i64[2]: seed, counter
void random(const Ref<Tensor> &x, int kind, double a, double b);

// matmul.cpp, linear.cpp, conv2d.cpp, max_pool2d.cpp
Ref<Tensor> matmul(const Ref<Tensor> &a, const Ref<Tensor> &b, mpt_dtype result = MPT_DTYPE_NONE, Tensor *into = nullptr);
Ref<Tensor> linear(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias);
Ref<Tensor> conv2d(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias, const mpt_attrs_conv2d &attrs);
Ref<Tensor> max_pool2d(const Ref<Tensor> &x, const mpt_attrs_pool2d &attrs);

// softmax.cpp
Ref<Tensor> softmax(const Ref<Tensor> &x, int dim, bool log);

// Every op there is, for policies that name one and for the printed class lists.
const std::vector<const Op *> &all();

}  // namespace mpt::ops

namespace mpt {

// The gradient's role for the ops emitted in a block.
class RoleScope {
public:
    RoleScope(Context &ctx, mpt_role role) : ctx_(ctx), saved_(ctx.scope.role) { ctx.scope.role = role; }
    ~RoleScope() { ctx_.scope.role = saved_; }
    RoleScope(const RoleScope &) = delete;
    RoleScope &operator=(const RoleScope &) = delete;

private:
    Context &ctx_;
    mpt_role saved_;
};

// A leaf's gradient can take a product's result as it is when it has the type that this product accumulates in.
inline Tensor *wide_target(GradRule &rule, int input) {
    Tensor *target = rule.target(input);
    return target && target->dtype == wide(rule.dout(0)->dtype) ? target : nullptr;
}

}  // namespace mpt
