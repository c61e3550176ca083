// Layers as such, and the first of them; misuse_layers_test.cpp has the rest.
#include "api/misuse.h"

namespace {

constexpr mpt_dtype kUnknown = static_cast<mpt_dtype>(99);

struct Linear {
    static constexpr const char *function = "mpt_layer_linear", *argument = "desc";
    static mpt_linear_desc good() {
        mpt_linear_desc d;
        MUST(mpt_linear_desc_init(&d, sizeof d));
        d.in_features = d.out_features = 2;
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_linear_desc *d) { return mpt_layer_linear(w.ctx, d, w.out()); }
};

struct Conv2d {
    static constexpr const char *function = "mpt_layer_conv2d", *argument = "desc";
    static mpt_conv2d_desc good() {
        mpt_conv2d_desc d;
        MUST(mpt_conv2d_desc_init(&d, sizeof d));
        d.in_channels = d.out_channels = 4;
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_conv2d_desc *d) { return mpt_layer_conv2d(w.ctx, d, w.out()); }
};

struct MaxPool2d {
    static constexpr const char *function = "mpt_layer_max_pool2d", *argument = "params";
    static mpt_pool2d_params good() {
        mpt_pool2d_params p;
        MUST(mpt_pool2d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_pool2d_params *p) { return mpt_layer_max_pool2d(w.ctx, p, w.out()); }
};

net::Layer batch_norm(misuse::World &w) {
    mpt_norm_desc d;
    MUST(mpt_norm_desc_init(&d, sizeof d));
    d.features = 2;
    net::Layer layer;
    MUST(mpt_layer_batch_norm(w.ctx, &d, layer.out()));
    return layer;
}

#define LAYER_ROWS(function)                             \
    ROW(Null, "ctx", "", function, nullptr, w.out()),    \
    ROW(Null, "out", "", function, w.ctx, nullptr),      \
    ROW(Capture, "", "", function, w.ctx, w.out())

const misuse::Rows rows{
    INIT_ROWS(mpt_linear_desc_init, "desc"),
    STEPS("mpt_layer_linear", Null, "ctx", "", auto d = Linear::good(); return mpt_layer_linear(nullptr, &d, w.out())),
    ROW(Null, "desc", "", mpt_layer_linear, w.ctx, nullptr, w.out()),
    STEPS("mpt_layer_linear", Null, "out", "", auto d = Linear::good(); return mpt_layer_linear(w.ctx, &d, nullptr)),
    STEPS("mpt_layer_linear", Capture, "", "", auto d = Linear::good(); return Linear::use(w, &d)),
    DESCRIPTOR_ROWS(Linear),
    FIELD(Linear, Range, "in_features is 0", d.in_features = 0),
    FIELD(Linear, Range, "out_features is -1", d.out_features = -1),
    FIELD(Linear, Range, "no_bias is 2", d.no_bias = 2),
    FIELD(Linear, Range, "init is 9", d.init = static_cast<mpt_init>(9)),
    FIELD(Linear, Range, "init is -1", d.init = static_cast<mpt_init>(-1)),
    FIELD(Linear, Dtype, "dtype is i32", d.dtype = MPT_I32),
    FIELD(Linear, Dtype, "dtype is 99", d.dtype = kUnknown),
    FIELD(Linear, Shape, "[2, 9223372036854775807]", d.in_features = INT64_MAX),
    STEPS_IS("mpt_layer_linear", MPT_ERROR_MEMORY, "", "8796093022208 bytes", auto d = Linear::good(); d.in_features = int64_t(1) << 40;
             return Linear::use(w, &d)),

    INIT_ROWS(mpt_conv2d_desc_init, "desc"),
    STEPS("mpt_layer_conv2d", Null, "ctx", "", auto d = Conv2d::good(); return mpt_layer_conv2d(nullptr, &d, w.out())),
    ROW(Null, "desc", "", mpt_layer_conv2d, w.ctx, nullptr, w.out()),
    STEPS("mpt_layer_conv2d", Null, "out", "", auto d = Conv2d::good(); return mpt_layer_conv2d(w.ctx, &d, nullptr)),
    STEPS("mpt_layer_conv2d", Capture, "", "", auto d = Conv2d::good(); return Conv2d::use(w, &d)),
    DESCRIPTOR_ROWS(Conv2d),
    FIELD(Conv2d, Range, "in_channels is 0", d.in_channels = 0),
    FIELD(Conv2d, Range, "out_channels is -4", d.out_channels = -4),
    FIELD(Conv2d, Range, "kernel_h is 0", d.kernel_h = 0),
    FIELD(Conv2d, Range, "kernel_w is -1", d.kernel_w = -1),
    FIELD(Conv2d, Range, "stride_h is 0", d.stride_h = 0),
    FIELD(Conv2d, Range, "stride_w is -1", d.stride_w = -1),
    FIELD(Conv2d, Range, "padding_h is -1", d.padding_h = -1),
    FIELD(Conv2d, Range, "padding_w is -1", d.padding_w = -1),
    FIELD(Conv2d, Range, "dilation_h is 0", d.dilation_h = 0),
    FIELD(Conv2d, Range, "dilation_w is 0", d.dilation_w = 0),
    FIELD(Conv2d, Range, "groups is 0", d.groups = 0),
    FIELD(Conv2d, Range, "groups 3", d.groups = 3),
    FIELD(Conv2d, Range, "no_bias is -1", d.no_bias = -1),
    FIELD(Conv2d, Range, "init is 12", d.init = static_cast<mpt_init>(12)),
    FIELD(Conv2d, Range, "output_padding_h is 1", d.output_padding_h = 1),
    FIELD(Conv2d, Tail, "reserved is 7", d.reserved = 7),
    FIELD(Conv2d, Dtype, "dtype is u8", d.dtype = MPT_U8),
    FIELD(Conv2d, Dtype, "dtype is 0", d.dtype = MPT_DTYPE_NONE),
    FIELD(Conv2d, Shape, "[4, 9223372036854775804, 3, 3]", d.in_channels = INT64_MAX - 3),

    ROW(Null, "ctx", "", mpt_layer_max_pool2d, nullptr, nullptr, w.out()),
    ROW(Taken, "params", "", mpt_layer_max_pool2d, w.ctx, nullptr, w.out()),
    ROW(Null, "out", "", mpt_layer_max_pool2d, w.ctx, nullptr, nullptr),
    ROW(Capture, "", "", mpt_layer_max_pool2d, w.ctx, nullptr, w.out()),
    DESCRIPTOR_ROWS(MaxPool2d),
    FIELD(MaxPool2d, Range, "kernel_h is 0", d.kernel_h = 0),
    FIELD(MaxPool2d, Range, "stride_w is -1", d.stride_w = -1),
    FIELD(MaxPool2d, Range, "padding_h is 2", d.padding_h = 2),
    LAYER_ROWS(mpt_layer_relu),
    LAYER_ROWS(mpt_layer_flatten),
    LAYER_ROWS(mpt_layer_sequential),

    ROW(Null, "container", "", mpt_layer_add, nullptr, "a", w.linear),
    ROW(Taken, "name", "", mpt_layer_add, w.chain, nullptr, w.linear),
    ROW(Null, "child", "", mpt_layer_add, w.chain, "a", nullptr),
    ROW(Foreign, "child", "", mpt_layer_add, w.chain, "a", w.other.linear),
    ROW(Range, "container", "mpt_layer_sequential", mpt_layer_add, w.linear, "a", w.linear),
    ROW(Range, "name", "'head'", mpt_layer_add, w.chain, "head", w.linear),
    ROW(Range, "name", "'a.b'", mpt_layer_add, w.chain, "a.b", w.linear),
    ROW(Range, "name", "'a/b'", mpt_layer_add, w.chain, "a/b", w.linear),
    ROW(Range, "name", "byte 1 is 255", mpt_layer_add, w.chain, "a\xff", w.linear),
    ROW(Range, "child", "", mpt_layer_add, w.chain, "a", w.chain),

    ROW(Null, "layer", "", mpt_layer_forward, nullptr, w.list({w.x}), 1, w.out(), 1),
    ROW(Null, "inputs", "", mpt_layer_forward, w.linear, nullptr, 1, w.out(), 1),
    ROW(Null, "inputs[0]", "", mpt_layer_forward, w.linear, w.list({nullptr}), 1, w.out(), 1),
    ROW(Foreign, "inputs[0]", "", mpt_layer_forward, w.linear, w.list({w.other.x}), 1, w.out(), 1),
    ROW(Range, "n_inputs", "is -1", mpt_layer_forward, w.linear, w.list({w.x}), -1, w.out(), 1),
    ROW(Range, "n_inputs", "is 0", mpt_layer_forward, w.linear, nullptr, 0, w.out(), 1),
    ROW(Range, "n_inputs", "is 2", mpt_layer_forward, w.linear, w.list({w.x, w.x}), 2, w.out(), 1),
    ROW(Null, "outputs", "", mpt_layer_forward, w.linear, w.list({w.x}), 1, nullptr, 1),
    ROW(Range, "n_outputs", "is 0", mpt_layer_forward, w.linear, w.list({w.x}), 1, w.out(), 0),
    ROW(Range, "n_outputs", "is 2", mpt_layer_forward, w.linear, w.list({w.x}), 1, w.out(), 2),
    ROW(Shape, "inputs", "[4]", mpt_layer_forward, w.linear, w.list({w.row}), 1, w.out(), 1),
    ROW(Shape, "inputs", "layer 'head': argument 'x' has shape [4]", mpt_layer_forward, w.chain, w.list({w.row}), 1, w.out(), 1),
    ROW(Dtype, "inputs", "is i32", mpt_layer_forward, w.linear, w.list({w.ints}), 1, w.out(), 1),
    ROW(State, "inputs[0]", "", mpt_layer_forward, w.linear, w.list({w.output}), 1, w.out(), 1),
    STEPS("mpt_layer_forward", Shape, "inputs", "[]", net::Layer flatten; MUST(mpt_layer_flatten(w.ctx, flatten.out()));
          return mpt_layer_forward(flatten, w.list({w.scalar}), 1, w.out(), 1)),

    ROW(Null, "layer", "", mpt_layer_training, nullptr, w.out()),
    ROW(Null, "out", "", mpt_layer_training, w.chain, nullptr),
    ROW(Null, "layer", "", mpt_layer_set_training, nullptr, 1),
    ROW(Range, "training", "is 2", mpt_layer_set_training, w.chain, 2),
    ROW(Null, "layer", "", mpt_layer_freeze, nullptr, 1),
    ROW(Range, "frozen", "is -1", mpt_layer_freeze, w.chain, -1),
    ROW(Capture, "", "", mpt_layer_freeze, w.chain, 1),
    ROW(Null, "layer", "", mpt_layer_parameter_count, nullptr, w.out()),
    ROW(Null, "out", "", mpt_layer_parameter_count, w.chain, nullptr),
    ROW(Null, "layer", "", mpt_layer_parameter, nullptr, 0, w.out()),
    ROW(Range, "index", "is 2", mpt_layer_parameter, w.chain, 2, w.out()),
    ROW(Range, "index", "is -1", mpt_layer_parameter, w.chain, -1, w.out()),
    ROW(Null, "out", "", mpt_layer_parameter, w.chain, 0, nullptr),
    ROW(Null, "layer", "", mpt_layer_parameter_name, nullptr, 0, w.out(), 16, w.out()),
    ROW(Range, "index", "is 2", mpt_layer_parameter_name, w.chain, 2, w.out(), 16, w.out()),
    TEXT_ROWS(mpt_layer_parameter_name, w.chain, 1),
    ROW(Null, "layer", "", mpt_layer_buffer_count, nullptr, w.out()),
    ROW(Null, "out", "", mpt_layer_buffer_count, w.chain, nullptr),
    ROW(Null, "layer", "", mpt_layer_buffer, nullptr, 0, w.out()),
    ROW(Range, "index", "is 0", mpt_layer_buffer, w.chain, 0, w.out()),
    STEPS("mpt_layer_buffer", Null, "out", "", const net::Layer norm = batch_norm(w); return mpt_layer_buffer(norm, 0, nullptr)),
    ROW(Null, "layer", "", mpt_layer_buffer_name, nullptr, 0, w.out(), 16, w.out()),
    ROW(Range, "index", "is -1", mpt_layer_buffer_name, w.chain, -1, w.out(), 16, w.out()),
    STEPS("mpt_layer_buffer_name", Null, "text", "", const net::Layer norm = batch_norm(w); return mpt_layer_buffer_name(norm, 0, nullptr, 10, w.out())),
    STEPS("mpt_layer_buffer_name", Taken, "text", "", const net::Layer norm = batch_norm(w); return mpt_layer_buffer_name(norm, 0, nullptr, 0, w.out())),
    STEPS("mpt_layer_buffer_name", Taken, "nbytes", "", const net::Layer norm = batch_norm(w); return mpt_layer_buffer_name(norm, 0, w.out(), 1, w.out())),
    STEPS("mpt_layer_buffer_name", Taken, "needed_out", "", const net::Layer norm = batch_norm(w); return mpt_layer_buffer_name(norm, 1, w.out(), 16, nullptr)),
    ROW(Null, "layer", "", mpt_layer_parameter_by_name, nullptr, "head.bias", w.out()),
    ROW(Null, "name", "", mpt_layer_parameter_by_name, w.chain, nullptr, w.out()),
    ROW(Null, "out", "", mpt_layer_parameter_by_name, w.chain, "head.bias", nullptr),
    ROW(Range, "name", "byte 0 is 192", mpt_layer_parameter_by_name, w.chain, "\xc0\x80", w.out()),
    ROW_IS(MPT_ERROR_NOT_FOUND, "name", "'n\xc3\xb6 \xe2\x82\xac \xf0\x9f\x98\x80'", mpt_layer_parameter_by_name, w.chain,
           "n\xc3\xb6 \xe2\x82\xac \xf0\x9f\x98\x80", w.out()),
    ROW_IS(MPT_ERROR_NOT_FOUND, "name", "'bias'; the layer has: head.weight head.bias", mpt_layer_parameter_by_name, w.chain, "bias", w.out()),
};

}  // namespace
