// Every op against PyTorch's results in parity.txt: how each is called with a record's settings.
#include "oracle/parity.h"

namespace parity {

namespace {

using Unary = mpt_status (*)(mpt_tensor *, mpt_tensor **);
using Binary = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_tensor **);
using Reduction = mpt_status (*)(mpt_tensor *, std::int32_t, const std::int32_t *, std::int32_t, mpt_tensor **);
using Loss = mpt_status (*)(mpt_tensor *, mpt_tensor *, mpt_reduction, mpt_tensor **);
using Along = mpt_status (*)(mpt_tensor *, std::int32_t, mpt_tensor **);
using Table = std::map<std::string, Function>;

Function unary(Unary f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], out); };
}
Function binary(Binary f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a[1], out); };
}
Function along(Along f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a.integer("dim"), out); };
}

// The dimensions of a reduction; NULL where the record names none.
struct Dims {
    std::vector<std::int32_t> list;
    explicit Dims(const Args &a) : list(a.list<std::int32_t>("dims")) {}
    std::int32_t n() const { return static_cast<std::int32_t>(list.size()); }
    const std::int32_t *data() const { return list.empty() ? nullptr : list.data(); }
};
Function reduction(Reduction f) {
    return [=](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return f(a[0], dims.n(), dims.data(), a.integer("keep_dims"), out);
    };
}

mpt_reduction reduction_of(const Args &a) {
    return a.constant<mpt_reduction>("reduction");
}
Function loss(Loss f) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a[1], reduction_of(a), out); };
}

void add_elementwise(Table &t) {
    const std::map<std::string, Unary> plain = {
        {"mpt_neg", mpt_neg},           {"mpt_exp", mpt_exp},           {"mpt_log", mpt_log},
        {"mpt_sqrt", mpt_sqrt},         {"mpt_relu", mpt_relu},         {"mpt_abs", mpt_abs},
        {"mpt_sign", mpt_sign},         {"mpt_square", mpt_square},     {"mpt_rsqrt", mpt_rsqrt},
        {"mpt_reciprocal", mpt_reciprocal}, {"mpt_exp2", mpt_exp2},     {"mpt_expm1", mpt_expm1},
        {"mpt_log2", mpt_log2},         {"mpt_log10", mpt_log10},       {"mpt_log1p", mpt_log1p},
        {"mpt_sin", mpt_sin},           {"mpt_cos", mpt_cos},           {"mpt_tan", mpt_tan},
        {"mpt_asin", mpt_asin},         {"mpt_acos", mpt_acos},         {"mpt_atan", mpt_atan},
        {"mpt_sinh", mpt_sinh},         {"mpt_cosh", mpt_cosh},         {"mpt_tanh", mpt_tanh},
        {"mpt_asinh", mpt_asinh},       {"mpt_acosh", mpt_acosh},       {"mpt_atanh", mpt_atanh},
        {"mpt_erf", mpt_erf},           {"mpt_floor", mpt_floor},       {"mpt_ceil", mpt_ceil},
        {"mpt_round", mpt_round},       {"mpt_trunc", mpt_trunc},       {"mpt_sigmoid", mpt_sigmoid},
        {"mpt_silu", mpt_silu},         {"mpt_softplus", mpt_softplus}, {"mpt_isnan", mpt_isnan},
        {"mpt_isinf", mpt_isinf},       {"mpt_isfinite", mpt_isfinite}, {"mpt_logical_not", mpt_logical_not},
    };
    for (const auto &[name, f] : plain) t[name] = unary(f);
    const std::map<std::string, Binary> pairs = {
        {"mpt_add", mpt_add},
        {"mpt_sub", mpt_sub},
        {"mpt_mul", mpt_mul},
        {"mpt_div", mpt_div},
        {"mpt_pow", mpt_pow},
        {"mpt_maximum", mpt_maximum},
        {"mpt_minimum", mpt_minimum},
        {"mpt_fmod", mpt_fmod},
        {"mpt_remainder", mpt_remainder},
        {"mpt_floor_divide", mpt_floor_divide},
        {"mpt_atan2", mpt_atan2},
        {"mpt_equal", mpt_equal},
        {"mpt_not_equal", mpt_not_equal},
        {"mpt_less", mpt_less},
        {"mpt_less_equal", mpt_less_equal},
        {"mpt_greater", mpt_greater},
        {"mpt_greater_equal", mpt_greater_equal},
        {"mpt_logical_and", mpt_logical_and},
        {"mpt_logical_or", mpt_logical_or},
        {"mpt_logical_xor", mpt_logical_xor},
        {"mpt_matmul", mpt_matmul},
    };
    for (const auto &[name, f] : pairs) t[name] = binary(f);
    t["mpt_affine"] = [](const Args &a, mpt_tensor **out) { return mpt_affine(a[0], a.number("scale"), a.number("shift"), out); };
    t["mpt_leaky_relu"] = [](const Args &a, mpt_tensor **out) { return mpt_leaky_relu(a[0], a.number("slope"), out); };
    t["mpt_elu"] = [](const Args &a, mpt_tensor **out) { return mpt_elu(a[0], a.number("alpha"), out); };
    t["mpt_gelu"] = [](const Args &a, mpt_tensor **out) { return mpt_gelu(a[0], a.constant<mpt_gelu_kind>("kind"), out); };
    t["mpt_clamp"] = [](const Args &a, mpt_tensor **out) { return mpt_clamp(a[0], a.number("low"), a.number("high"), out); };
    t["mpt_pow_scalar"] = [](const Args &a, mpt_tensor **out) { return mpt_pow_scalar(a[0], a.number("exponent"), out); };
    t["mpt_where"] = [](const Args &a, mpt_tensor **out) { return mpt_where(a[0], a[1], a[2], out); };
}

