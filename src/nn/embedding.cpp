#include "device/attrs/data.h"
#include "nn/layers.h"
#include "ops/index.h"
#include "ops/ops.h"

namespace mpt {

namespace {

class Embedding final : public OneToOne {
public:
    Embedding(Context &context, const mpt_embedding_desc &desc)
        : OneToOne(context), padding_(desc.padding_index), weight_(new_tensor(context, desc.dtype, {desc.count, desc.dim})) {
        ops::random(weight_, MPT_RANDOM_NORMAL, 0, desc.std);
        if (padding_ >= 0) ops::fill(ops::slice(weight_, 0, padding_, 1), 0);
        own("weight", weight_);
    }

private:
    Ref<Tensor> forward(const Ref<Tensor> &index) override { return ops::embedding(index, weight_, padding_); }
    const std::int64_t padding_;
    const Ref<Tensor> weight_;
};

}  // namespace

Ref<mpt_layer> new_embedding(Context &ctx, const mpt_embedding_desc &desc) { return make<Embedding>(ctx, desc); }

}  // namespace mpt
