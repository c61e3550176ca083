// Products, convolutions, pools, norms, attention, cells and losses (parity_products.py) against PyTorch's results in parity.txt.
#include "oracle/parity.h"

namespace parity {

namespace {

template <class Params>
using Convolution = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_tensor *, const Params *, mpt_tensor **);

Function convolution(Convolution<mpt_conv2d_params> f) {
    return [=](const Args &a, mpt_tensor **out) {
        mpt_conv2d_params p;
        MUST(mpt_conv2d_params_init(&p, sizeof p));
        a.take("stride", p.stride_h, p.stride_w);
        a.take("padding", p.padding_h, p.padding_w);
        a.take("dilation", p.dilation_h, p.dilation_w);
        a.take("output_padding", p.output_padding_h, p.output_padding_w);
        a.take("groups", p.groups);
        return f(a[0], a[1], a[2], &p, out);
    };
}
Function convolution(Convolution<mpt_conv1d_params> f) {
    return [=](const Args &a, mpt_tensor **out) {
        mpt_conv1d_params p;
        MUST(mpt_conv1d_params_init(&p, sizeof p));
        a.take("stride", p.stride);
        a.take("padding", p.padding);
        a.take("dilation", p.dilation);
        a.take("output_padding", p.output_padding);
        a.take("groups", p.groups);
        return f(a[0], a[1], a[2], &p, out);
    };
}

Function pool(mpt_status (*f)(mpt_tensor *, const mpt_pool2d_params *, mpt_tensor **)) {
    return [=](const Args &a, mpt_tensor **out) {
        mpt_pool2d_params p;
        MUST(mpt_pool2d_params_init(&p, sizeof p));
        a.take("kernel", p.kernel_h, p.kernel_w);
        a.take("stride", p.stride_h, p.stride_w);
        a.take("padding", p.padding_h, p.padding_w);
        a.take("exclude_padding", p.exclude_padding);
        return f(a[0], &p, out);
    };
}

Function pool(mpt_status (*f)(mpt_tensor *, std::int32_t, std::int32_t, std::int32_t, mpt_tensor **)) {
    return [=](const Args &a, mpt_tensor **out) {
        return f(a[0], a.integer("kernel"), a.integer("stride"), a.integer("padding"), out);
    };
}

Function adaptive(mpt_status (*f)(mpt_tensor *, std::int64_t, std::int64_t, mpt_tensor **)) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a.integer("height"), a.integer("width"), out); };
}

void add_products(Table &t) {
    t["mpt_matmul"] = [](const Args &a, mpt_tensor **out) { return mpt_matmul(a[0], a[1], out); };
    t["mpt_softmax"] = [](const Args &a, mpt_tensor **out) { return mpt_softmax(a[0], a.integer("dim"), out); };
    t["mpt_log_softmax"] = [](const Args &a, mpt_tensor **out) { return mpt_log_softmax(a[0], a.integer("dim"), out); };
    t["mpt_linear"] = [](const Args &a, mpt_tensor **out) { return mpt_linear(a[0], a[1], a[2], out); };
    t["mpt_conv2d"] = convolution(mpt_conv2d);
    t["mpt_conv_transpose2d"] = convolution(mpt_conv_transpose2d);
    t["mpt_conv1d"] = convolution(mpt_conv1d);
    t["mpt_conv_transpose1d"] = convolution(mpt_conv_transpose1d);
    t["mpt_max_pool2d"] = pool(mpt_max_pool2d);
    t["mpt_avg_pool2d"] = pool(mpt_avg_pool2d);
    t["mpt_max_pool1d"] = pool(mpt_max_pool1d);
    t["mpt_avg_pool1d"] = pool(mpt_avg_pool1d);
    t["mpt_adaptive_avg_pool2d"] = adaptive(mpt_adaptive_avg_pool2d);
    t["mpt_adaptive_max_pool2d"] = adaptive(mpt_adaptive_max_pool2d);
    t["mpt_upsample2d"] = [](const Args &a, mpt_tensor **out) {
        return mpt_upsample2d(a[0], a.integer("height"), a.integer("width"), a.constant<mpt_upsample_mode>("mode"), out);
    };
    t["mpt_batch_norm"] = [](const Args &a, mpt_tensor **out) {
        return mpt_batch_norm(a[0], a[1], a[2], a[3], a[4], a.integer("training"), a.number("momentum"), a.number("eps"), out);
    };
    t["mpt_layer_norm"] = [](const Args &a, mpt_tensor **out) {
        return mpt_layer_norm(a[0], a.integer("dims"), a[1], a[2], a.number("eps"), out);
    };
    t["mpt_rms_norm"] = [](const Args &a, mpt_tensor **out) { return mpt_rms_norm(a[0], a[1], a.number("eps"), out); };
    t["mpt_group_norm"] = [](const Args &a, mpt_tensor **out) {
        return mpt_group_norm(a[0], a.integer("groups"), a[1], a[2], a.number("eps"), out);
    };
    t["mpt_instance_norm"] = [](const Args &a, mpt_tensor **out) {
        return mpt_instance_norm(a[0], a[1], a[2], a.number("eps"), out);
    };
    t["mpt_attention"] = [](const Args &a, mpt_tensor **out) {
        mpt_attention_params p;
        MUST(mpt_attention_params_init(&p, sizeof p));
        a.take("causal", p.causal);
        a.take("scale", p.scale);
        return mpt_attention(a[0], a[1], a[2], a[3], &p, out);
    };
    t["mpt_lstm_cell"] = [](const Args &a, mpt_tensor **out) { return mpt_lstm_cell(a[0], a[1], out, out + 1); };
    t["mpt_gru_cell"] = [](const Args &a, mpt_tensor **out) { return mpt_gru_cell(a[0], a[1], a[2], out); };
}