void add_reductions(Table &t) {
    const std::map<std::string, Reduction> plain = {{"mpt_sum", mpt_sum},   {"mpt_mean", mpt_mean}, {"mpt_max", mpt_max},
                                                    {"mpt_min", mpt_min},   {"mpt_prod", mpt_prod}, {"mpt_norm", mpt_norm},
                                                    {"mpt_logsumexp", mpt_logsumexp}, {"mpt_any", mpt_any}, {"mpt_all", mpt_all}};
    for (const auto &[name, f] : plain) t[name] = reduction(f);
    t["mpt_var"] = [](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return mpt_var(a[0], dims.n(), dims.data(), a.integer("keep_dims"), a.number("correction"), out);
    };
    t["mpt_argmax"] = [](const Args &a, mpt_tensor **out) { return mpt_argmax(a[0], a.integer("dim"), a.integer("keep_dims"), out); };
    t["mpt_argmin"] = [](const Args &a, mpt_tensor **out) { return mpt_argmin(a[0], a.integer("dim"), a.integer("keep_dims"), out); };
    t["mpt_cumsum"] = along(mpt_cumsum);
    t["mpt_sort"] = [](const Args &a, mpt_tensor **out) { return mpt_sort(a[0], a.integer("dim"), a.integer("descending"), out, out + 1); };
    t["mpt_topk"] = [](const Args &a, mpt_tensor **out) {
        return mpt_topk(a[0], a.integer("k"), a.integer("dim"), a.integer("largest"), out, out + 1);
    };
    t["mpt_softmax"] = along(mpt_softmax);
    t["mpt_log_softmax"] = along(mpt_log_softmax);
}

