#include "nn/layer.h"

#include "core/error.h"

using namespace mpt;

std::vector<Ref<Tensor>> mpt_layer::run(const std::string &name, const std::vector<Ref<Tensor>> &inputs) {
    ScopeGuard guard(*ctx);
    std::string &layer = ctx->scope.layer;
    if (!name.empty()) layer += (layer.empty() ? "" : ".") + name;
    return forward(inputs);
}

void mpt_layer::own(const char *name, const Ref<Tensor> &parameter) {
    parameter->requires_grad = true;
    parameter->parameter = true;
    own_.emplace_back(name, parameter);
}

void mpt_layer::collect(const std::string &prefix, std::vector<std::pair<std::string, Ref<Tensor>>> &list) const {
    for (const auto &[name, parameter] : own_) list.emplace_back(prefix + name, parameter);
    for (const auto &[name, child] : children_) child->collect(prefix + name + ".", list);
}

std::vector<std::pair<std::string, Ref<Tensor>>> mpt_layer::parameters() const {
    std::vector<std::pair<std::string, Ref<Tensor>>> list;
    collect("", list);
    return list;
}

void mpt_layer::add(const std::string &, const Ref<mpt_layer> &) {
    fail(MPT_ERROR_ARGUMENT, "argument 'sequential' is no container: make one with mpt_layer_sequential");
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

std::vector<Ref<Tensor>> OneToOne::forward(const std::vector<Ref<Tensor>> &inputs) {
    if (inputs.size() != 1) fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", inputs.size(), ": this layer takes 1 input");
    return {forward(inputs[0])};
}
