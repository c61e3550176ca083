#include "optim/optimizer.h"

namespace mpt {

namespace {

std::vector<RuleState> states_of(const mpt_sgd_desc &desc) {
    if (desc.momentum == 0) return {};
    return {{"first"}};
}

class Sgd final : public mpt_optimizer {
public:
    Sgd(Context &context, const mpt_sgd_desc &desc) : mpt_optimizer(context, desc.lr, desc.weight_decay, states_of(desc)), desc_(desc) {}

private:
    void update(const mpt_attrs_update &common, const ops::UpdateOperands &operands) override {
        mpt_attrs_sgd a = {};
        a.common = common;
        a.momentum = desc_.momentum;
        a.dampening = desc_.dampening;
        a.nesterov = desc_.nesterov;
        ops::sgd(operands, a);
    }

    const mpt_sgd_desc desc_;
};

}  // namespace

Ref<mpt_optimizer> new_sgd(Context &ctx, const mpt_sgd_desc &desc) { return make<Sgd>(ctx, desc); }

}  // namespace mpt
