// What can be done with any layer: run it, look at its parameters and buffers.
#include "api/guard.h"
#include "nn/layer.h"

using namespace mpt;

namespace {

mpt_layer::Named::value_type at(const mpt_layer::Named &list, int32_t index, const char *what) {
    if (index < 0 || static_cast<std::size_t>(index) >= list.size())
        fail(MPT_ERROR_ARGUMENT, "argument 'index' is ", index, ": the layer has ", list.size(), " ", what);
    return list[static_cast<std::size_t>(index)];
}

}  // namespace

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
        if (n_outputs < 1) fail(MPT_ERROR_ARGUMENT, "argument 'n_outputs' is ", n_outputs, ": a layer gives at least 1 output");
        if (n_inputs < 1) fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", n_inputs, ": a layer takes at least 1 input");
        // A custom layer's callback runs its children through here.
        const auto *parent = static_cast<const mpt_layer *>(c.scope.running.get());
        const std::string name = parent ? parent->name_of(*layer) : "";
        mpt_layer::Tensors y;
        api::about("argument 'inputs'", [&] { y = layer->run(name, x, static_cast<std::size_t>(n_outputs)); });
        for (std::size_t i = 0; i < y.size(); ++i) outputs[i] = y[i].detach();
    });
}

mpt_status MPT_CALL mpt_layer_set_training(mpt_layer *layer, int32_t training) {
    return api::call("mpt_layer_set_training", layer, "layer", [&](Context &) { layer->set_training(api::flag(training, "training") != 0); });
}

mpt_status MPT_CALL mpt_layer_training(const mpt_layer *layer, int32_t *out) {
    return api::call("mpt_layer_training", layer, "layer", [&](Context &) { api::need(out, "out") = layer->training; });
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
        *out = at(layer->parameters(), index, "parameters").second.detach();
    });
}

mpt_status MPT_CALL mpt_layer_parameter_name(const mpt_layer *layer, int32_t index, char *text, size_t nbytes, size_t *needed_out) {
    return api::call("mpt_layer_parameter_name", layer, "layer",
                     [&](Context &) { api::text_out(at(layer->parameters(), index, "parameters").first, text, nbytes, needed_out); });
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

mpt_status MPT_CALL mpt_layer_buffer_count(const mpt_layer *layer, int32_t *out) {
    return api::call("mpt_layer_buffer_count", layer, "layer",
                     [&](Context &) { api::need(out, "out") = static_cast<int32_t>(layer->buffers().size()); });
}

mpt_status MPT_CALL mpt_layer_buffer(const mpt_layer *layer, int32_t index, mpt_tensor **out) {
    return api::call("mpt_layer_buffer", layer, "layer", [&](Context &) {
        api::need(out, "out");
        *out = at(layer->buffers(), index, "buffers").second.detach();
    });
}

mpt_status MPT_CALL mpt_layer_buffer_name(const mpt_layer *layer, int32_t index, char *text, size_t nbytes, size_t *needed_out) {
    return api::call("mpt_layer_buffer_name", layer, "layer",
                     [&](Context &) { api::text_out(at(layer->buffers(), index, "buffers").first, text, nbytes, needed_out); });
}
