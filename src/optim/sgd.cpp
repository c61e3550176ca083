#include "optim/optimizer.h"

namespace mpt {

namespace {

class Sgd final : public mpt_optimizer {
public:
    Sgd(Context &context, const mpt_sgd_desc &desc) : mpt_optimizer(context, desc.lr), desc_(desc) {}

private:
    int moments() const override { return desc_.momentum != 0 ? 1 : 0; }
    void update(const Group &group, const ops::UpdateOperands &operands) override {
        mpt_attrs_sgd a = {};
        a.momentum = desc_.momentum;
        a.dampening = desc_.dampening;
        a.weight_decay = desc_.weight_decay * group.weight_decay_scale;
        a.lr_scale = group.lr_scale;
        a.max_norm = max_norm;
        a.nesterov = desc_.nesterov;
        ops::sgd(operands, a);
    }

    const mpt_sgd_desc desc_;
};

}  // namespace

Ref<mpt_optimizer> new_sgd(Context &ctx, const mpt_sgd_desc &desc) { return make<Sgd>(ctx, desc); }

}  // namespace mpt