using Loss = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_reduction, mpt_tensor **);
mpt_reduction reduction_of(const Args &a) {
    return a.constant<mpt_reduction>("reduction");
}
Function loss(Loss f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a[1], reduction_of(a), out); };
}

using ClassLoss = mpt_status (*)(mpt_tensor *, mpt_tensor *, const mpt_cross_entropy_params *, mpt_tensor **);
Function class_loss(ClassLoss f) {
    return [=](const Args &a, mpt_tensor **out) {
        mpt_cross_entropy_params p;
        MUST(mpt_cross_entropy_params_init(&p, sizeof p));
        p.reduction = reduction_of(a);
        p.weight = a[2];
        a.take("label_smoothing", p.label_smoothing);
        a.take("ignore_index", p.ignore_index);
        return f(a[0], a[1], &p, out);
    };
}

void add_losses(Table &t) {
    t["mpt_cross_entropy"] = class_loss(mpt_cross_entropy);
    t["mpt_nll"] = class_loss(mpt_nll);
    t["mpt_mse"] = loss(mpt_mse);
    t["mpt_l1"] = loss(mpt_l1);
    t["mpt_kl_div"] = loss(mpt_kl_div);
    t["mpt_huber"] = [](const Args &a, mpt_tensor **out) { return mpt_huber(a[0], a[1], a.number("delta"), reduction_of(a), out); };
    t["mpt_bce_with_logits"] = [](const Args &a, mpt_tensor **out) {
        return mpt_bce_with_logits(a[0], a[1], a.number("positive_weight"), reduction_of(a), out);
    };
    t["mpt_hinge"] = [](const Args &a, mpt_tensor **out) {
        return mpt_hinge(a[0], a[1], a.number("margin"), reduction_of(a), out);
    };
    t["mpt_cosine_similarity"] = [](const Args &a, mpt_tensor **out) {
        return mpt_cosine_similarity(a[0], a[1], a.integer("dim"), a.number("eps"), out);
    };
    t["mpt_cosine_embedding"] = [](const Args &a, mpt_tensor **out) {
        return mpt_cosine_embedding(a[0], a[1], a[2], a.number("margin"), reduction_of(a), out);
    };
    t["mpt_ctc"] = [](const Args &a, mpt_tensor **out) {  // of logits: see parity_products.py
        test::Tensor log_probabilities;
        const mpt_status status = mpt_log_softmax(a[0], 2, log_probabilities.out());
        if (status != MPT_OK) return status;
        return mpt_ctc(log_probabilities, a[1], a[2], a[3], a.integer("blank"), reduction_of(a), a.integer("zero_infinity"), out);
    };
}

const Table &table() {
    static const Table all = [] {
        Table t;
        add_products(t);
        add_losses(t);
        return t;
    }();
    return all;
}

}  // namespace

class ProductParity : public ParityTest {};

TEST_P(ProductParity, IsPyTorchs) {
    run(table());
}

INSTANTIATE_TEST_SUITE_P(Oracle, ProductParity, testing::ValuesIn(subjects(keys(table()))), label);

}  // namespace parity
