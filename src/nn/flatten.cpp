#include "core/error.h"
#include "nn/layer.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class Flatten final : public OneToOne {
public:
    using OneToOne::OneToOne;

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override {
        if (x->shape.n < 1) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": flatten takes [N, ...]");
        std::int64_t rest = 1;
        for (int i = 1; i < x->shape.n; ++i) rest *= x->shape[i];
        return ops::reshape(x, {x->shape[0], rest});
    }
};

}  // namespace

Ref<mpt_layer> new_flatten(Context &ctx) { return make<Flatten>(ctx); }

}  // namespace mpt
