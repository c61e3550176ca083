#include "nn/layer.h"

#include "core/error.h"
#include "program/recording.h"

using namespace mpt;

mpt_layer::Tensors mpt_layer::run(const std::string &name, const Tensors &inputs, std::size_t wanted) {
    ScopeGuard guard(*ctx);
    std::string &layer = ctx->scope.layer;
    if (!name.empty()) layer += (layer.empty() ? "" : ".") + name;
    ctx->scope.running = Ref<Object>(this);
    Tensors outputs = forward(inputs, wanted);
    if (outputs.size() < wanted) fail(MPT_ERROR_ARGUMENT, "argument 'n_outputs' is ", wanted, ": this layer gives ", outputs.size());
    outputs.resize(wanted);
    return outputs;
}

void mpt_layer::require_new(const std::string &name) const {
    for (const Named *list : {&parameters_, &buffers_})
        for (const auto &[other, tensor] : *list)
            if (other == name) fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", name, "', which this layer has already: choose another name");
}

void mpt_layer::own(const std::string &name, const Ref<Tensor> &parameter) {
    require_new(name);
    parameters_.reserve(parameters_.size() + 1);
    parameters_.emplace_back(name, parameter);
    parameter->requires_grad = true;
    parameter->parameter = true;
}

void mpt_layer::own_buffer(const std::string &name, const Ref<Tensor> &buffer) {
    require_new(name);
    buffers_.emplace_back(name, buffer);
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
    Named list;
    std::unordered_set<const Tensor *> seen;
    collect("", own, seen, list);
    return list;
}

void mpt_layer::collect(const std::string &prefix, Named mpt_layer::*own, std::unordered_set<const Tensor *> &seen, Named &list) const {
    for (const auto &[name, tensor] : this->*own)
        if (seen.insert(tensor.get()).second) list.emplace_back(prefix + name, tensor);
    for (const auto &[name, child] : children_) child->collect(prefix + name + ".", own, seen, list);
}

void mpt_layer::add(const std::string &, const Ref<mpt_layer> &) {
    fail(MPT_ERROR_ARGUMENT, "argument 'container' holds no list of children: make one with mpt_layer_sequential, mpt_layer_parallel or mpt_layer_custom");
}

void mpt_layer::add_parameter(const std::string &, const Ref<Tensor> &) {
    fail(MPT_ERROR_ARGUMENT, "argument 'custom' has parameters of its own kind: make a layer with mpt_layer_custom");
}

void mpt_layer::add_buffer(const std::string &, const Ref<Tensor> &) {
    fail(MPT_ERROR_ARGUMENT, "argument 'custom' has buffers of its own kind: make a layer with mpt_layer_custom");
}

bool mpt_layer::holds(const mpt_layer &layer) const {
    if (this == &layer) return true;
    for (const auto &[name, child] : children_)
        if (child->holds(layer)) return true;
    return false;
}

std::string mpt_layer::name_of(const mpt_layer &layer) const {
    for (const auto &[name, child] : children_) {
        if (child.get() == &layer) return name;
        if (const std::string below = child->name_of(layer); !below.empty()) return name + "." + below;
    }
    return "";
}

void mpt_layer::set_training(bool on) {
    if (ctx->recording) ctx->recording->on_abort([keep = Ref<mpt_layer>(this), before = training] { keep->training = before; });
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
