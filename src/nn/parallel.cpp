#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "nn/layers.h"
#include "ops/ops.h"
#include "ops/shape.h"

namespace mpt {

namespace {

class Parallel final : public mpt_layer {
public:
    Parallel(Context &context, mpt_join join, int dim) : mpt_layer(context), join_(join), dim_(dim) {}
    void add(const std::string &name, const Ref<mpt_layer> &child) override { adopt(name, child); }

private:
    Tensors forward(const Tensors &inputs, std::size_t wanted) override {
        if (children_.empty()) fail(MPT_ERROR_STATE, "the parallel container is empty: call mpt_layer_add");
        if (join_ == MPT_JOIN_LIST && wanted != children_.size())
            fail(MPT_ERROR_ARGUMENT, "the parallel container lists the outputs of its ", children_.size(), " children, but where it runs ", wanted,
                 wanted == 1 ? " is" : " are", " taken: take them all, or join them with MPT_JOIN_SUM or MPT_JOIN_CONCAT");
        Tensors results;
        for (const auto &[name, child] : children_) results.push_back(run_child(name, *child, inputs)[0]);
        if (join_ == MPT_JOIN_LIST) return results;
        if (join_ == MPT_JOIN_CONCAT) return {ops::concat(results, dimension(*results[0]))};
        Ref<Tensor> sum = results[0];
        for (std::size_t i = 1; i < results.size(); ++i) {
            if (!(results[i]->shape == sum->shape))
                fail(MPT_ERROR_SHAPE, "the parallel container sums up, but its child '", children_[0].first, "' gives shape ", sum->shape, " and '", children_[i].first, "' ",
                     results[i]->shape, ": give children whose outputs have one shape");
            sum = ops::binary(sum, results[i], MPT_BINARY_ADD);
        }
        return {sum};
    }

    int dimension(const Tensor &x) const {
        const int dim = dim_ < 0 ? dim_ + x.shape.n : dim_;
        if (dim < 0 || dim >= x.shape.n) fail(MPT_ERROR_SHAPE, "the parallel container joins along dimension ", dim_, ", but its children give shape ", x.shape);
        return dim;
    }

    const mpt_join join_;
    const int dim_;
};

}  // namespace

Ref<mpt_layer> new_parallel(Context &ctx, mpt_join join, int dim) { return make<Parallel>(ctx, join, dim); }

}  // namespace mpt
