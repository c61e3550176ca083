#include "nn/layer.h"

#include "api/convert.h"
#include "api/guard.h"

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

void check_parameters(mpt_init init, mpt_dtype dtype, std::int32_t no_bias) {
    if (!is_floating(dtype)) fail(MPT_ERROR_DTYPE, "argument 'desc': dtype is ", api::text_of(dtype), ": parameters have a floating type");
    if (init < MPT_INIT_DEFAULT || init > MPT_INIT_KAIMING_NORMAL)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': init is ", static_cast<int>(init), ", which is none of mpt_init");
    api::flag(no_bias, "desc", "no_bias");
}

template <class F>
mpt_status create(const char *function, mpt_context *ctx, mpt_layer **out, F &&build) {
    return api::call(function, ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        api::need_outside_capture(c, "make layers before mpt_capture_begin");
        *out = build(c).detach();
    });
}

std::pair<std::string, Ref<Tensor>> parameter_at(const mpt_layer &layer, int32_t index) {
    const auto list = layer.parameters();
    if (index < 0 || static_cast<std::size_t>(index) >= list.size())
        fail(MPT_ERROR_ARGUMENT, "argument 'index' is ", index, ": the layer has ", list.size(), " parameters");
    return list[static_cast<std::size_t>(index)];
}

}  // namespace

