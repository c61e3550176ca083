// A layer: parameters and a forward rule written in ops. Containers hold children by name.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "device/attrs.h"

struct mpt_layer : mpt::Object {
    explicit mpt_layer(mpt_context &context) : ctx(&context) {}

    // Runs the layer under its name, which policies, plans and messages use.
    std::vector<mpt::Ref<mpt::Tensor>> run(const std::string &name, const std::vector<mpt::Ref<mpt::Tensor>> &inputs);
    // Parameters of the layer and of all below it, with full names, in a fixed order.
    std::vector<std::pair<std::string, mpt::Ref<mpt::Tensor>>> parameters() const;
    virtual void add(const std::string &name, const mpt::Ref<mpt_layer> &child);
    bool holds(const mpt_layer &layer) const;
    void set_training(bool training);

    mpt::Ref<mpt_context> ctx;
    bool training = true;

protected:
    void dispose() override { ctx->dispose(this); }
    virtual std::vector<mpt::Ref<mpt::Tensor>> forward(const std::vector<mpt::Ref<mpt::Tensor>> &inputs) = 0;
    void own(const char *name, const mpt::Ref<mpt::Tensor> &parameter);

    std::vector<std::pair<std::string, mpt::Ref<mpt_layer>>> children_;

private:
    void collect(const std::string &prefix, std::vector<std::pair<std::string, mpt::Ref<mpt::Tensor>>> &list) const;
    std::vector<std::pair<std::string, mpt::Ref<mpt::Tensor>>> own_;
};

namespace mpt {

// A layer with one input and one output.
class OneToOne : public mpt_layer {
public:
    using mpt_layer::mpt_layer;

private:
    std::vector<Ref<Tensor>> forward(const std::vector<Ref<Tensor>> &inputs) final;
    virtual Ref<Tensor> forward(const Ref<Tensor> &x) = 0;
};

Ref<mpt_layer> new_linear(Context &ctx, const mpt_linear_desc &desc);
Ref<mpt_layer> new_conv2d(Context &ctx, const mpt_conv2d_desc &desc);
Ref<mpt_layer> new_max_pool2d(Context &ctx, const mpt_attrs_pool2d &attrs);
Ref<mpt_layer> new_relu(Context &ctx);
Ref<mpt_layer> new_flatten(Context &ctx);
Ref<mpt_layer> new_sequential(Context &ctx);

}  // namespace mpt
