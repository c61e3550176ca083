#include "nn/init.h"
#include "nn/layers.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class Linear final : public OneToOne {
public:
    Linear(Context &context, const mpt_linear_desc &desc) : OneToOne(context) {
        weight_ = new_tensor(context, desc.dtype, {desc.out_features, desc.in_features});
        initialize(weight_, desc.init);
        if (!desc.no_bias) {
            bias_ = new_tensor(context, desc.dtype, {desc.out_features});
            initialize_bias(bias_, *weight_, desc.init);
        }
        own("weight", weight_);
        if (bias_) own("bias", bias_);
    }

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return ops::linear(x, weight_, bias_); }
    Ref<Tensor> weight_, bias_;
};

}  // namespace

Ref<mpt_layer> new_linear(Context &ctx, const mpt_linear_desc &desc) { return make<Linear>(ctx, desc); }

}  // namespace mpt
