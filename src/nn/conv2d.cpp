#include "nn/init.h"
#include "nn/layer.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class Conv2d final : public OneToOne {
public:
    Conv2d(Context &context, const mpt_conv2d_desc &d)
        : OneToOne(context), attrs_{{d.stride_h, d.stride_w}, {d.padding_h, d.padding_w}, {d.dilation_h, d.dilation_w}, d.groups, 0} {
        weight_ = new_tensor(context, d.dtype, {d.out_channels, d.in_channels / d.groups, d.kernel_h, d.kernel_w});
        initialize(weight_, d.init);
        if (!d.no_bias) {
            bias_ = new_tensor(context, d.dtype, {d.out_channels});
            initialize_bias(bias_, *weight_, d.init);
        }
        own("weight", weight_);
        if (bias_) own("bias", bias_);
    }

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return ops::conv2d(x, weight_, bias_, attrs_); }
    const mpt_attrs_conv2d attrs_;
    Ref<Tensor> weight_, bias_;
};

}  // namespace

Ref<mpt_layer> new_conv2d(Context &ctx, const mpt_conv2d_desc &desc) { return make<Conv2d>(ctx, desc); }

}  // namespace mpt
