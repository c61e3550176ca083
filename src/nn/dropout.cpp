#include "ops/dropout.h"

#include "nn/layers.h"

namespace mpt {

namespace {

class Dropout final : public OneToOne {
public:
    Dropout(Context &context, double p) : OneToOne(context), p_(p) {}

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override { return training && p_ > 0 ? ops::dropout(x, p_) : x; }
    const double p_;
};

}  // namespace

Ref<mpt_layer> new_dropout(Context &ctx, double p) { return make<Dropout>(ctx, p); }

}  // namespace mpt
