// Networks by chance: architecture, precision, optimizer, scaler and order of events all follow from one number.
#pragma once

#include <iterator>

#include "common/random.h"
#include "toy.h"

namespace net {

class RandomNetwork {
public:
    explicit RandomNetwork(std::uint64_t number) : random_(number * 7919 + 17), ctx_(context(number, 1)) {
        MUST(mpt_layer_sequential(ctx_, model.out()));
        switch (random_.below(3)) {
            case 0: images(); break;
            case 1: sequences(); break;
            default: vectors();
        }
    }
    mpt_context *ctx() const { return ctx_; }

    Layer model;
    std::vector<std::int64_t> input;  // of one example
    std::int64_t outputs = 0;
    std::string text;                 // what it is, for messages

    // Choices beside the layers.
    template <class T, std::size_t N>
    T one_of(const T (&list)[N]) {
        return list[random_.below(static_cast<std::int64_t>(N))];
    }
    bool chance(double p) { return random_.uniform(0, 1) < p; }
    std::int64_t below(std::int64_t n) { return random_.below(n); }

private:
    // Takes over a layer that make has given.
    template <class Make, class... Args>
    Layer made(const char *name, Make make, Args... args) {
        text += std::string(text.empty() ? "" : " ") + name;
        Layer layer;
        MUST(make(ctx_, args..., layer.out()));
        return layer;
    }
    void push(mpt_layer *chain, const Layer &layer) { MUST(mpt_layer_add(chain, nullptr, layer)); }
    Layer chain() {
        Layer c;
        MUST(mpt_layer_sequential(ctx_, c.out()));
        return c;
    }

    Layer linear_layer(std::int64_t in, std::int64_t out) {
        mpt_linear_desc d;
        MUST(mpt_linear_desc_init(&d, sizeof d));
        d.in_features = in;
        d.out_features = out;
        d.no_bias = chance(0.3);
        return made("linear", mpt_layer_linear, &d);
    }
    Layer convolution(std::int64_t in, std::int64_t out, int kernel, int stride) {
        mpt_conv2d_desc d;
        MUST(mpt_conv2d_desc_init(&d, sizeof d));
        d.in_channels = in;
        d.out_channels = out;
        d.kernel_h = d.kernel_w = kernel;
        d.stride_h = d.stride_w = stride;
        d.padding_h = d.padding_w = kernel / 2;
        d.no_bias = chance(0.5);
        if (in % 2 == 0 && out % 2 == 0 && chance(0.2)) d.groups = 2;
        return made("conv", mpt_layer_conv2d, &d);
    }
    Layer normal(const char *name, mpt_status(MPT_CALL *make)(mpt_context *, const mpt_norm_desc *, mpt_layer **), std::int64_t features, int groups = 1) {
        mpt_norm_desc d;
        MUST(mpt_norm_desc_init(&d, sizeof d));
        d.features = features;
        d.groups = groups;
        return made(name, make, &d);
    }
    Layer activation() {
        const mpt_activation kinds[] = {MPT_ACTIVATION_RELU, MPT_ACTIVATION_LEAKY_RELU, MPT_ACTIVATION_GELU, MPT_ACTIVATION_GELU_TANH, MPT_ACTIVATION_SILU,
                                        MPT_ACTIVATION_ELU,  MPT_ACTIVATION_SIGMOID,    MPT_ACTIVATION_TANH, MPT_ACTIVATION_SOFTPLUS};
        return made("activation", mpt_layer_activation, one_of(kinds), 0.1);
    }
    Layer residual(const Layer &body) { return made("residual", mpt_layer_residual, static_cast<mpt_layer *>(body), static_cast<mpt_layer *>(nullptr)); }

