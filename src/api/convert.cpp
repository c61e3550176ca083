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

mpt_conv1d_params default_conv1d() {
    mpt_conv1d_params p = {};
    p.struct_size = sizeof p;
    p.stride = p.dilation = p.groups = 1;
    return p;
}

namespace {

// A transposed convolution has several results whose convolution is x: output padding chooses among them [torch.nn.ConvTranspose2d].
void check_output_padding(std::int32_t value, std::int32_t stride, std::int32_t dilation, bool transposed, const char *name, const char *field) {
    at_least(value, 0, name, field);
    if (!transposed && value != 0) fail(MPT_ERROR_ARGUMENT, "argument '", name, "': ", field, " is ", value, ": only a transposed convolution has it, leave it 0");
    if (value > 0 && value >= stride && value >= dilation)
        fail(MPT_ERROR_ARGUMENT, "argument '", name, "': ", field, " is ", value, ": it must be smaller than the stride ", stride, " or the dilation ", dilation);
}

void check_padding(std::int32_t padding, std::int32_t kernel, const char *subject, const char *of) {
    if (padding > kernel / 2) fail(MPT_ERROR_ARGUMENT, subject, " is ", padding, ": it is at most half of ", of, " = ", kernel);
}

mpt_attrs_pool2d pool2d_attrs(mpt_pool2d_params p) {
    at_least(p.kernel_h, 1, "params", "kernel_h");
    at_least(p.kernel_w, 1, "params", "kernel_w");
    at_least(p.stride_h, 0, "params", "stride_h");
    at_least(p.stride_w, 0, "params", "stride_w");
    at_least(p.padding_h, 0, "params", "padding_h");
    at_least(p.padding_w, 0, "params", "padding_w");
    check_padding(p.padding_h, p.kernel_h, "argument 'params': padding_h", "kernel_h");
    check_padding(p.padding_w, p.kernel_w, "argument 'params': padding_w", "kernel_w");
    // The gradient keeps each maximum's place in its window as an i32.
    if (std::int64_t{p.kernel_h} * p.kernel_w > INT32_MAX)
        fail(MPT_ERROR_ARGUMENT, "argument 'params': kernel_h and kernel_w are ", p.kernel_h, " and ", p.kernel_w, ": a window has at most ", INT32_MAX, " elements");
    if (p.stride_h == 0) p.stride_h = p.kernel_h;
    if (p.stride_w == 0) p.stride_w = p.kernel_w;
    return {{p.kernel_h, p.kernel_w}, {p.stride_h, p.stride_w}, {p.padding_h, p.padding_w}, p.exclude_padding, 0};
}

}  // namespace

ops::ConvTranspose conv2d_attrs(const mpt_conv2d_params *params, bool transposed, const char *name) {
    const mpt_conv2d_params p = read_desc(params, default_conv2d(), name);
    at_least(p.stride_h, 1, name, "stride_h");
    at_least(p.stride_w, 1, name, "stride_w");
    at_least(p.padding_h, 0, name, "padding_h");
    at_least(p.padding_w, 0, name, "padding_w");
    at_least(p.dilation_h, 1, name, "dilation_h");
    at_least(p.dilation_w, 1, name, "dilation_w");
    at_least(p.groups, 1, name, "groups");
    check_output_padding(p.output_padding_h, p.stride_h, p.dilation_h, transposed, name, "output_padding_h");
    check_output_padding(p.output_padding_w, p.stride_w, p.dilation_w, transposed, name, "output_padding_w");
    return {{{p.stride_h, p.stride_w}, {p.padding_h, p.padding_w}, {p.dilation_h, p.dilation_w}, p.groups, 0}, {p.output_padding_h, p.output_padding_w}};
}

ops::ConvTranspose conv1d_attrs(const mpt_conv1d_params *params, bool transposed, const char *name) {
    const mpt_conv1d_params p = read_desc(params, default_conv1d(), name);
    at_least(p.stride, 1, name, "stride");
    at_least(p.padding, 0, name, "padding");
    at_least(p.dilation, 1, name, "dilation");
    at_least(p.groups, 1, name, "groups");
    check_output_padding(p.output_padding, p.stride, p.dilation, transposed, name, "output_padding");
    return {{{1, p.stride}, {0, p.padding}, {1, p.dilation}, p.groups, 0}, {0, p.output_padding}};
}

mpt_attrs_pool2d max_pool2d_attrs(const mpt_pool2d_params *params) {
    const mpt_pool2d_params p = read_desc(params, default_pool2d(), "params");
    if (p.exclude_padding != 0)
        fail(MPT_ERROR_ARGUMENT, "argument 'params': exclude_padding is ", p.exclude_padding, ": padding is never the maximum, leave it 0");
    return pool2d_attrs(p);
}

mpt_attrs_pool2d avg_pool2d_attrs(const mpt_pool2d_params *params) {
    const mpt_pool2d_params p = read_desc(params, default_pool2d(), "params");
    flag(p.exclude_padding, "params", "exclude_padding");
    return pool2d_attrs(p);
}

mpt_attrs_pool2d pool1d_attrs(std::int32_t kernel, std::int32_t stride, std::int32_t padding) {
    if (kernel < 1) fail(MPT_ERROR_ARGUMENT, "argument 'kernel' is ", kernel, ": it must be at least 1");
    if (stride < 0) fail(MPT_ERROR_ARGUMENT, "argument 'stride' is ", stride, ": it must be at least 1, or 0 for the kernel's");
    if (padding < 0) fail(MPT_ERROR_ARGUMENT, "argument 'padding' is ", padding, ": it must be at least 0");
    check_padding(padding, kernel, "argument 'padding'", "kernel");
    return {{1, kernel}, {1, stride == 0 ? kernel : stride}, {0, padding}, 0, 0};
}

int dimension(const Tensor &x, std::int32_t dim, const char *name, const char *of) {
    const int at = dim < 0 ? dim + x.shape.n : dim;
    if (at < 0 || at >= x.shape.n) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is ", dim, ": '", of, "' of shape ", x.shape, " has ", x.shape.n, " dimensions");
    return at;
}

unsigned dimensions(const Tensor &x, std::int32_t n, const std::int32_t *dims) {
    if (n < 0 || n > x.shape.n) fail(MPT_ERROR_ARGUMENT, "argument 'ndims' is ", n, ": 'x' has ", x.shape.n, " dimensions");
    unsigned mask = 0;
    for (std::int32_t i = 0; i < n; ++i) {
        const unsigned bit = 1u << dimension(x, dims[i], "dims");
        if (mask & bit) fail(MPT_ERROR_ARGUMENT, "argument 'dims' names dimension ", dims[i], " twice");
        mask |= bit;
    }
    return mask;
}

}  // namespace mpt::api
