#include "nn/layer.h"

#include "core/error.h"

using namespace mpt;

mpt_layer::Tensors mpt_layer::run(const std::string &name, const Tensors &inputs, std::size_t wanted) {
    ScopeGuard guard(*ctx);
    std::string &layer = ctx->scope.layer;
    if (!name.empty()) layer += (layer.empty() ? "" : ".") + name;
    Tensors outputs = forward(inputs, wanted);
    if (outputs.size() < wanted) fail(MPT_ERROR_ARGUMENT, "argument 'n_outputs' is ", wanted, ": this layer gives ", outputs.size());
    outputs.resize(wanted);
    return outputs;
}

void mpt_layer::own(const std::string &name, const Ref<Tensor> &parameter) {
    parameters_.reserve(parameters_.size() + 1);
    parameters_.emplace_back(name, parameter);
    parameter->requires_grad = true;
    parameter->parameter = true;
}

void mpt_layer::adopt(const std::string &name, const Ref<mpt_layer> &child) {
    const std::string own = name.empty() ? std::to_string(children_.size()) : name;
    if (own.find_first_of("./") != std::string::npos)
        fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", own, "': a layer's name has no '.' or '/'");
    for (const auto &[other, layer] : children_)
        if (other == own) fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", own, "', which this container has already: choose another name");
    if (child->holds(*this)) fail(MPT_ERROR_ARGUMENT, "argument 'child' holds the container itself: a layer cannot be inside itself");
    children_.emplace_back(own, child);
}

mpt_layer::Named mpt_layer::collect(Named mpt_layer::*own) const {
    Named list = this->*own;
    for (const auto &[name, child] : children_)
        for (auto &[below, tensor] : child->collect(own)) list.emplace_back(name + "." + below, tensor);
    return list;
}

void mpt_layer::add(const std::string &, const Ref<mpt_layer> &) {
    fail(MPT_ERROR_ARGUMENT, "argument 'container' holds no list of children: make one with mpt_layer_sequential, mpt_layer_parallel or mpt_layer_custom");
}

void mpt_layer::add_parameter(const std::string &, const Ref<Tensor> &) {
    fail(MPT_ERROR_ARGUMENT, "argument 'custom' has parameters of its own kind: make a layer with mpt_layer_custom");
}

bool mpt_layer::holds(const mpt_layer &layer) const {
    if (this == &layer) return true;
    for (const auto &[name, child] : children_)
        if (child->holds(layer)) return true;
    return false;
}

void mpt_layer::set_training(bool on) {
    training = on;
    for (auto &[name, child] : children_) child->set_training(on);
}

mpt_layer::Tensors OneToOne::forward(const Tensors &inputs, std::size_t) {
    if (inputs.size() != 1) fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", inputs.size(), ": this layer takes 1 input");
    return {forward(inputs[0])};
}

mpt_layer::Tensors mpt::run_child(const std::string &name, mpt_layer &child, const mpt_layer::Tensors &inputs, std::size_t wanted) {
    try {
        return child.run(name, inputs, wanted);
    } catch (Error &error) {
        error.message = "layer '" + name + "': " + error.message;
        throw;
    }
}
