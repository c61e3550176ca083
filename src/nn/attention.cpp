// Multi-head attention [Vaswani et al. 2017], parameters as torch.nn.MultiheadAttention names and lays them out.
#include "ops/attention.h"

#include "core/error.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "ops/ops.h"
#include "ops/shape.h"

namespace mpt {

namespace {

class Attention final : public mpt_layer {
public:
    Attention(Context &context, const mpt_attention_desc &desc)
        : mpt_layer(context), embed_(desc.embed_dim), heads_(desc.heads), dropout_(desc.dropout), causal_(desc.causal) {
        in_weight_ = new_tensor(context, desc.dtype, {3 * embed_, embed_});
        initialize(in_weight_, MPT_INIT_XAVIER_UNIFORM);
        own("in_proj_weight", in_weight_);
        if (!desc.no_bias) {
            in_bias_ = new_tensor(context, desc.dtype, {3 * embed_});
            ops::fill(in_bias_, 0);
            own("in_proj_bias", in_bias_);
        }
        mpt_linear_desc out = {};
        out.struct_size = sizeof out;
        out.in_features = out.out_features = embed_;
        out.no_bias = desc.no_bias;
        out.dtype = desc.dtype;
        out_ = new_linear(context, out);
        if (!desc.no_bias) ops::fill_now(out_->parameters().back().second, 0);
        adopt("out_proj", out_);
    }

private:
    Tensors forward(const Tensors &inputs, std::size_t) override {
        const std::size_t n = inputs.size();
        if (n != 1 && n != 3 && n != 4)
            fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", n, ": attention takes x, or query, key, value, or these and a mask");
        for (std::size_t i = 0; i < std::min<std::size_t>(n, 3); ++i)
            if (inputs[i]->shape.n != 3 || inputs[i]->shape[2] != embed_)
                fail(MPT_ERROR_SHAPE, "input ", i, " has shape ", inputs[i]->shape, ": attention takes [N, T, ", embed_, "]");
        Ref<Tensor> q, k, v;
        if (n == 1 || (inputs[0] == inputs[1] && inputs[1] == inputs[2])) {
            const Tensors parts = ops::split(ops::linear(inputs[0], in_weight_, in_bias_), 2, thirds());
            q = parts[0], k = parts[1], v = parts[2];
        } else {
            const Tensors weights = ops::split(in_weight_, 0, thirds()), biases = in_bias_ ? ops::split(in_bias_, 0, thirds()) : Tensors(3);
            q = ops::linear(inputs[0], weights[0], biases[0]);
            k = ops::linear(inputs[1], weights[1], biases[1]);
            v = ops::linear(inputs[2], weights[2], biases[2]);
        }
        mpt_attrs_attention attrs = {};
        attrs.causal = causal_;
        attrs.dropout = training ? dropout_ : 0;
        const Ref<Tensor> heads = ops::attention(split(q), split(k), split(v), n == 4 ? inputs[3] : nullptr, attrs);
        const std::int64_t batch = inputs[0]->shape[0], length = inputs[0]->shape[1];
        const Ref<Tensor> merged = ops::reshape(ops::transpose(heads, {0, 2, 1, 3}), {batch, length, embed_});
        return run_child("out_proj", *out_, {merged});
    }

    // Of queries, keys and values.
    std::vector<std::int64_t> thirds() const { return {embed_, embed_, embed_}; }
    // [N,T,E] -> [N,heads,T,E/heads], a view.
    Ref<Tensor> split(const Ref<Tensor> &x) const {
        return ops::transpose(ops::reshape(x, {x->shape[0], x->shape[1], heads_, embed_ / heads_}), {0, 2, 1, 3});
    }

    const std::int64_t embed_, heads_;
    const double dropout_;
    const int causal_;
    Ref<Tensor> in_weight_, in_bias_;
    Ref<mpt_layer> out_;
};

}  // namespace

Ref<mpt_layer> new_attention(Context &ctx, const mpt_attention_desc &desc) { return make<Attention>(ctx, desc); }

}  // namespace mpt
