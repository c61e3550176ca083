#include "nn/layer.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class MaxPool2d final : public OneToOne {
public:
    MaxPool2d(Context &context, const mpt_attrs_pool2d &attrs) : OneToOne(context), attrs_(attrs) {}

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return ops::max_pool2d(x, attrs_); }
    const mpt_attrs_pool2d attrs_;
};

}  // namespace

Ref<mpt_layer> new_max_pool2d(Context &ctx, const mpt_attrs_pool2d &attrs) { return make<MaxPool2d>(ctx, attrs); }

}  // namespace mpt
