// Linear layers and convolutions.
#include "api/layers.h"

using namespace mpt;

namespace {

mpt_linear_desc default_linear() {
    mpt_linear_desc d = {};
    d.struct_size = sizeof d;
    d.dtype = MPT_F32;
    return d;
}

mpt_conv2d_desc default_conv2d() {
    mpt_conv2d_desc d = {};
    d.struct_size = sizeof d;
    d.kernel_h = d.kernel_w = 3;
    d.stride_h = d.stride_w = d.dilation_h = d.dilation_w = d.groups = 1;
    d.dtype = MPT_F32;
    return d;
}

mpt_conv1d_desc default_conv1d() {
    mpt_conv1d_desc d = {};
    d.struct_size = sizeof d;
    d.kernel = 3;
    d.stride = d.dilation = d.groups = 1;
    d.dtype = MPT_F32;
    return d;
}

void check_channels(std::int64_t in, std::int64_t out, std::int32_t groups) {
    api::at_least(in, 1, "desc", "in_channels");
    api::at_least(out, 1, "desc", "out_channels");
    api::at_least(groups, 1, "desc", "groups");
    if (in % groups != 0 || out % groups != 0)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': in_channels ", in, " and out_channels ", out, " must be multiples of groups ", groups);
}

void check_parameters(mpt_init init, mpt_dtype dtype, std::int32_t no_bias) {
    api::check_parameter_dtype(dtype);
    api::check_init(init);
    api::flag(no_bias, "desc", "no_bias");
}

void check(const mpt_conv2d_desc &d, bool transposed) {
    check_channels(d.in_channels, d.out_channels, d.groups);
    api::at_least(d.kernel_h, 1, "desc", "kernel_h");
    api::at_least(d.kernel_w, 1, "desc", "kernel_w");
    mpt_conv2d_params p = api::default_conv2d();
    p.stride_h = d.stride_h, p.stride_w = d.stride_w;
    p.padding_h = d.padding_h, p.padding_w = d.padding_w;
    p.dilation_h = d.dilation_h, p.dilation_w = d.dilation_w;
    p.groups = d.groups;
    p.output_padding_h = d.output_padding_h, p.output_padding_w = d.output_padding_w;
    api::conv2d_attrs(&p, transposed, "desc");
    check_parameters(d.init, d.dtype, d.no_bias);
    api::need_reserved(d.reserved);
    const std::int64_t first = transposed ? d.in_channels : d.out_channels, second = transposed ? d.out_channels : d.in_channels;
    checked_bytes({first, second / d.groups, d.kernel_h, d.kernel_w}, d.dtype, "argument 'desc': the weight's shape");
}

void check(const mpt_conv1d_desc &d, bool transposed) {
    check_channels(d.in_channels, d.out_channels, d.groups);
    api::at_least(d.kernel, 1, "desc", "kernel");
    mpt_conv1d_params p = api::default_conv1d();
    p.stride = d.stride, p.padding = d.padding, p.dilation = d.dilation, p.groups = d.groups, p.output_padding = d.output_padding;
    api::conv1d_attrs(&p, transposed, "desc");
    check_parameters(d.init, d.dtype, d.no_bias);
    const std::int64_t first = transposed ? d.in_channels : d.out_channels, second = transposed ? d.out_channels : d.in_channels;
    checked_bytes({first, second / d.groups, d.kernel}, d.dtype, "argument 'desc': the weight's shape");
}

}  // namespace

mpt_status MPT_CALL mpt_linear_desc_init(mpt_linear_desc *desc, size_t nbytes) {
    return api::catching("mpt_linear_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_linear(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_linear(mpt_context *ctx, const mpt_linear_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_linear", ctx, desc, default_linear(), out, [](Context &c, const mpt_linear_desc &d) {
        api::at_least(d.in_features, 1, "desc", "in_features");
        api::at_least(d.out_features, 1, "desc", "out_features");
        check_parameters(d.init, d.dtype, d.no_bias);
        checked_bytes({d.out_features, d.in_features}, d.dtype, "argument 'desc': the weight's shape");
        return new_linear(c, d);
    });
}

mpt_status MPT_CALL mpt_conv2d_desc_init(mpt_conv2d_desc *desc, size_t nbytes) {
    return api::catching("mpt_conv2d_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_conv2d(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_conv2d(mpt_context *ctx, const mpt_conv2d_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_conv2d", ctx, desc, default_conv2d(), out, [](Context &c, const mpt_conv2d_desc &d) {
        check(d, false);
        return new_conv2d(c, d);
    });
}
mpt_status MPT_CALL mpt_layer_conv_transpose2d(mpt_context *ctx, const mpt_conv2d_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_conv_transpose2d", ctx, desc, default_conv2d(), out, [](Context &c, const mpt_conv2d_desc &d) {
        check(d, true);
        return new_conv_transpose2d(c, d);
    });
}

mpt_status MPT_CALL mpt_conv1d_desc_init(mpt_conv1d_desc *desc, size_t nbytes) {
    return api::catching("mpt_conv1d_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_conv1d(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_conv1d(mpt_context *ctx, const mpt_conv1d_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_conv1d", ctx, desc, default_conv1d(), out, [](Context &c, const mpt_conv1d_desc &d) {
        check(d, false);
        return new_conv1d(c, d);
    });
}
mpt_status MPT_CALL mpt_layer_conv_transpose1d(mpt_context *ctx, const mpt_conv1d_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_conv_transpose1d", ctx, desc, default_conv1d(), out, [](Context &c, const mpt_conv1d_desc &d) {
        check(d, true);
        return new_conv_transpose1d(c, d);
    });
}
