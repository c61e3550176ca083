// What the tables of the losses share.
#pragma once

#include <vector>

#include "ops/op_test.h"
#include "ops/reference.h"

namespace test {

// A tensor that is no leaf of the case, so that the shared body asks for no gradient of it: scale * integers + shift, exact in
// every format.
inline Tensor constant(mpt_tensor *integers, mpt_dtype dtype, double scale, double shift) {
    Tensor x, y;
    MUST(mpt_cast(integers, dtype, x.out()));
    MUST(mpt_affine(x, scale, shift, y.out()));
    return y;
}

// The losses of rows or elements, reduced. counted: what MEAN divides by.
inline Values reduced(const Values &losses, mpt_reduction reduction, double counted) {
    if (reduction == MPT_REDUCTION_NONE) return losses;
    long double sum = 0;
    for (double x : losses.data) sum += x;
    const double by = reduction == MPT_REDUCTION_MEAN         ? counted
                      : reduction == MPT_REDUCTION_BATCH_MEAN ? static_cast<double>(losses.shape[0])
                                                              : 1;
    return {{}, {static_cast<double>(sum) / by}};
}
inline Values reduced(const Values &losses, mpt_reduction reduction) {
    return reduced(losses, reduction, static_cast<double>(losses.data.size()));
}

// The gradients of the sum of a loss's elements in these leaves.
inline std::vector<std::vector<double>> gradients(mpt_context *ctx, mpt_tensor *loss, const std::vector<mpt_tensor *> &leaves) {
    const Tensor seed = create(ctx, dtype_of(loss), shape_of(loss));
    MUST(mpt_tensor_fill(seed, 1));
    mpt_tensor *start = seed;
    MUST(mpt_backward_from(&loss, &start, 1, MPT_GRAD_WRITE));
    std::vector<std::vector<double>> all;
    for (mpt_tensor *leaf : leaves) all.push_back(read(gradient(leaf)));
    return all;
}
inline Tensor leaf(mpt_context *ctx, mpt_dtype dtype, const Values &values) {
    Tensor x = make(ctx, dtype, values);
    MUST(mpt_tensor_set_requires_grad(x, 1));
    return x;
}

inline void expect_near(const std::vector<double> &got, const std::vector<double> &expected, double bound, const char *what) {
    ASSERT_EQ(got.size(), expected.size()) << what;
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], bound) << what << ", element " << i;
}

}  // namespace test
