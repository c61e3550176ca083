// Adam, AdamW and LAMB: the same two moments.
#include "optim/optimizer.h"

namespace mpt {

namespace {

class Adam final : public mpt_optimizer {
public:
    using Emit = void (*)(const ops::UpdateOperands &, const mpt_attrs_adam &);
    Adam(Context &context, const mpt_adam_desc &desc, bool decoupled, Emit emit)
        : mpt_optimizer(context, desc.lr, desc.weight_decay, {{"first"}, {"second"}}), desc_(desc), decoupled_(decoupled), emit_(emit) {}

private:
    void update(const mpt_attrs_update &common, const ops::UpdateOperands &operands) override {
        mpt_attrs_adam a = {};
        a.common = common;
        a.beta1 = desc_.beta1;
        a.beta2 = desc_.beta2;
        a.eps = desc_.eps;
        a.decoupled = decoupled_;
        emit_(operands, a);
    }

    const mpt_adam_desc desc_;
    const bool decoupled_;
    const Emit emit_;
};

}  // namespace

Ref<mpt_optimizer> new_adam(Context &ctx, const mpt_adam_desc &desc, bool decoupled) { return make<Adam>(ctx, desc, decoupled, &ops::adam); }
Ref<mpt_optimizer> new_lamb(Context &ctx, const mpt_adam_desc &desc) { return make<Adam>(ctx, desc, true, &ops::lamb); }

}  // namespace mpt
