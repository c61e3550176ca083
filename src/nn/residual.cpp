#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "nn/layers.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class Residual final : public OneToOne {
public:
    Residual(Context &context, const Ref<mpt_layer> &body, const Ref<mpt_layer> &shortcut) : OneToOne(context), body_(body), shortcut_(shortcut) {
        adopt("body", body);
        if (shortcut) adopt("shortcut", shortcut);
    }

private:
    Ref<Tensor> forward(const Ref<Tensor> &x) override {
        const Ref<Tensor> y = run_child("body", *body_, {x})[0];
        const Ref<Tensor> kept = shortcut_ ? run_child("shortcut", *shortcut_, {x})[0] : x;
        if (!(y->shape == kept->shape))
            fail(MPT_ERROR_SHAPE, "argument 'x': the residual's body gives shape ", y->shape, " but its shortcut ", kept->shape, ": give a shortcut that has the body's shape");
        return ops::binary(y, kept, MPT_BINARY_ADD);
    }

    const Ref<mpt_layer> body_, shortcut_;
};

}  // namespace

Ref<mpt_layer> new_residual(Context &ctx, const Ref<mpt_layer> &body, const Ref<mpt_layer> &shortcut) {
    return make<Residual>(ctx, body, shortcut);
}

}  // namespace mpt
