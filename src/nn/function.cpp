#include "nn/layers.h"

namespace mpt {

namespace {

class Function final : public OneToOne {
public:
    Function(Context &context, LayerFunction function) : OneToOne(context), function_(std::move(function)) {}

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return function_(x); }
    const LayerFunction function_;
};

}  // namespace

Ref<mpt_layer> new_function(Context &ctx, LayerFunction function) { return make<Function>(ctx, std::move(function)); }

}  // namespace mpt
