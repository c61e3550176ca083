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

mpt_attrs_conv2d conv2d_attrs(const mpt_conv2d_params *params, const char *name) {
    const mpt_conv2d_params p = read_desc(params, default_conv2d(), name);
    at_least(p.stride_h, 1, name, "stride_h");
    at_least(p.stride_w, 1, name, "stride_w");
    at_least(p.padding_h, 0, name, "padding_h");
    at_least(p.padding_w, 0, name, "padding_w");
    at_least(p.dilation_h, 1, name, "dilation_h");
    at_least(p.dilation_w, 1, name, "dilation_w");
    at_least(p.groups, 1, name, "groups");
    return {{p.stride_h, p.stride_w}, {p.padding_h, p.padding_w}, {p.dilation_h, p.dilation_w}, p.groups, 0};
}

mpt_attrs_pool2d pool2d_attrs(const mpt_pool2d_params *params) {
    mpt_pool2d_params p = read_desc(params, default_pool2d(), "params");
    at_least(p.kernel_h, 1, "params", "kernel_h");
    at_least(p.kernel_w, 1, "params", "kernel_w");
    at_least(p.stride_h, 0, "params", "stride_h");
    at_least(p.stride_w, 0, "params", "stride_w");
    at_least(p.padding_h, 0, "params", "padding_h");
    at_least(p.padding_w, 0, "params", "padding_w");
    if (p.padding_h > p.kernel_h / 2) fail(MPT_ERROR_ARGUMENT, "argument 'params': padding_h is ", p.padding_h, ": it is at most half of kernel_h = ", p.kernel_h);
    if (p.padding_w > p.kernel_w / 2) fail(MPT_ERROR_ARGUMENT, "argument 'params': padding_w is ", p.padding_w, ": it is at most half of kernel_w = ", p.kernel_w);
    // The gradient keeps each maximum's place in its window as an i32.
    if (std::int64_t{p.kernel_h} * p.kernel_w > INT32_MAX)
        fail(MPT_ERROR_ARGUMENT, "argument 'params': kernel_h and kernel_w are ", p.kernel_h, " and ", p.kernel_w, ": a window has at most ", INT32_MAX, " elements");
    if (p.stride_h == 0) p.stride_h = p.kernel_h;
    if (p.stride_w == 0) p.stride_w = p.kernel_w;
    return {{p.kernel_h, p.kernel_w}, {p.stride_h, p.stride_w}, {p.padding_h, p.padding_w}};
}

}  // namespace mpt::api
