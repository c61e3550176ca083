// Layers with parameters or state that are no products: norms, embedding, recurrent, attention.
#include "api/layers.h"

using namespace mpt;

namespace {

mpt_norm_desc default_norm() {
    mpt_norm_desc d = {};
    d.struct_size = sizeof d;
    d.groups = 1;
    d.eps = 1e-5;
    d.momentum = 0.1;
    d.dtype = MPT_F32;
    return d;
}

mpt_embedding_desc default_embedding() {
    mpt_embedding_desc d = {};
    d.struct_size = sizeof d;
    d.dtype = MPT_F32;
    d.padding_index = -1;
    d.std = 1;
    return d;
}

mpt_recurrent_desc default_recurrent() {
    mpt_recurrent_desc d = {};
    d.struct_size = sizeof d;
    d.kind = MPT_RECURRENT_LSTM;
    d.layers = 1;
    d.dtype = MPT_F32;
    return d;
}

mpt_attention_desc default_attention() {
    mpt_attention_desc d = {};
    d.struct_size = sizeof d;
    d.heads = 1;
    d.dtype = MPT_F32;
    return d;
}

mpt_status norm(const char *function, mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out, Norm kind) {
    return api::create_layer(function, ctx, desc, default_norm(), out, [=](Context &c, const mpt_norm_desc &d) {
        api::at_least(d.features, 1, "desc", "features");
        api::at_least(d.groups, 1, "desc", "groups");
        if (kind == Norm::Group && d.features % d.groups != 0)
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': features ", d.features, " must be a multiple of groups ", d.groups);
        if (kind != Norm::Group && d.groups != 1) fail(MPT_ERROR_ARGUMENT, "argument 'desc': groups is ", d.groups, ": only group norm has groups");
        if (!(d.eps >= 0)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': eps is ", d.eps, ": it must not be negative");
        if (!(d.momentum >= 0 && d.momentum <= 1)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': momentum is ", d.momentum, ": it must be from [0, 1]");
        api::flag(d.no_affine, "desc", "no_affine");
        api::flag(d.no_running, "desc", "no_running");
        api::flag(d.no_bias, "desc", "no_bias");
        api::check_parameter_dtype(d.dtype);
        checked_bytes({d.features}, d.dtype, "argument 'desc': the weight's shape");
        return new_norm(c, kind, d);
    });
}

}  // namespace

mpt_status MPT_CALL mpt_norm_desc_init(mpt_norm_desc *desc, size_t nbytes) {
    return api::catching("mpt_norm_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_norm(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_batch_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out) {
    return norm("mpt_layer_batch_norm", ctx, desc, out, Norm::Batch);
}
mpt_status MPT_CALL mpt_layer_layer_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out) {
    return norm("mpt_layer_layer_norm", ctx, desc, out, Norm::Layer);
}
mpt_status MPT_CALL mpt_layer_rms_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out) {
    return norm("mpt_layer_rms_norm", ctx, desc, out, Norm::Rms);
}
mpt_status MPT_CALL mpt_layer_group_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out) {
    return norm("mpt_layer_group_norm", ctx, desc, out, Norm::Group);
}
mpt_status MPT_CALL mpt_layer_instance_norm(mpt_context *ctx, const mpt_norm_desc *desc, mpt_layer **out) {
    return norm("mpt_layer_instance_norm", ctx, desc, out, Norm::Instance);
}

mpt_status MPT_CALL mpt_embedding_desc_init(mpt_embedding_desc *desc, size_t nbytes) {
    return api::catching("mpt_embedding_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_embedding(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_embedding(mpt_context *ctx, const mpt_embedding_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_embedding", ctx, desc, default_embedding(), out, [](Context &c, const mpt_embedding_desc &d) {
        api::at_least(d.count, 1, "desc", "count");
        api::at_least(d.dim, 1, "desc", "dim");
        if (d.padding_index < -1 || d.padding_index >= d.count)
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': padding_index is ", d.padding_index, ": it must be -1 or from [0, ", d.count, ")");
        if (!(d.std >= 0)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': std is ", d.std, ": it must not be negative");
        api::check_parameter_dtype(d.dtype);
        checked_bytes({d.count, d.dim}, d.dtype, "argument 'desc': the weight's shape");
        return new_embedding(c, d);
    });
}

mpt_status MPT_CALL mpt_recurrent_desc_init(mpt_recurrent_desc *desc, size_t nbytes) {
    return api::catching("mpt_recurrent_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_recurrent(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_recurrent(mpt_context *ctx, const mpt_recurrent_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_recurrent", ctx, desc, default_recurrent(), out, [](Context &c, const mpt_recurrent_desc &d) {
        if (d.kind < MPT_RECURRENT_TANH || d.kind > MPT_RECURRENT_GRU)
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': kind is ", static_cast<int>(d.kind), ", which is none of mpt_recurrent_kind");
        api::at_least(d.input_size, 1, "desc", "input_size");
        api::at_least(d.hidden_size, 1, "desc", "hidden_size");
        api::at_least(d.layers, 1, "desc", "layers");
        api::flag(d.bidirectional, "desc", "bidirectional");
        api::flag(d.batch_first, "desc", "batch_first");
        api::flag(d.no_bias, "desc", "no_bias");
        api::check_probability(d.dropout, "argument 'desc': dropout");
        api::check_parameter_dtype(d.dtype);
        api::need_reserved(d.reserved);
        // The widest weights; INT64_MAX / 8 keeps the products below from overflowing.
        if (d.hidden_size > INT64_MAX / 8) fail(MPT_ERROR_SHAPE, "argument 'desc': hidden_size is ", d.hidden_size, ", more than memory can hold");
        checked_bytes({4 * d.hidden_size, d.input_size}, d.dtype, "argument 'desc': the weight's shape");
        checked_bytes({4 * d.hidden_size, 2 * d.hidden_size}, d.dtype, "argument 'desc': the weight's shape");
        return new_recurrent(c, d);
    });
}

mpt_status MPT_CALL mpt_attention_desc_init(mpt_attention_desc *desc, size_t nbytes) {
    return api::catching("mpt_attention_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_attention(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_attention(mpt_context *ctx, const mpt_attention_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_attention", ctx, desc, default_attention(), out, [](Context &c, const mpt_attention_desc &d) {
        api::at_least(d.embed_dim, 1, "desc", "embed_dim");
        api::at_least(d.heads, 1, "desc", "heads");
        if (d.embed_dim % d.heads != 0) fail(MPT_ERROR_ARGUMENT, "argument 'desc': embed_dim ", d.embed_dim, " must be a multiple of heads ", d.heads);
        if (d.embed_dim > INT64_MAX / 4) fail(MPT_ERROR_SHAPE, "argument 'desc': embed_dim is ", d.embed_dim, ", more than memory can hold");
        api::flag(d.causal, "desc", "causal");
        api::flag(d.no_bias, "desc", "no_bias");
        api::check_probability(d.dropout, "argument 'desc': dropout");
        api::check_parameter_dtype(d.dtype);
        api::need_reserved(d.reserved);
        checked_bytes({3 * d.embed_dim, d.embed_dim}, d.dtype, "argument 'desc': the weight's shape");
        return new_attention(c, d);
    });
}
