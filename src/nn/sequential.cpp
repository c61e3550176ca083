#include "nn/layers.h"

namespace mpt {

namespace {

class Sequential final : public mpt_layer {
public:
    using mpt_layer::mpt_layer;
    void add(const std::string &name, const Ref<mpt_layer> &child) override { adopt(name, child); }

private:
    Tensors forward(const Tensors &inputs, std::size_t wanted) override {
        Tensors x = inputs;
        for (std::size_t i = 0; i < children_.size(); ++i) {
            const auto &[name, child] = children_[i];
            x = run_child(name, *child, x, i + 1 == children_.size() ? wanted : 1);
        }
        return x;
    }
};

}  // namespace

Ref<mpt_layer> new_sequential(Context &ctx) { return make<Sequential>(ctx); }

}  // namespace mpt
