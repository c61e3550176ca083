// Making layers: descriptors and arguments that do not do.
#include "api/misuse.h"

namespace {

#define DESC(Name, Type, make, ...)                                                                          \
    struct Name {                                                                                            \
        static constexpr const char *function = #make, *argument = "desc";                                   \
        static Type good() {                                                                                 \
            Type d;                                                                                          \
            MUST(Type##_init(&d, sizeof d));                                                                 \
            __VA_ARGS__;                                                                                     \
            return d;                                                                                        \
        }                                                                                                    \
        static mpt_status use(misuse::World &w, const Type *d) { return make(w.ctx, d, w.out()); }           \
    };

// What every layer with a descriptor refuses.
#define DESC_LAYER_ROWS(Name, make)                                                                                           \
    STEPS(#make, Null, "ctx", "", auto d = Name::good(); return make(nullptr, &d, w.out())),                                  \
        ROW(Null, "desc", "", make, w.ctx, nullptr, w.out()),                                                                 \
        STEPS(#make, Null, "out", "", auto d = Name::good(); return make(w.ctx, &d, nullptr)),                                \
        STEPS(#make, Capture, "", "", auto d = Name::good(); return Name::use(w, &d)), DESCRIPTOR_ROWS(Name)

#define LAYER_ROWS(make, ...)                                        \
    ROW(Null, "ctx", "", make, nullptr, __VA_ARGS__, w.out()),       \
        ROW(Null, "out", "", make, w.ctx, __VA_ARGS__, nullptr),     \
        ROW(Capture, "", "", make, w.ctx, __VA_ARGS__, w.out())

#define NORM_ROWS(Name, make)                                                                              \
    DESC_LAYER_ROWS(Name, make), FIELD(Name, Range, "features is 0", d.features = 0), FIELD(Name, Range, "eps is -1", d.eps = -1), \
        FIELD(Name, Range, "momentum is 2", d.momentum = 2), FIELD(Name, Range, "no_affine is 2", d.no_affine = 2),                \
        FIELD(Name, Range, "no_running is -1", d.no_running = -1), FIELD(Name, Range, "no_bias is 3", d.no_bias = 3),              \
        FIELD(Name, Dtype, "dtype is i64", d.dtype = MPT_I64), FIELD(Name, Range, "groups", d.groups = 0)

DESC(ConvTranspose2d, mpt_conv2d_desc, mpt_layer_conv_transpose2d, d.in_channels = d.out_channels = 4)
DESC(Conv1d, mpt_conv1d_desc, mpt_layer_conv1d, d.in_channels = d.out_channels = 4)
DESC(ConvTranspose1d, mpt_conv1d_desc, mpt_layer_conv_transpose1d, d.in_channels = d.out_channels = 4)
DESC(BatchNorm, mpt_norm_desc, mpt_layer_batch_norm, d.features = 4)
DESC(LayerNorm, mpt_norm_desc, mpt_layer_layer_norm, d.features = 4)
DESC(RmsNorm, mpt_norm_desc, mpt_layer_rms_norm, d.features = 4)
DESC(GroupNorm, mpt_norm_desc, mpt_layer_group_norm, d.features = 4)
DESC(InstanceNorm, mpt_norm_desc, mpt_layer_instance_norm, d.features = 4)
DESC(Embedding, mpt_embedding_desc, mpt_layer_embedding, d.count = 5; d.dim = 3)
DESC(Recurrent, mpt_recurrent_desc, mpt_layer_recurrent, d.input_size = 3; d.hidden_size = 2)
DESC(Attention, mpt_attention_desc, mpt_layer_attention, d.embed_dim = 4; d.heads = 2)
DESC(Custom, mpt_custom_layer_desc, mpt_layer_custom,
     d.forward = [](mpt_layer *, mpt_tensor *const *, std::int32_t, mpt_tensor **, std::int32_t, void *) { return MPT_ERROR_IO; })

struct AvgPool2d {
    static constexpr const char *function = "mpt_layer_avg_pool2d", *argument = "params";
    static mpt_pool2d_params good() {
        mpt_pool2d_params p;
        MUST(mpt_pool2d_params_init(&p, sizeof p));
        return p;
    }
    static mpt_status use(misuse::World &w, const mpt_pool2d_params *p) { return mpt_layer_avg_pool2d(w.ctx, p, w.out()); }
};

net::Layer custom(misuse::World &w) {
    auto d = Custom::good();
    net::Layer layer;
    MUST(mpt_layer_custom(w.ctx, &d, layer.out()));
    return layer;
}

const misuse::Rows products{
    DESC_LAYER_ROWS(ConvTranspose2d, mpt_layer_conv_transpose2d),
    FIELD(ConvTranspose2d, Range, "in_channels is 0", d.in_channels = 0),
    FIELD(ConvTranspose2d, Range, "output_padding_h is 1", d.output_padding_h = 1),
    FIELD(ConvTranspose2d, Range, "output_padding_w is -1", d.output_padding_w = -1),
    FIELD(ConvTranspose2d, Tail, "reserved is 1", d.reserved = 1),
    FIELD(ConvTranspose2d, Shape, "[9223372036854775804, 4, 3, 3]", d.in_channels = INT64_MAX - 3),
    INIT_ROWS(mpt_conv1d_desc_init, "desc"),
    DESC_LAYER_ROWS(Conv1d, mpt_layer_conv1d),
    FIELD(Conv1d, Range, "in_channels is 0", d.in_channels = 0),
    FIELD(Conv1d, Range, "kernel is 0", d.kernel = 0),
    FIELD(Conv1d, Range, "stride is 0", d.stride = 0),
    FIELD(Conv1d, Range, "padding is -1", d.padding = -1),
    FIELD(Conv1d, Range, "dilation is 0", d.dilation = 0),
    FIELD(Conv1d, Range, "groups 3", d.groups = 3),
    FIELD(Conv1d, Range, "output_padding is 1", d.output_padding = 1),
    FIELD(Conv1d, Range, "no_bias is 2", d.no_bias = 2),
    FIELD(Conv1d, Range, "init is 12", d.init = static_cast<mpt_init>(12)),
    FIELD(Conv1d, Dtype, "dtype is u8", d.dtype = MPT_U8),
    FIELD(Conv1d, Shape, "[4, 9223372036854775804, 3]", d.in_channels = INT64_MAX - 3),
    DESC_LAYER_ROWS(ConvTranspose1d, mpt_layer_conv_transpose1d),
    FIELD(ConvTranspose1d, Range, "out_channels is 0", d.out_channels = 0),
    FIELD(ConvTranspose1d, Range, "output_padding is 1", d.output_padding = 1),
};

const misuse::Rows states{
    INIT_ROWS(mpt_norm_desc_init, "desc"),
    NORM_ROWS(BatchNorm, mpt_layer_batch_norm),
    FIELD(BatchNorm, Range, "groups is 2", d.groups = 2),
    NORM_ROWS(LayerNorm, mpt_layer_layer_norm),
    NORM_ROWS(RmsNorm, mpt_layer_rms_norm),
    NORM_ROWS(GroupNorm, mpt_layer_group_norm),
    FIELD(GroupNorm, Range, "groups 3", d.groups = 3),
    NORM_ROWS(InstanceNorm, mpt_layer_instance_norm),

    INIT_ROWS(mpt_embedding_desc_init, "desc"),
    DESC_LAYER_ROWS(Embedding, mpt_layer_embedding),
    FIELD(Embedding, Range, "count is 0", d.count = 0),
    FIELD(Embedding, Range, "dim is -1", d.dim = -1),
    FIELD(Embedding, Range, "padding_index is 5", d.padding_index = 5),
    FIELD(Embedding, Range, "padding_index is -2", d.padding_index = -2),
    FIELD(Embedding, Range, "std is -1", d.std = -1),
    FIELD(Embedding, Dtype, "dtype is i32", d.dtype = MPT_I32),
    FIELD(Embedding, Shape, "[9223372036854775807, 3]", d.count = INT64_MAX),

    INIT_ROWS(mpt_recurrent_desc_init, "desc"),
    DESC_LAYER_ROWS(Recurrent, mpt_layer_recurrent),
    FIELD(Recurrent, Range, "kind is 4", d.kind = static_cast<mpt_recurrent_kind>(4)),
    FIELD(Recurrent, Range, "input_size is 0", d.input_size = 0),
    FIELD(Recurrent, Range, "hidden_size is 0", d.hidden_size = 0),
    FIELD(Recurrent, Range, "layers is 0", d.layers = 0),
    FIELD(Recurrent, Range, "bidirectional is 2", d.bidirectional = 2),
    FIELD(Recurrent, Range, "batch_first is 2", d.batch_first = 2),
    FIELD(Recurrent, Range, "no_bias is 2", d.no_bias = 2),
    FIELD(Recurrent, Range, "dropout is 1", d.dropout = 1),
    FIELD(Recurrent, Dtype, "dtype is bool", d.dtype = MPT_BOOL),
    FIELD(Recurrent, Tail, "reserved is 1", d.reserved = 1),
    FIELD(Recurrent, Shape, "hidden_size is 9223372036854775807", d.hidden_size = INT64_MAX),
    FIELD(Recurrent, Shape, "[8, 9223372036854775807]", d.input_size = INT64_MAX),

    INIT_ROWS(mpt_attention_desc_init, "desc"),
    DESC_LAYER_ROWS(Attention, mpt_layer_attention),
    FIELD(Attention, Range, "embed_dim is 0", d.embed_dim = 0),
    FIELD(Attention, Range, "heads is 0", d.heads = 0),
    FIELD(Attention, Range, "heads 3", d.heads = 3),
    FIELD(Attention, Range, "causal is 2", d.causal = 2),
    FIELD(Attention, Range, "no_bias is 2", d.no_bias = 2),
    FIELD(Attention, Range, "dropout is -0.5", d.dropout = -0.5),
    FIELD(Attention, Dtype, "dtype is i8", d.dtype = MPT_I8),
    FIELD(Attention, Tail, "reserved is 1", d.reserved = 1),
    FIELD(Attention, Shape, "embed_dim is 9223372036854775806", d.embed_dim = INT64_MAX - 1),
};

const misuse::Rows functions{
    LAYER_ROWS(mpt_layer_avg_pool2d, nullptr),
    ROW(Taken, "params", "", mpt_layer_avg_pool2d, w.ctx, nullptr, w.out()),
    DESCRIPTOR_ROWS(AvgPool2d),
    FIELD(AvgPool2d, Range, "kernel_h is 0", d.kernel_h = 0),
    FIELD(AvgPool2d, Range, "exclude_padding is 2", d.exclude_padding = 2),
    LAYER_ROWS(mpt_layer_adaptive_avg_pool2d, 1, 1),
    ROW(Range, "height", "is 0", mpt_layer_adaptive_avg_pool2d, w.ctx, 0, 1, w.out()),
    ROW(Range, "width", "is -1", mpt_layer_adaptive_avg_pool2d, w.ctx, 1, -1, w.out()),
    LAYER_ROWS(mpt_layer_adaptive_max_pool2d, 1, 1),
    ROW(Range, "height", "is 0", mpt_layer_adaptive_max_pool2d, w.ctx, 0, 1, w.out()),
    ROW(Range, "width", "is -1", mpt_layer_adaptive_max_pool2d, w.ctx, 1, -1, w.out()),
    LAYER_ROWS(mpt_layer_max_pool1d, 2, 0, 0),
    ROW(Range, "kernel", "is 0", mpt_layer_max_pool1d, w.ctx, 0, 1, 0, w.out()),
    ROW(Range, "stride", "is -1", mpt_layer_max_pool1d, w.ctx, 2, -1, 0, w.out()),
    ROW(Range, "padding", "is 2", mpt_layer_max_pool1d, w.ctx, 2, 1, 2, w.out()),
    LAYER_ROWS(mpt_layer_avg_pool1d, 2, 0, 0),
    ROW(Range, "kernel", "is 0", mpt_layer_avg_pool1d, w.ctx, 0, 1, 0, w.out()),
    ROW(Range, "stride", "is -1", mpt_layer_avg_pool1d, w.ctx, 2, -1, 0, w.out()),
    ROW(Range, "padding", "is -1", mpt_layer_avg_pool1d, w.ctx, 2, 1, -1, w.out()),
    LAYER_ROWS(mpt_layer_upsample2d, 2, 2, MPT_UPSAMPLE_NEAREST),
    ROW(Range, "factor_h", "is 0", mpt_layer_upsample2d, w.ctx, 0, 2, MPT_UPSAMPLE_NEAREST, w.out()),
    ROW(Range, "factor_w", "is 0", mpt_layer_upsample2d, w.ctx, 2, 0, MPT_UPSAMPLE_NEAREST, w.out()),
    ROW(Range, "mode", "is 2", mpt_layer_upsample2d, w.ctx, 2, 2, static_cast<mpt_upsample_mode>(2), w.out()),
    LAYER_ROWS(mpt_layer_dropout, 0.5),
    ROW(Range, "p", "is 1", mpt_layer_dropout, w.ctx, 1, w.out()),
    ROW(Range, "p", "is -0.1", mpt_layer_dropout, w.ctx, -0.1, w.out()),
    LAYER_ROWS(mpt_layer_activation, MPT_ACTIVATION_GELU, 0),
    ROW(Range, "kind", "is 9", mpt_layer_activation, w.ctx, static_cast<mpt_activation>(9), 0, w.out()),
    ROW(Taken, "parameter", "", mpt_layer_activation, w.ctx, MPT_ACTIVATION_RELU, -1, w.out()),
    LAYER_ROWS(mpt_layer_softmax, -1),
    ROW(Range, "dim", "is 8", mpt_layer_softmax, w.ctx, 8, w.out()),
};

// Two linear layers side by side, on w.x [2, 3]: to 3 features, and to others.
net::Layer pair(misuse::World &w, mpt_join join, std::int64_t features) {
    net::Layer both;
    MUST(mpt_layer_parallel(w.ctx, join, 0, both.out()));
    net::linear(w.ctx, both, "wide", 3, 3, MPT_F32);
    net::linear(w.ctx, both, "narrow", 3, features, MPT_F32);
    return both;
}

const misuse::Rows containers{
    ROW(Null, "ctx", "", mpt_layer_residual, nullptr, w.chain, nullptr, w.out()),
    ROW(Null, "body", "", mpt_layer_residual, w.ctx, nullptr, nullptr, w.out()),
    ROW(Foreign, "body", "", mpt_layer_residual, w.ctx, w.other.chain, nullptr, w.out()),
    ROW(Taken, "shortcut", "", mpt_layer_residual, w.ctx, w.chain, nullptr, w.out()),
    ROW(Foreign, "shortcut", "", mpt_layer_residual, w.ctx, w.chain, w.other.chain, w.out()),
    ROW(Null, "out", "", mpt_layer_residual, w.ctx, w.chain, nullptr, nullptr),
    ROW(Capture, "", "", mpt_layer_residual, w.ctx, w.chain, nullptr, w.out()),
    STEPS("mpt_layer_forward", Shape, "inputs", "[2, 4]", net::Layer sum; MUST(mpt_layer_residual(w.ctx, w.chain, nullptr, sum.out()));
          return mpt_layer_forward(sum, w.list({w.x}), 1, w.out(), 1)),
    LAYER_ROWS(mpt_layer_parallel, MPT_JOIN_SUM, 0),
    ROW(Range, "join", "is 3", mpt_layer_parallel, w.ctx, static_cast<mpt_join>(3), 0, w.out()),
    ROW(Range, "dim", "is 8", mpt_layer_parallel, w.ctx, MPT_JOIN_CONCAT, 8, w.out()),
    STEPS("mpt_layer_forward", Shape, "inputs", "'narrow' [2, 1]", const net::Layer both = pair(w, MPT_JOIN_SUM, 1);
          return mpt_layer_forward(both, w.list({w.x}), 1, w.out(), 1)),
    STEPS("mpt_layer_forward", Range, "inputs", "MPT_JOIN_SUM", const net::Layer both = pair(w, MPT_JOIN_LIST, 3);
          return mpt_layer_forward(both, w.list({w.x}), 1, w.out(), 1)),
    STEPS("mpt_layer_forward", Range, "inputs", "layer 'body'", net::Layer sum; const net::Layer both = pair(w, MPT_JOIN_LIST, 3);
          MUST(mpt_layer_residual(w.ctx, both, nullptr, sum.out())); return mpt_layer_forward(sum, w.list({w.x}), 1, w.out(), 1)),
    STEPS("mpt_layer_forward", Range, "inputs", "layer 'pair'", net::Layer chain; const net::Layer both = pair(w, MPT_JOIN_LIST, 3);
          MUST(mpt_layer_sequential(w.ctx, chain.out())); MUST(mpt_layer_add(chain, "pair", both)); net::linear(w.ctx, chain, "end", 3, 3, MPT_F32);
          return mpt_layer_forward(chain, w.list({w.x}), 1, w.out(), 1)),
    STEPS("mpt_layer_forward", State, "inputs", "empty", net::Layer none; MUST(mpt_layer_parallel(w.ctx, MPT_JOIN_SUM, 0, none.out()));
          return mpt_layer_forward(none, w.list({w.x}), 1, w.out(), 1)),

    INIT_ROWS(mpt_custom_layer_desc_init, "desc"),
    DESC_LAYER_ROWS(Custom, mpt_layer_custom),
    FIELD(Custom, Range, "forward is NULL", d.forward = nullptr),
    FIELD(Custom, Tail, "reserved is 1", d.reserved = 1),
    STEPS_IS("mpt_layer_forward", MPT_ERROR_IO, "", "callback", const net::Layer own = custom(w); return mpt_layer_forward(own, w.list({w.x}), 1, w.out(), 1)),
    ROW(Null, "custom", "", mpt_layer_add_parameter, nullptr, "w", w.leaf),
    ROW(Range, "custom", "mpt_layer_custom", mpt_layer_add_parameter, w.linear, "w", w.leaf),
    STEPS("mpt_layer_add_parameter", Null, "name", "", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, nullptr, w.leaf)),
    STEPS("mpt_layer_add_parameter", Range, "name", "''", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, "", w.leaf)),
    STEPS("mpt_layer_add_parameter", Range, "name", "'a.b'", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, "a.b", w.leaf)),
    STEPS("mpt_layer_add_parameter", Null, "tensor", "", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, "w", nullptr)),
    STEPS("mpt_layer_add_parameter", Foreign, "tensor", "", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, "w", w.other.leaf)),
    STEPS("mpt_layer_add_parameter", Dtype, "tensor", "is i32", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, "w", w.ints)),
    STEPS("mpt_layer_add_parameter", State, "tensor", "result of an op", const net::Layer own = custom(w); return mpt_layer_add_parameter(own, "w", w.loss)),
    STEPS_IS("mpt_layer_add_parameter", MPT_ERROR_STATE, "", "capture", const net::Layer own = custom(w); w.capture();
             return mpt_layer_add_parameter(own, "w", w.leaf)),
    ROW(Null, "custom", "", mpt_layer_add_buffer, nullptr, "b", w.x),
    ROW(Range, "custom", "mpt_layer_custom", mpt_layer_add_buffer, w.linear, "b", w.x),
    STEPS("mpt_layer_add_buffer", Null, "name", "", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, nullptr, w.x)),
    STEPS("mpt_layer_add_buffer", Range, "name", "''", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, "", w.x)),
    STEPS("mpt_layer_add_buffer", Range, "name", "'a/b'", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, "a/b", w.x)),
    STEPS("mpt_layer_add_buffer", Range, "name", "'b'", const net::Layer own = custom(w); MUST(mpt_layer_add_buffer(own, "b", w.x));
          return mpt_layer_add_buffer(own, "b", w.row)),
    STEPS("mpt_layer_add_buffer", Range, "name", "'w'", const net::Layer own = custom(w); MUST(mpt_layer_add_parameter(own, "w", w.leaf));
          return mpt_layer_add_buffer(own, "w", w.x)),
    STEPS("mpt_layer_add_buffer", Null, "tensor", "", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, "b", nullptr)),
    STEPS("mpt_layer_add_buffer", Foreign, "tensor", "", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, "b", w.other.x)),
    STEPS("mpt_layer_add_buffer", Taken, "tensor", "", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, "b", w.ints)),
    STEPS("mpt_layer_add_buffer", State, "tensor", "gradients", const net::Layer own = custom(w); return mpt_layer_add_buffer(own, "b", w.leaf)),
    ROW(Capture, "", "", mpt_layer_add_buffer, w.chain, "b", w.x),
};

