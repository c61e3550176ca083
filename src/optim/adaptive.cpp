// Rules that scale each element's step by its past gradients, without Adam's corrections.
#include "optim/optimizer.h"

namespace mpt {

namespace {

class Adagrad final : public mpt_optimizer {
public:
    Adagrad(Context &context, const mpt_adagrad_desc &desc)
        : mpt_optimizer(context, desc.lr, desc.weight_decay, {{"sum", desc.initial_accumulator}}), desc_(desc) {}

private:
    void update(const mpt_attrs_update &common, const ops::UpdateOperands &operands) override {
        mpt_attrs_adagrad a = {};
        a.common = common;
        a.lr_decay = desc_.lr_decay;
        a.eps = desc_.eps;
        ops::adagrad(operands, a);
    }

    const mpt_adagrad_desc desc_;
};

class Adadelta final : public mpt_optimizer {
public:
    Adadelta(Context &context, const mpt_adadelta_desc &desc)
        : mpt_optimizer(context, desc.lr, desc.weight_decay, {{"square_average"}, {"change_average"}}), desc_(desc) {}

private:
    void update(const mpt_attrs_update &common, const ops::UpdateOperands &operands) override {
        mpt_attrs_adadelta a = {};
        a.common = common;
        a.rho = desc_.rho;
        a.eps = desc_.eps;
        ops::adadelta(operands, a);
    }

    const mpt_adadelta_desc desc_;
};

class Rmsprop final : public mpt_optimizer {
public:
    Rmsprop(Context &context, const mpt_rmsprop_desc &desc) : mpt_optimizer(context, desc.lr, desc.weight_decay, states_of(desc)), desc_(desc) {}

private:
    static std::vector<RuleState> states_of(const mpt_rmsprop_desc &desc) {
        std::vector<RuleState> list{{"square_average"}};
        if (desc.centered) list.push_back({"gradient_average"});
        if (desc.momentum != 0) list.push_back({"momentum"});
        return list;
    }

    void update(const mpt_attrs_update &common, const ops::UpdateOperands &operands) override {
        mpt_attrs_rmsprop a = {};
        a.common = common;
        a.alpha = desc_.alpha;
        a.eps = desc_.eps;
        a.momentum = desc_.momentum;
        a.centered = desc_.centered;
        ops::rmsprop(operands, a);
    }

    const mpt_rmsprop_desc desc_;
};

}  // namespace

Ref<mpt_optimizer> new_adagrad(Context &ctx, const mpt_adagrad_desc &desc) { return make<Adagrad>(ctx, desc); }
Ref<mpt_optimizer> new_adadelta(Context &ctx, const mpt_adadelta_desc &desc) { return make<Adadelta>(ctx, desc); }
Ref<mpt_optimizer> new_rmsprop(Context &ctx, const mpt_rmsprop_desc &desc) { return make<Rmsprop>(ctx, desc); }

}  // namespace mpt
