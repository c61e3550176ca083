#include "optim/optimizer.h"

namespace mpt {

namespace {

class Adam final : public mpt_optimizer {
public:
    Adam(Context &context, const mpt_adam_desc &desc, bool decoupled) : mpt_optimizer(context, desc.lr), desc_(desc), decoupled_(decoupled) {}

private:
    int moments() const override { return 2; }
    void update(const Group &group, const ops::UpdateOperands &operands) override {
        mpt_attrs_adam a = {};
        a.beta1 = desc_.beta1;
        a.beta2 = desc_.beta2;
        a.eps = desc_.eps;
        a.weight_decay = desc_.weight_decay * group.weight_decay_scale;
        a.lr_scale = group.lr_scale;
        a.max_norm = max_norm;
        a.decoupled = decoupled_;
        ops::adam(operands, a);
    }

    const mpt_adam_desc desc_;
    const bool decoupled_;
};

}  // namespace

Ref<mpt_optimizer> new_adam(Context &ctx, const mpt_adam_desc &desc, bool decoupled) { return make<Adam>(ctx, desc, decoupled); }

}  // namespace mpt