void add_shapes(Table &t) {
    t["mpt_reshape"] = [](const Args &a, mpt_tensor **out) {
        const auto shape = a.list("shape");
        return mpt_reshape(a[0], static_cast<std::int32_t>(shape.size()), shape.data(), out);
    };
    t["mpt_expand"] = [](const Args &a, mpt_tensor **out) {
        const auto shape = a.list("shape");
        return mpt_expand(a[0], static_cast<std::int32_t>(shape.size()), shape.data(), out);
    };
    t["mpt_transpose"] = [](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return mpt_transpose(a[0], dims.n(), dims.data(), out);
    };
    t["mpt_flip"] = [](const Args &a, mpt_tensor **out) {
        const Dims dims(a);
        return mpt_flip(a[0], dims.n(), dims.data(), out);
    };
    t["mpt_slice"] = [](const Args &a, mpt_tensor **out) { return mpt_slice(a[0], a.integer("dim"), a.integer("start"), a.integer("length"), out); };
    t["mpt_cast"] = [](const Args &a, mpt_tensor **out) { return mpt_cast(a[0], a.constant<mpt_dtype>("dtype"), out); };
    t["mpt_squeeze"] = along(mpt_squeeze);
    t["mpt_unsqueeze"] = along(mpt_unsqueeze);
    t["mpt_contiguous"] = [](const Args &a, mpt_tensor **out) {
        test::Tensor view;
        const mpt_status status = mpt_transpose(a[0], 0, nullptr, view.out());
        return status == MPT_OK ? mpt_contiguous(view, out) : status;
    };
    t["mpt_concat"] = [](const Args &a, mpt_tensor **out) {
        return mpt_concat(a.all().data(), static_cast<std::int32_t>(a.inputs.size()), a.integer("dim"), out);
    };
    t["mpt_stack"] = [](const Args &a, mpt_tensor **out) {
        return mpt_stack(a.all().data(), static_cast<std::int32_t>(a.inputs.size()), a.integer("dim"), out);
    };
    t["mpt_split"] = [](const Args &a, mpt_tensor **out) {
        const auto lengths = a.list("lengths");
        return mpt_split(a[0], a.integer("dim"), lengths.data(), static_cast<std::int32_t>(lengths.size()), out);
    };
    t["mpt_pad"] = [](const Args &a, mpt_tensor **out) {
        const auto before = a.list("before"), after = a.list("after");
        return mpt_pad(a[0], static_cast<std::int32_t>(before.size()), before.data(), after.data(), a.number("value"), out);
    };
    t["mpt_tile"] = [](const Args &a, mpt_tensor **out) {
        const auto repeats = a.list("repeats");
        return mpt_tile(a[0], static_cast<std::int32_t>(repeats.size()), repeats.data(), out);
    };
    t["mpt_tril"] = [](const Args &a, mpt_tensor **out) { return mpt_tril(a[0], a.integer("diagonal"), out); };
    t["mpt_triu"] = [](const Args &a, mpt_tensor **out) { return mpt_triu(a[0], a.integer("diagonal"), out); };
    t["mpt_index_select"] = [](const Args &a, mpt_tensor **out) { return mpt_index_select(a[0], a.integer("dim"), a[1], out); };
    t["mpt_gather"] = [](const Args &a, mpt_tensor **out) { return mpt_gather(a[0], a.integer("dim"), a[1], out); };
    t["mpt_scatter_add"] = [](const Args &a, mpt_tensor **out) { return mpt_scatter_add(a[0], a.integer("dim"), a[1], a[2], out); };
    t["mpt_one_hot"] = [](const Args &a, mpt_tensor **out) { return mpt_one_hot(a[0], a.integer("classes"), a.constant<mpt_dtype>("dtype"), out); };
    t["mpt_embedding"] = [](const Args &a, mpt_tensor **out) { return mpt_embedding(a[0], a[1], a.integer("padding_index"), out); };
}

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
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a.integer("kernel"), a.integer("stride"), a.integer("padding"), out); };
}

Function adaptive(mpt_status (*f)(mpt_tensor *, std::int64_t, std::int64_t, mpt_tensor **)) {
    return [=](const Args &a, mpt_tensor **out) { return f(a[0], a.integer("height"), a.integer("width"), out); };
}

void add_images(Table &t) {
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
    t["mpt_layer_norm"] = [](const Args &a, mpt_tensor **out) { return mpt_layer_norm(a[0], a.integer("dims"), a[1], a[2], a.number("eps"), out); };
    t["mpt_rms_norm"] = [](const Args &a, mpt_tensor **out) { return mpt_rms_norm(a[0], a[1], a.number("eps"), out); };
    t["mpt_group_norm"] = [](const Args &a, mpt_tensor **out) { return mpt_group_norm(a[0], a.integer("groups"), a[1], a[2], a.number("eps"), out); };
    t["mpt_instance_norm"] = [](const Args &a, mpt_tensor **out) { return mpt_instance_norm(a[0], a[1], a[2], a.number("eps"), out); };
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
    t["mpt_hinge"] = [](const Args &a, mpt_tensor **out) { return mpt_hinge(a[0], a[1], a.number("margin"), reduction_of(a), out); };
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
        add_elementwise(t);
        add_reductions(t);
        add_shapes(t);
        add_images(t);
        add_losses(t);
        return t;
    }();
    return all;
}

}  // namespace

class OpParity : public ParityTest {};

TEST_P(OpParity, IsPyTorchs) {
    const Function &call = table().at(GetParam().function);
    each_record([&](mpt_context *ctx, const Record &record, mpt_dtype format) {
        check(ctx, record, format, [&](Args &, Leaves &) { return call; });
    });
}

INSTANTIATE_TEST_SUITE_P(Oracle, OpParity, testing::ValuesIn(subjects(keys(table()))), label);

}  // namespace parity
