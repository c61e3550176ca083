#include "api/convert.h"

namespace mpt::api {

mpt_conv2d_params default_conv2d() {
    mpt_conv2d_params p = {};
    p.struct_size = sizeof p;
    p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
    return p;
}

mpt_pool2d_params default_pool2d() {
    mpt_pool2d_params p = {};
    p.struct_size = sizeof p;
    p.kernel_h = p.kernel_w = 2;
    return p;
}

mpt_attrs_conv2d conv2d_attrs(const mpt_conv2d_params *params) {
    const mpt_conv2d_params p = read_desc(params, default_conv2d(), "params");
    at_least(p.stride_h, 1, "stride_h");
    at_least(p.stride_w, 1, "stride_w");
    at_least(p.padding_h, 0, "padding_h");
    at_least(p.padding_w, 0, "padding_w");
    at_least(p.dilation_h, 1, "dilation_h");
    at_least(p.dilation_w, 1, "dilation_w");
    at_least(p.groups, 1, "groups");
    return {{p.stride_h, p.stride_w}, {p.padding_h, p.padding_w}, {p.dilation_h, p.dilation_w}, p.groups, 0};
}

mpt_attrs_pool2d pool2d_attrs(const mpt_pool2d_params *params) {
    mpt_pool2d_params p = read_desc(params, default_pool2d(), "params");
    at_least(p.kernel_h, 1, "kernel_h");
    at_least(p.kernel_w, 1, "kernel_w");
    at_least(p.stride_h, 0, "stride_h");
    at_least(p.stride_w, 0, "stride_w");
    at_least(p.padding_h, 0, "padding_h");
    at_least(p.padding_w, 0, "padding_w");
    if (p.padding_h > p.kernel_h / 2) fail(MPT_ERROR_ARGUMENT, "field 'padding_h' is ", p.padding_h, ": it is at most half of kernel_h = ", p.kernel_h);
    if (p.padding_w > p.kernel_w / 2) fail(MPT_ERROR_ARGUMENT, "field 'padding_w' is ", p.padding_w, ": it is at most half of kernel_w = ", p.kernel_w);
    if (p.stride_h == 0) p.stride_h = p.kernel_h;
    if (p.stride_w == 0) p.stride_w = p.kernel_w;
    return {{p.kernel_h, p.kernel_w}, {p.stride_h, p.stride_w}, {p.padding_h, p.padding_w}};
}

}  // namespace mpt::api