// Custom ops.
mpt_custom_op_desc good_op() {
    mpt_custom_op_desc d;
    MUST(mpt_custom_op_desc_init(&d, sizeof d));
    d.shape = [](const mpt_buffer *in, std::int32_t, mpt_buffer *out, std::int32_t, void *) {
        out[0].dtype = in[0].dtype;
        out[0].ndim = in[0].ndim;
        for (int i = 0; i < in[0].ndim; ++i) out[0].shape[i] = in[0].shape[i];
        return MPT_OK;
    };
    d.forward = [](const mpt_buffer *, std::int32_t, mpt_buffer *, std::int32_t, void *) { return MPT_OK; };
    return d;
}
struct CustomOp {
    static constexpr const char *function = "mpt_custom_op", *argument = "desc";
    static mpt_custom_op_desc good() { return good_op(); }
    static mpt_status use(misuse::World &w, const mpt_custom_op_desc *d) { return mpt_custom_op(w.ctx, "own", d, w.list({w.x}), 1, w.out(), 1); }
};
#define OP_ROW(kind, argument, text, ...) STEPS("mpt_custom_op", kind, argument, text, auto d = good_op(); return mpt_custom_op(__VA_ARGS__))

const misuse::Rows ops{
    INIT_ROWS(mpt_custom_op_desc_init, "desc"),
    OP_ROW(Null, "ctx", "", nullptr, "own", &d, w.list({w.x}), 1, w.out(), 1),
    ROW(Null, "desc", "", mpt_custom_op, w.ctx, "own", nullptr, w.list({w.x}), 1, w.out(), 1),
    OP_ROW(Null, "name", "", w.ctx, nullptr, &d, w.list({w.x}), 1, w.out(), 1),
    OP_ROW(Range, "name", "byte 0 is 255", w.ctx, "\xff", &d, w.list({w.x}), 1, w.out(), 1),
    OP_ROW(Null, "inputs", "", w.ctx, "own", &d, nullptr, 1, w.out(), 1),
    OP_ROW(Null, "inputs[0]", "", w.ctx, "own", &d, w.list({nullptr}), 1, w.out(), 1),
    OP_ROW(Foreign, "inputs[0]", "", w.ctx, "own", &d, w.list({w.other.x}), 1, w.out(), 1),
    OP_ROW(Range, "n_inputs", "is 0", w.ctx, "own", &d, nullptr, 0, w.out(), 1),
    OP_ROW(Range, "n_inputs", "is 33", w.ctx, "own", &d, w.list({w.x}), 33, w.out(), 1),
    OP_ROW(Null, "outputs", "", w.ctx, "own", &d, w.list({w.x}), 1, nullptr, 1),
    OP_ROW(Range, "n_outputs", "is 0", w.ctx, "own", &d, w.list({w.x}), 1, w.out(), 0),
    DESCRIPTOR_ROWS(CustomOp),
    FIELD(CustomOp, Range, "shape is NULL", d.shape = nullptr),
    FIELD(CustomOp, Range, "forward is NULL", d.forward = nullptr),
    FIELD(CustomOp, Tail, "reserved is 1", d.reserved = 1),
    STEPS("mpt_custom_op", Range, "", "ndim 9", auto d = good_op();
          d.shape = [](const mpt_buffer *, std::int32_t, mpt_buffer *out, std::int32_t, void *) { return out[0].dtype = MPT_F32, out[0].ndim = 9, MPT_OK; };
          return CustomOp::use(w, &d)),
    STEPS("mpt_custom_op", Range, "", "dtype 0", auto d = good_op();
          d.shape = [](const mpt_buffer *, std::int32_t, mpt_buffer *, std::int32_t, void *) { return MPT_OK; }; return CustomOp::use(w, &d)),
    STEPS("mpt_custom_op", Shape, "", "[-1]", auto d = good_op();
          d.shape = [](const mpt_buffer *, std::int32_t, mpt_buffer *out, std::int32_t, void *) {
              return out[0].dtype = MPT_F32, out[0].ndim = 1, out[0].shape[0] = -1, MPT_OK;
          };
          return CustomOp::use(w, &d)),
};

}  // namespace
