#include "ops/norm.h"

#include "core/error.h"
#include "nn/layers.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class NormLayer final : public OneToOne {
public:
    NormLayer(Context &context, Norm kind, const mpt_norm_desc &desc) : OneToOne(context), kind_(kind), desc_(desc) {
        const bool biased = !desc.no_bias && kind != Norm::Rms;
        if (!desc.no_affine) {
            how_.weight = filled(desc.dtype, 1);
            own("weight", how_.weight);
            if (biased) {
                how_.bias = filled(desc.dtype, 0);
                own("bias", how_.bias);
            }
        }
        if (kind == Norm::Batch && !desc.no_running) {
            how_.running_mean = filled(wide(desc.dtype), 0);
            how_.running_var = filled(wide(desc.dtype), 1);
            own_buffer("running_mean", how_.running_mean);
            own_buffer("running_var", how_.running_var);
        }
        how_.momentum = desc.momentum;
        how_.eps = desc.eps;
    }

private:
    Ref<Tensor> filled(mpt_dtype dtype, double value) {
        const Ref<Tensor> t = new_tensor(*ctx, dtype, {desc_.features});
        ops::fill(t, value);
        return t;
    }

    Ref<Tensor> forward(const Ref<Tensor> &x) override {
        const bool last = kind_ == Norm::Layer || kind_ == Norm::Rms;
        const int dim = last ? x->shape.n - 1 : 1;
        if (x->shape.n <= dim || dim < 0 || x->shape[dim] != desc_.features)
            fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": this layer was made for ", desc_.features, last ? " elements in the last dimension" : " channels in dimension 1");
        switch (kind_) {
            case Norm::Batch: {
                ops::BatchNorm how = how_;
                how.training = training || desc_.no_running;
                return ops::batch_norm(x, how);
            }
            case Norm::Layer: return ops::layer_norm(x, 1, how_.weight, how_.bias, desc_.eps);
            case Norm::Rms: return ops::rms_norm(x, how_.weight, desc_.eps);
            case Norm::Group: return ops::group_norm(x, desc_.groups, how_.weight, how_.bias, desc_.eps);
            case Norm::Instance: return ops::instance_norm(x, how_.weight, how_.bias, desc_.eps);
        }
        fail(MPT_ERROR_INTERNAL, "an unknown norm");
    }

    const Norm kind_;
    const mpt_norm_desc desc_;
    ops::BatchNorm how_;
};

}  // namespace

Ref<mpt_layer> new_norm(Context &ctx, Norm kind, const mpt_norm_desc &desc) { return make<NormLayer>(ctx, kind, desc); }

}  // namespace mpt
