// A layer: parameters and a forward rule written in ops. Containers hold children by name.
#pragma once

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/tensor.h"

struct mpt_layer : mpt::Object {
    using Tensors = std::vector<mpt::Ref<mpt::Tensor>>;
    using Named = std::vector<std::pair<std::string, mpt::Ref<mpt::Tensor>>>;

    explicit mpt_layer(mpt_context &context) : ctx(&context) {}

    // Runs the layer under its name, which policies, plans and messages use. Gives as many outputs as are wanted.
    Tensors run(const std::string &name, const Tensors &inputs, std::size_t wanted = 1);
    // Parameters of the layer and of all below it, with full names, in a fixed order; each once, by its first name.
    Named parameters() const { return collect(&mpt_layer::parameters_); }
    Named buffers() const { return collect(&mpt_layer::buffers_); }
    virtual void add(const std::string &name, const mpt::Ref<mpt_layer> &child);
    virtual void add_parameter(const std::string &name, const mpt::Ref<mpt::Tensor> &parameter);
    virtual void add_buffer(const std::string &name, const mpt::Ref<mpt::Tensor> &buffer);
    bool holds(const mpt_layer &layer) const;
    // The name below this layer of one that it holds; "" of any other.
    std::string name_of(const mpt_layer &layer) const;
    void set_training(bool training);

    mpt::Ref<mpt_context> ctx;
    bool training = true;

protected:
    void dispose() override { ctx->dispose(this); }
    // At least the wanted outputs; MPT_ERROR_ARGUMENT for a number of inputs or outputs that the layer does not have.
    virtual Tensors forward(const Tensors &inputs, std::size_t wanted) = 0;
    void own(const std::string &name, const mpt::Ref<mpt::Tensor> &parameter);
    void own_buffer(const std::string &name, const mpt::Ref<mpt::Tensor> &buffer);
    void adopt(const std::string &name, const mpt::Ref<mpt_layer> &child);

    std::vector<std::pair<std::string, mpt::Ref<mpt_layer>>> children_;

private:
    void require_new(const std::string &name) const;
    Named collect(Named mpt_layer::*own) const;
    void collect(const std::string &prefix, Named mpt_layer::*own, std::unordered_set<const mpt::Tensor *> &seen, Named &list) const;
    Named parameters_, buffers_;
};

namespace mpt {

// A layer with one input and one output.
class OneToOne : public mpt_layer {
public:
    using mpt_layer::mpt_layer;

private:
    Tensors forward(const Tensors &inputs, std::size_t wanted) final;
    virtual Ref<Tensor> forward(const Ref<Tensor> &x) = 0;
};

// Runs a child and says in a failure's message which one it was.
mpt_layer::Tensors run_child(const std::string &name, mpt_layer &child, const mpt_layer::Tensors &inputs, std::size_t wanted = 1);

}  // namespace mpt