mpt_status MPT_CALL mpt_linear_desc_init(mpt_linear_desc *desc, size_t nbytes) {
    return api::catching("mpt_linear_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_linear(), "desc"); });
}

mpt_status MPT_CALL mpt_layer_linear(mpt_context *ctx, const mpt_linear_desc *desc, mpt_layer **out) {
    return create("mpt_layer_linear", ctx, out, [&](Context &c) {
        const mpt_linear_desc d = api::read_desc(&api::need(desc, "desc"), default_linear(), "desc");
        api::at_least(d.in_features, 1, "desc", "in_features");
        api::at_least(d.out_features, 1, "desc", "out_features");
        check_parameters(d.init, d.dtype, d.no_bias);
        api::need_reserved(d.reserved);
        checked_bytes({d.out_features, d.in_features}, d.dtype, "argument 'desc': the weight's shape");
        return new_linear(c, d);
    });
}

mpt_status MPT_CALL mpt_conv2d_desc_init(mpt_conv2d_desc *desc, size_t nbytes) {
    return api::catching("mpt_conv2d_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_conv2d(), "desc"); });
}

mpt_status MPT_CALL mpt_layer_conv2d(mpt_context *ctx, const mpt_conv2d_desc *desc, mpt_layer **out) {
    return create("mpt_layer_conv2d", ctx, out, [&](Context &c) {
        const mpt_conv2d_desc d = api::read_desc(&api::need(desc, "desc"), default_conv2d(), "desc");
        api::at_least(d.in_channels, 1, "desc", "in_channels");
        api::at_least(d.out_channels, 1, "desc", "out_channels");
        api::at_least(d.kernel_h, 1, "desc", "kernel_h");
        api::at_least(d.kernel_w, 1, "desc", "kernel_w");
        mpt_conv2d_params p = api::default_conv2d();
        p.stride_h = d.stride_h, p.stride_w = d.stride_w;
        p.padding_h = d.padding_h, p.padding_w = d.padding_w;
        p.dilation_h = d.dilation_h, p.dilation_w = d.dilation_w;
        p.groups = d.groups;
        api::conv2d_attrs(&p, "desc");
        if (d.in_channels % d.groups != 0 || d.out_channels % d.groups != 0)
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': in_channels ", d.in_channels, " and out_channels ", d.out_channels, " must be multiples of groups ", d.groups);
        check_parameters(d.init, d.dtype, d.no_bias);
        checked_bytes({d.out_channels, d.in_channels / d.groups, d.kernel_h, d.kernel_w}, d.dtype, "argument 'desc': the weight's shape");
        return new_conv2d(c, d);
    });
}

mpt_status MPT_CALL mpt_layer_max_pool2d(mpt_context *ctx, const mpt_pool2d_params *params, mpt_layer **out) {
    return create("mpt_layer_max_pool2d", ctx, out, [&](Context &c) { return new_max_pool2d(c, api::pool2d_attrs(params)); });
}
mpt_status MPT_CALL mpt_layer_relu(mpt_context *ctx, mpt_layer **out) {
    return create("mpt_layer_relu", ctx, out, [](Context &c) { return new_relu(c); });
}
mpt_status MPT_CALL mpt_layer_flatten(mpt_context *ctx, mpt_layer **out) {
    return create("mpt_layer_flatten", ctx, out, [](Context &c) { return new_flatten(c); });
}
mpt_status MPT_CALL mpt_layer_sequential(mpt_context *ctx, mpt_layer **out) {
    return create("mpt_layer_sequential", ctx, out, [](Context &c) { return new_sequential(c); });
}

mpt_status MPT_CALL mpt_layer_add(mpt_layer *sequential, const char *name, mpt_layer *child) {
    return api::call("mpt_layer_add", sequential, "sequential", [&](Context &c) {
        sequential->add(name ? api::text_in(name, "name") : "", Ref<mpt_layer>(&api::same(c, child, "child")));
    });
}

void MPT_CALL mpt_layer_retain(mpt_layer *layer) {
    if (layer) layer->retain();
}
void MPT_CALL mpt_layer_release(mpt_layer *layer) {
    if (layer) layer->release();
}

mpt_status MPT_CALL mpt_layer_forward(mpt_layer *layer, mpt_tensor *const *inputs, int32_t n_inputs, mpt_tensor **outputs, int32_t n_outputs) {
    return api::call("mpt_layer_forward", layer, "layer", [&](Context &c) {
        const std::vector<Ref<Tensor>> x = api::tensors(c, inputs, n_inputs, "inputs", "n_inputs");
        api::need(outputs, "outputs");
        if (n_outputs != 1) fail(MPT_ERROR_ARGUMENT, "argument 'n_outputs' is ", n_outputs, ": this layer gives 1 output");
        if (x.size() != 1) fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", n_inputs, ": this layer takes 1 input");
        api::about("argument 'inputs'", [&] { outputs[0] = layer->run("", x)[0].detach(); });
    });
}

mpt_status MPT_CALL mpt_layer_set_training(mpt_layer *layer, int32_t training) {
    return api::call("mpt_layer_set_training", layer, "layer", [&](Context &) { layer->set_training(api::flag(training, "training") != 0); });
}

mpt_status MPT_CALL mpt_layer_freeze(mpt_layer *layer, int32_t frozen) {
    return api::call("mpt_layer_freeze", layer, "layer", [&](Context &c) {
        api::need_outside_capture(c, "freeze before mpt_capture_begin");
        const bool on = api::flag(frozen, "frozen") == 0;
        for (auto &[name, parameter] : layer->parameters()) parameter->requires_grad = on;
    });
}

mpt_status MPT_CALL mpt_layer_parameter_count(const mpt_layer *layer, int32_t *out) {
    return api::call("mpt_layer_parameter_count", layer, "layer",
                     [&](Context &) { api::need(out, "out") = static_cast<int32_t>(layer->parameters().size()); });
}

mpt_status MPT_CALL mpt_layer_parameter(const mpt_layer *layer, int32_t index, mpt_tensor **out) {
    return api::call("mpt_layer_parameter", layer, "layer", [&](Context &) {
        api::need(out, "out");
        *out = parameter_at(*layer, index).second.detach();
    });
}

mpt_status MPT_CALL mpt_layer_parameter_name(const mpt_layer *layer, int32_t index, char *text, size_t nbytes, size_t *needed_out) {
    return api::call("mpt_layer_parameter_name", layer, "layer",
                     [&](Context &) { api::text_out(parameter_at(*layer, index).first, text, nbytes, needed_out); });
}

mpt_status MPT_CALL mpt_layer_parameter_by_name(const mpt_layer *layer, const char *name, mpt_tensor **out) {
    return api::call("mpt_layer_parameter_by_name", layer, "layer", [&](Context &) {
        const std::string wanted = api::text_in(name, "name");
        api::need(out, "out");
        std::string known;
        for (auto &[own, parameter] : layer->parameters()) {
            if (own == wanted) {
                *out = Ref<Tensor>(parameter).detach();
                return;
            }
            known += " " + own;
        }
        fail(MPT_ERROR_NOT_FOUND, "argument 'name' is '", wanted, "'; the layer has:", known.empty() ? " no parameters" : known);
    });
}
