// Every layer against PyTorch's module in parity.txt, with the record's parameters.
#include <memory>
#include <type_traits>

#include "oracle/parity.h"

namespace parity {

namespace {

using test::Layer;
using Make = std::function<mpt_status(const Args &, mpt_layer **)>;

template <class Desc>
Make conv(mpt_status (*init)(Desc *, std::size_t), mpt_status (*make)(mpt_context *, const Desc *, mpt_layer **)) {
    return [=](const Args &a, mpt_layer **out) {
        Desc d;
        MUST(init(&d, sizeof d));
        d.dtype = a.format;
        a.take("in_channels", d.in_channels);
        a.take("out_channels", d.out_channels);
        a.take("groups", d.groups);
        a.take("no_bias", d.no_bias);
        if constexpr (std::is_same_v<Desc, mpt_conv2d_desc>) {
            a.take("kernel", d.kernel_h, d.kernel_w);
            a.take("stride", d.stride_h, d.stride_w);
            a.take("padding", d.padding_h, d.padding_w);
            a.take("dilation", d.dilation_h, d.dilation_w);
            a.take("output_padding", d.output_padding_h, d.output_padding_w);
        } else {
            a.take("kernel", d.kernel);
            a.take("stride", d.stride);
            a.take("padding", d.padding);
            a.take("dilation", d.dilation);
            a.take("output_padding", d.output_padding);
        }
        return make(a.ctx, &d, out);
    };
}

Make norm(mpt_status (*make)(mpt_context *, const mpt_norm_desc *, mpt_layer **)) {
    return [=](const Args &a, mpt_layer **out) {
        mpt_norm_desc d;
        MUST(mpt_norm_desc_init(&d, sizeof d));
        d.dtype = a.format;
        a.take("features", d.features);
        a.take("groups", d.groups);
        a.take("eps", d.eps);
        a.take("momentum", d.momentum);
        a.take("no_affine", d.no_affine);
        a.take("no_running", d.no_running);
        a.take("no_bias", d.no_bias);
        return make(a.ctx, &d, out);
    };
}

Make pool(mpt_status (*make)(mpt_context *, const mpt_pool2d_params *, mpt_layer **)) {
    return [=](const Args &a, mpt_layer **out) {
        mpt_pool2d_params p;
        MUST(mpt_pool2d_params_init(&p, sizeof p));
        a.take("kernel", p.kernel_h, p.kernel_w);
        a.take("stride", p.stride_h, p.stride_w);
        a.take("padding", p.padding_h, p.padding_w);
        a.take("exclude_padding", p.exclude_padding);
        return make(a.ctx, &p, out);
    };
}
Make pool(mpt_status (*make)(mpt_context *, std::int32_t, std::int32_t, std::int32_t, mpt_layer **)) {
    return [=](const Args &a, mpt_layer **out) {
        return make(a.ctx, a.integer("kernel"), a.integer("stride"), a.integer("padding"), out);
    };
}
Make adaptive(mpt_status (*make)(mpt_context *, std::int64_t, std::int64_t, mpt_layer **)) {
    return [=](const Args &a, mpt_layer **out) { return make(a.ctx, a.integer("height"), a.integer("width"), out); };
}

mpt_status linear(const Args &a, mpt_layer **out) {
    mpt_linear_desc d;
    MUST(mpt_linear_desc_init(&d, sizeof d));
    d.dtype = a.format;
    d.in_features = d.out_features = 4;  // of a container's children
    a.take("in_features", d.in_features);
    a.take("out_features", d.out_features);
    a.take("no_bias", d.no_bias);
    return mpt_layer_linear(a.ctx, &d, out);
}

Layer child(const Args &a) {
    Layer layer;
    MUST(linear(a, layer.out()));
    return layer;
}

mpt_status embedding(const Args &a, mpt_layer **out) {
    mpt_embedding_desc d;
    MUST(mpt_embedding_desc_init(&d, sizeof d));
    d.dtype = a.format;
    a.take("count", d.count);
    a.take("dim", d.dim);
    a.take("padding_index", d.padding_index);
    return mpt_layer_embedding(a.ctx, &d, out);
}

mpt_status recurrent(const Args &a, mpt_layer **out) {
    mpt_recurrent_desc d;
    MUST(mpt_recurrent_desc_init(&d, sizeof d));
    d.dtype = a.format;
    d.kind = a.constant<mpt_recurrent_kind>("kind");
    a.take("input_size", d.input_size);
    a.take("hidden_size", d.hidden_size);
    a.take("layers", d.layers);
    a.take("bidirectional", d.bidirectional);
    a.take("batch_first", d.batch_first);
    a.take("no_bias", d.no_bias);
    return mpt_layer_recurrent(a.ctx, &d, out);
}

mpt_status attention(const Args &a, mpt_layer **out) {
    mpt_attention_desc d;
    MUST(mpt_attention_desc_init(&d, sizeof d));
    d.dtype = a.format;
    a.take("embed_dim", d.embed_dim);
    a.take("heads", d.heads);
    a.take("causal", d.causal);
    a.take("no_bias", d.no_bias);
    return mpt_layer_attention(a.ctx, &d, out);
}

mpt_status sequential(const Args &a, mpt_layer **out) {
    Layer between;
    MUST(mpt_layer_sequential(a.ctx, out));
    MUST(mpt_layer_activation(a.ctx, MPT_ACTIVATION_TANH, 0, between.out()));
    MUST(mpt_layer_add(*out, nullptr, child(a)));
    MUST(mpt_layer_add(*out, nullptr, between));
    return mpt_layer_add(*out, nullptr, child(a));
}

mpt_status residual(const Args &a, mpt_layer **out) {
    const Layer body = child(a), shortcut = a.integer("shortcut") ? child(a) : Layer();
    return mpt_layer_residual(a.ctx, body, shortcut, out);
}

mpt_status parallel(const Args &a, mpt_layer **out) {
    MUST(mpt_layer_parallel(a.ctx, a.constant<mpt_join>("join"), a.integer("dim"), out));
    MUST(mpt_layer_add(*out, nullptr, child(a)));
    return mpt_layer_add(*out, nullptr, child(a));
}

const std::map<std::string, Make> &table() {
    static const std::map<std::string, Make> all = {
        {"mpt_layer_linear", linear},
        {"mpt_layer_conv2d", conv(mpt_conv2d_desc_init, mpt_layer_conv2d)},
        {"mpt_layer_conv_transpose2d", conv(mpt_conv2d_desc_init, mpt_layer_conv_transpose2d)},
        {"mpt_layer_conv1d", conv(mpt_conv1d_desc_init, mpt_layer_conv1d)},
        {"mpt_layer_conv_transpose1d", conv(mpt_conv1d_desc_init, mpt_layer_conv_transpose1d)},
        {"mpt_layer_batch_norm", norm(mpt_layer_batch_norm)},
        {"mpt_layer_layer_norm", norm(mpt_layer_layer_norm)},
        {"mpt_layer_rms_norm", norm(mpt_layer_rms_norm)},
        {"mpt_layer_group_norm", norm(mpt_layer_group_norm)},
        {"mpt_layer_instance_norm", norm(mpt_layer_instance_norm)},
        {"mpt_layer_embedding", embedding},
        {"mpt_layer_recurrent", recurrent},
        {"mpt_layer_attention", attention},
        {"mpt_layer_max_pool2d", pool(mpt_layer_max_pool2d)},
        {"mpt_layer_avg_pool2d", pool(mpt_layer_avg_pool2d)},
        {"mpt_layer_max_pool1d", pool(mpt_layer_max_pool1d)},
        {"mpt_layer_avg_pool1d", pool(mpt_layer_avg_pool1d)},
        {"mpt_layer_adaptive_avg_pool2d", adaptive(mpt_layer_adaptive_avg_pool2d)},
        {"mpt_layer_adaptive_max_pool2d", adaptive(mpt_layer_adaptive_max_pool2d)},
        {"mpt_layer_upsample2d",
         [](const Args &a, mpt_layer **out) {
             return mpt_layer_upsample2d(a.ctx, a.integer("factor_h"), a.integer("factor_w"), a.constant<mpt_upsample_mode>("mode"),
                                         out);
         }},
        {"mpt_layer_dropout", [](const Args &a, mpt_layer **out) { return mpt_layer_dropout(a.ctx, a.number("p"), out); }},
        {"mpt_layer_activation",
         [](const Args &a, mpt_layer **out) {
             return mpt_layer_activation(a.ctx, a.constant<mpt_activation>("kind"), a.number("parameter"), out);
         }},
        {"mpt_layer_relu", [](const Args &a, mpt_layer **out) { return mpt_layer_relu(a.ctx, out); }},
        {"mpt_layer_softmax", [](const Args &a, mpt_layer **out) { return mpt_layer_softmax(a.ctx, a.integer("dim"), out); }},
        {"mpt_layer_flatten", [](const Args &a, mpt_layer **out) { return mpt_layer_flatten(a.ctx, out); }},
        {"mpt_layer_sequential", sequential},
        {"mpt_layer_residual", residual},
        {"mpt_layer_parallel", parallel},
    };
    return all;
}

using Count = mpt_status (*)(const mpt_layer *, std::int32_t *);
using Get = mpt_status (*)(const mpt_layer *, std::int32_t, mpt_tensor **);
using Name = mpt_status (*)(const mpt_layer *, std::int32_t, char *, std::size_t, std::size_t *);

// Fills the layer's parameters or buffers with the record's, which must be the same by name and shape.
void load(const mpt_layer *layer, Count count, Get get, Name name, const Record &record, const std::string &word, mpt_dtype format,
          Leaves &leaves) {
    std::int32_t n = 0;
    MUST(count(layer, &n));
    EXPECT_EQ(static_cast<std::size_t>(n), record.list(word).size()) << "number of " << word << " lines";
    for (std::int32_t i = 0; i < n; ++i) {
        char text[128];
        MUST(name(layer, i, text, sizeof text, nullptr));
        const Array *values = record.find(word, text);
        if (!values) throw std::runtime_error(std::string("PyTorch's module has no ") + text);
        test::Tensor tensor;
        MUST(get(layer, i, tensor.out()));
        EXPECT_EQ(test::shape_of(tensor), values->shape) << text;
        EXPECT_EQ(test::dtype_of(tensor), type_of(values->kind, format)) << text;
        test::write(tensor, values->data);
        leaves[text] = std::move(tensor);
    }
}

Function layer_call(const Make &make, const Record &record, Args &args, Leaves &leaves) {
    const auto layer = std::make_shared<Layer>();
    test::must(make(args, layer->out()), record.function.c_str());
    MUST(mpt_no_grad_begin(args.ctx));
    load(*layer, mpt_layer_parameter_count, mpt_layer_parameter, mpt_layer_parameter_name, record, "param", args.format, leaves);
    load(*layer, mpt_layer_buffer_count, mpt_layer_buffer, mpt_layer_buffer_name, record, "buffer", args.format, leaves);
    MUST(mpt_no_grad_end(args.ctx));
    if (args.has("training")) MUST(mpt_layer_set_training(*layer, args.integer("training")));
    return [layer](const Args &a, mpt_tensor **out) {
        return mpt_layer_forward(*layer, a.all().data(), static_cast<std::int32_t>(a.inputs.size()), out,
                                 static_cast<std::int32_t>(a.outputs()));
    };
}

}  // namespace

class LayerParity : public ParityTest {};

TEST_P(LayerParity, IsPyTorchs) {
    const Make &make = table().at(GetParam().function);
    each_record([&](mpt_context *ctx, const Record &record, mpt_dtype format) {
        check(ctx, record, format, [&](Args &args, Leaves &leaves) { return layer_call(make, record, args, leaves); });
    });
}

INSTANTIATE_TEST_SUITE_P(Oracle, LayerParity, testing::ValuesIn(subjects(keys(table()))), label);

}  // namespace parity
