// Convolutions of images and signals, and their transposes.
#include "nn/init.h"
#include "nn/layers.h"
#include "ops/conv.h"
#include "ops/image.h"
#include "ops/ops.h"

namespace mpt {

namespace {

// A filter's own order in memory: the device's. It has many uses, and an order that its products do not like costs each of them a copy.
Dims filter_strides(const Context &ctx, const Dims &shape) { return ctx.device->channels_last() ? channels_innermost(shape) : contiguous(shape); }

class Convolution final : public OneToOne {
public:
    using Rule = std::function<Ref<Tensor>(const Ref<Tensor> &x, const Ref<Tensor> &weight, const Ref<Tensor> &bias)>;

    Convolution(Context &context, mpt_dtype dtype, const Dims &weight, std::int64_t out_channels, bool biased, mpt_init init, Rule rule)
        : OneToOne(context), rule_(std::move(rule)), weight_(new_tensor(context, dtype, weight, filter_strides(context, weight))) {
        initialize(weight_, init);
        own("weight", weight_);
        if (!biased) return;
        bias_ = new_tensor(context, dtype, {out_channels});
        initialize_bias(bias_, *weight_, init);
        own("bias", bias_);
    }

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return rule_(x, weight_, bias_); }
    const Rule rule_;
    const Ref<Tensor> weight_;
    Ref<Tensor> bias_;
};

mpt_attrs_conv2d attrs_of(const mpt_conv2d_desc &d) {
    return {{d.stride_h, d.stride_w}, {d.padding_h, d.padding_w}, {d.dilation_h, d.dilation_w}, d.groups, 0};
}
mpt_attrs_conv2d attrs_of(const mpt_conv1d_desc &d) { return {{1, d.stride}, {0, d.padding}, {1, d.dilation}, d.groups, 0}; }

}  // namespace

Ref<mpt_layer> new_conv2d(Context &ctx, const mpt_conv2d_desc &d) {
    return make<Convolution>(ctx, d.dtype, Dims{d.out_channels, d.in_channels / d.groups, d.kernel_h, d.kernel_w}, d.out_channels, !d.no_bias, d.init,
                             [a = attrs_of(d)](const Ref<Tensor> &x, const Ref<Tensor> &w, const Ref<Tensor> &b) { return ops::conv2d(x, w, b, a); });
}

Ref<mpt_layer> new_conv_transpose2d(Context &ctx, const mpt_conv2d_desc &d) {
    const ops::ConvTranspose how{attrs_of(d), {d.output_padding_h, d.output_padding_w}};
    return make<Convolution>(ctx, d.dtype, Dims{d.in_channels, d.out_channels / d.groups, d.kernel_h, d.kernel_w}, d.out_channels, !d.no_bias, d.init,
                             [how](const Ref<Tensor> &x, const Ref<Tensor> &w, const Ref<Tensor> &b) { return ops::conv_transpose2d(x, w, b, how); });
}

Ref<mpt_layer> new_conv1d(Context &ctx, const mpt_conv1d_desc &d) {
    return make<Convolution>(ctx, d.dtype, Dims{d.out_channels, d.in_channels / d.groups, d.kernel}, d.out_channels, !d.no_bias, d.init,
                             [a = attrs_of(d)](const Ref<Tensor> &x, const Ref<Tensor> &w, const Ref<Tensor> &b) { return ops::conv1d(x, w, b, a); });
}

Ref<mpt_layer> new_conv_transpose1d(Context &ctx, const mpt_conv1d_desc &d) {
    const ops::ConvTranspose how{attrs_of(d), {0, d.output_padding}};
    return make<Convolution>(ctx, d.dtype, Dims{d.in_channels, d.out_channels / d.groups, d.kernel}, d.out_channels, !d.no_bias, d.init,
                             [how](const Ref<Tensor> &x, const Ref<Tensor> &w, const Ref<Tensor> &b) { return ops::conv_transpose1d(x, w, b, how); });
}

}  // namespace mpt
