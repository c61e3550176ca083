#include "nn/layer.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class Relu final : public OneToOne {
public:
    using OneToOne::OneToOne;

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return ops::unary(x, MPT_UNARY_RELU); }
};

}  // namespace

Ref<mpt_layer> new_relu(Context &ctx) { return make<Relu>(ctx); }

}  // namespace mpt