    void images() {
        std::int64_t c = 1 + below(3), side = 6 + below(3);
        input = {c, side, side};
        for (std::int64_t i = 0, n = 2 + below(4); i < n; ++i) {
            switch (below(9)) {
                case 0:
                case 1: {
                    const std::int64_t out = 2 * (1 + below(4));
                    const int stride = side > 4 && chance(0.3) ? 2 : 1;
                    push(model, convolution(c, out, chance(0.5) ? 3 : 1, stride));
                    c = out;
                    side = (side - 1) / stride + 1;
                    break;
                }
                case 2: push(model, normal("batch_norm", mpt_layer_batch_norm, c)); break;
                case 3: push(model, normal("group_norm", mpt_layer_group_norm, c, c % 2 == 0 ? 2 : 1)); break;
                case 4:
                    if (side < 4) break;
                    push(model, chance(0.5) ? made("max_pool", mpt_layer_max_pool2d, static_cast<const mpt_pool2d_params *>(nullptr))
                                            : made("avg_pool", mpt_layer_avg_pool2d, static_cast<const mpt_pool2d_params *>(nullptr)));
                    side /= 2;
                    break;
                case 5: {
                    const Layer body = chain();
                    push(body, convolution(c, c, 3, 1));
                    push(body, normal("batch_norm", mpt_layer_batch_norm, c));
                    push(model, residual(body));
                    break;
                }
                case 6: push(model, made("dropout", mpt_layer_dropout, 0.25)); break;
                case 7: {
                    const Layer both = made("parallel", mpt_layer_parallel, MPT_JOIN_CONCAT, 1);
                    push(both, convolution(c, 2, 1, 1));
                    push(both, convolution(c, 4, 3, 1));
                    push(model, both);
                    c = 6;
                    break;
                }
                default:
                    if (side > 8) break;
                    push(model, made("upsample", mpt_layer_upsample2d, 2, 2, chance(0.5) ? MPT_UPSAMPLE_NEAREST : MPT_UPSAMPLE_BILINEAR));
                    side *= 2;
            }
            if (chance(0.6)) push(model, activation());
        }
        if (chance(0.5)) {
            push(model, made("adaptive", mpt_layer_adaptive_avg_pool2d, std::int64_t{2}, std::int64_t{1}));
            side = 0;
        }
        push(model, made("flatten", mpt_layer_flatten));
        head(side ? c * side * side : 2 * c);
    }

    void sequences() {
        const std::int64_t steps = 3 + below(3), width = 8;
        input = {steps, width};
        for (std::int64_t i = 0, n = 1 + below(3); i < n; ++i) {
            const Layer body = chain();
            if (chance(0.5)) push(body, chance(0.5) ? normal("layer_norm", mpt_layer_layer_norm, width) : normal("rms_norm", mpt_layer_rms_norm, width));
            switch (below(3)) {
                case 0: {
                    mpt_attention_desc d;
                    MUST(mpt_attention_desc_init(&d, sizeof d));
                    d.embed_dim = width;
                    d.heads = 1 << below(3);
                    d.causal = chance(0.5);
                    d.dropout = chance(0.5) ? 0.2 : 0;
                    push(body, made("attention", mpt_layer_attention, &d));
                    break;
                }
                case 1: {
                    const mpt_recurrent_kind kinds[] = {MPT_RECURRENT_TANH, MPT_RECURRENT_RELU, MPT_RECURRENT_LSTM, MPT_RECURRENT_GRU};
                    mpt_recurrent_desc d;
                    MUST(mpt_recurrent_desc_init(&d, sizeof d));
                    d.kind = one_of(kinds);
                    d.input_size = width;
                    d.bidirectional = chance(0.5);
                    d.hidden_size = d.bidirectional ? width / 2 : width;
                    d.batch_first = 1;
                    d.layers = 1 + static_cast<std::int32_t>(below(2));
                    d.dropout = chance(0.3) ? 0.1 : 0;
                    push(body, made("recurrent", mpt_layer_recurrent, &d));
                    break;
                }
                default:
                    push(body, linear_layer(width, 12));
                    push(body, activation());
                    push(body, linear_layer(12, width));
            }
            push(model, chance(0.6) ? residual(body) : static_cast<Layer>(hold(body)));
        }
        push(model, made("flatten", mpt_layer_flatten));
        head(steps * width);
    }

    void vectors() {
        std::int64_t width = 4 + below(12);
        input = {width};
        for (std::int64_t i = 0, n = 1 + below(4); i < n; ++i) {
            switch (below(5)) {
                case 0: push(model, normal("batch_norm", mpt_layer_batch_norm, width)); break;
                case 1: push(model, normal("layer_norm", mpt_layer_layer_norm, width)); break;
                case 2: {
                    const Layer both = made("parallel", mpt_layer_parallel, MPT_JOIN_SUM, 0);
                    const std::int64_t out = 4 + below(12);
                    push(both, linear_layer(width, out));
                    push(both, linear_layer(width, out));
                    push(model, both);
                    width = out;
                    break;
                }
                case 3: push(model, made("dropout", mpt_layer_dropout, 0.5)); break;
                default: {
                    const std::int64_t out = 4 + below(12);
                    push(model, linear_layer(width, out));
                    push(model, activation());
                    width = out;
                }
            }
        }
        head(width);
    }

    void head(std::int64_t width) {
        outputs = 2 + below(4);
        push(model, linear_layer(width, outputs));
    }

    static Layer hold(const Layer &layer) {
        mpt_layer_retain(layer);
        return Layer(static_cast<mpt_layer *>(layer));
    }

    test::Random random_;
    Context ctx_;
};

}  // namespace net
