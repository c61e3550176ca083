// Small networks and one training step over the public header, for tests of whole steps.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/handles.h"
#include "gtest/gtest.h"
#include "mpt.h"

#define OK(call) ASSERT_EQ(MPT_OK, (call)) << mpt_last_error()

namespace net {

using test::Average;
using test::Context;
using test::Layer;
using test::Optimizer;
using test::Policy;
using test::Program;
using test::Scaler;
using test::State;
using test::Tensor;

// The device of all tests that ask for a context here: MPT_TEST_DEVICE=cuda runs them on a GPU.
inline mpt_device device() {
    static const char *const wanted = std::getenv("MPT_TEST_DEVICE");
    return wanted && std::strcmp(wanted, "cuda") == 0 ? MPT_DEVICE_CUDA : MPT_DEVICE_CPU;
}

// A GPU only stores, copies and casts f64.
inline bool computes(mpt_dtype dtype) { return dtype != MPT_F64 || device() == MPT_DEVICE_CPU; }

inline Context context(std::uint64_t seed = 1, int threads = 2) {
    mpt_context_desc desc;
    MUST(mpt_context_desc_init(&desc, sizeof desc));
    desc.device = device();
    desc.seed = seed;
    desc.threads = threads;
    Context ctx;
    MUST(mpt_context_create(&desc, ctx.out()));
    return ctx;
}

inline Tensor tensor(mpt_context *ctx, mpt_dtype dtype, const std::vector<std::int64_t> &shape) {
    Tensor t;
    MUST(mpt_tensor_create(ctx, dtype, static_cast<int>(shape.size()), shape.data(), t.out()));
    return t;
}

template <class T>
Tensor tensor(mpt_context *ctx, mpt_dtype dtype, const std::vector<std::int64_t> &shape, const std::vector<T> &values) {
    Tensor t = tensor(ctx, dtype, shape);
    MUST(mpt_tensor_write(t, values.data(), values.size() * sizeof(T)));
    return t;
}

inline std::vector<unsigned char> bytes(mpt_tensor *t) {
    std::int64_t n = 0;
    mpt_dtype dtype;
    MUST(mpt_tensor_numel(t, &n));
    MUST(mpt_tensor_dtype(t, &dtype));
    std::vector<unsigned char> data(static_cast<std::size_t>(n) * mpt_dtype_size(dtype));
    MUST(mpt_tensor_read(t, data.data(), data.size()));
    return data;
}

inline std::vector<float> floats(mpt_tensor *t) {
    Tensor f;
    MUST(mpt_cast(t, MPT_F32, f.out()));
    const auto raw = bytes(f);
    std::vector<float> values(raw.size() / sizeof(float));
    std::memcpy(values.data(), raw.data(), raw.size());
    return values;
}

enum class Kind { Regression, Mlp, Cnn };
inline const char *name(Kind kind) { return kind == Kind::Regression ? "regression" : kind == Kind::Mlp ? "mlp" : "cnn"; }

struct Sizes {
    std::int64_t batch, features, classes;
};
inline Sizes sizes(Kind kind) {
    if (kind == Kind::Regression) return {64, 4, 2};
    if (kind == Kind::Mlp) return {32, 784, 10};
    return {16, 784, 10};
}

inline void add(mpt_layer *chain, const char *layer_name, mpt_layer *child) {
    MUST(mpt_layer_add(chain, layer_name, child));
    mpt_layer_release(child);
}
inline void linear(mpt_context *ctx, mpt_layer *chain, const char *layer_name, std::int64_t in, std::int64_t out, mpt_dtype dtype) {
    mpt_linear_desc d;
    MUST(mpt_linear_desc_init(&d, sizeof d));
    d.in_features = in;
    d.out_features = out;
    d.dtype = dtype;
    mpt_layer *layer;
    MUST(mpt_layer_linear(ctx, &d, &layer));
    add(chain, layer_name, layer);
}
inline void conv(mpt_context *ctx, mpt_layer *chain, const char *layer_name, std::int64_t in, std::int64_t out, mpt_dtype dtype) {
    mpt_conv2d_desc d;
    MUST(mpt_conv2d_desc_init(&d, sizeof d));
    d.in_channels = in;
    d.out_channels = out;
    d.dtype = dtype;
    mpt_layer *layer;
    MUST(mpt_layer_conv2d(ctx, &d, &layer));
    add(chain, layer_name, layer);
}
inline void simple(mpt_status (*make)(mpt_context *, mpt_layer **), mpt_context *ctx, mpt_layer *chain, const char *layer_name) {
    mpt_layer *layer;
    MUST(make(ctx, &layer));
    add(chain, layer_name, layer);
}
inline void pool(mpt_context *ctx, mpt_layer *chain, const char *layer_name) {
    mpt_layer *layer;
    MUST(mpt_layer_max_pool2d(ctx, nullptr, &layer));
    add(chain, layer_name, layer);
}

// The demo's network, an MLP and a linear regression, each small enough for a test.
inline Layer model(mpt_context *ctx, Kind kind, mpt_dtype dtype = MPT_F32) {
    Layer chain;
    MUST(mpt_layer_sequential(ctx, chain.out()));
    if (kind == Kind::Regression) {
        linear(ctx, chain, "head", 4, 2, dtype);
    } else if (kind == Kind::Mlp) {
        linear(ctx, chain, "fc1", 784, 96, dtype);
        simple(mpt_layer_relu, ctx, chain, "relu1");
        linear(ctx, chain, "fc2", 96, 33, dtype);
        simple(mpt_layer_relu, ctx, chain, "relu2");
        linear(ctx, chain, "head", 33, 10, dtype);
    } else {
        conv(ctx, chain, "conv1", 1, 32, dtype);
        simple(mpt_layer_relu, ctx, chain, "relu1");
        pool(ctx, chain, "pool1");
        conv(ctx, chain, "conv2", 32, 64, dtype);
        simple(mpt_layer_relu, ctx, chain, "relu2");
        pool(ctx, chain, "pool2");
        conv(ctx, chain, "conv3", 64, 64, dtype);
        simple(mpt_layer_relu, ctx, chain, "relu3");
        simple(mpt_layer_flatten, ctx, chain, "flatten");
        linear(ctx, chain, "fc", 576, 64, dtype);
        simple(mpt_layer_relu, ctx, chain, "relu4");
        linear(ctx, chain, "head", 64, 10, dtype);
    }
    return chain;
}

// A batch by formula: classes leave a visible mark on the image.
struct Batch {
    std::vector<float> x, y;
    std::vector<std::uint8_t> labels;
};
inline Batch batch(Kind kind, int step) {
    const Sizes s = sizes(kind);
    Batch b;
    std::uint32_t state = 12345u + static_cast<std::uint32_t>(step) * 7919u;
    const auto next = [&] {
        state = state * 1664525u + 1013904223u;
        return static_cast<float>(state >> 8) / 16777216.0f;
    };
    for (std::int64_t i = 0; i < s.batch; ++i) {
        const auto label = static_cast<std::uint8_t>(next() * static_cast<float>(s.classes));
        b.labels.push_back(label);
        for (std::int64_t j = 0; j < s.features; ++j) b.x.push_back(next() - 0.5f + (j % s.classes == label ? 0.5f : 0.0f));
        for (std::int64_t j = 0; j < s.classes; ++j) b.y.push_back(b.x[static_cast<std::size_t>(i * s.features + j)] * 2 - 1);
    }
    return b;
}

// One network with all that trains it.
class Trainer {
public:
    struct Options {
        Kind kind = Kind::Mlp;
        mpt_dtype precision = MPT_F32;
        bool scaled = true;
        double clip = 0;
        mpt_dtype parameters = MPT_F32;
        std::uint64_t seed = 1;
        int threads = 2;
        bool sgd = false;
    };

    explicit Trainer(const Options &o) : options(o), ctx(context(o.seed, o.threads)) {
        const Sizes s = sizes(o.kind);
        net = model(ctx, o.kind, o.parameters);
        if (o.precision != MPT_F32) MUST(mpt_policy_create(ctx, o.precision, policy.out()));
        if (o.scaled) {
            mpt_scaler_desc d;
            MUST(mpt_scaler_desc_init(&d, sizeof d));
            d.initial_scale = 4096;
            d.growth_interval = 3;
            MUST(mpt_scaler_create(ctx, &d, scaler.out()));
        }
        if (o.sgd) {
            mpt_sgd_desc d;
            MUST(mpt_sgd_desc_init(&d, sizeof d));
            d.momentum = 0.9;
            MUST(mpt_optimizer_sgd(ctx, &d, optimizer.out()));
        } else {
            MUST(mpt_optimizer_adam(ctx, nullptr, optimizer.out()));
        }
        MUST(mpt_optimizer_add_layer(optimizer, net));
        if (o.clip > 0) MUST(mpt_optimizer_set_clip_norm(optimizer, o.clip));
        x = o.kind == Kind::Cnn ? tensor(ctx, MPT_F32, {s.batch, 1, 28, 28}) : tensor(ctx, MPT_F32, {s.batch, s.features});
        y = o.kind == Kind::Regression ? tensor(ctx, MPT_F32, {s.batch, s.classes}) : tensor(ctx, MPT_U8, {s.batch});
    }

    void forward_backward(mpt_grad_mode mode = MPT_GRAD_WRITE) {
        Tensor out;
        mpt_tensor *in = x;
        MUST(mpt_autocast_begin(ctx, policy));
        MUST(mpt_layer_forward(net, &in, 1, out.out(), 1));
        if (options.kind == Kind::Regression)
            MUST(mpt_mse(out, y, MPT_REDUCTION_MEAN, loss.out()));
        else
            MUST(mpt_cross_entropy(out, y, nullptr, loss.out()));
        MUST(mpt_autocast_end(ctx));
        MUST(mpt_backward(loss, scaler, mode));
    }
    void update() {
        MUST(mpt_optimizer_step(optimizer, scaler));
        if (scaler) MUST(mpt_scaler_update(scaler));
    }
    void capture() {
        MUST(mpt_capture_begin(ctx));
        forward_backward();
        update();
        mpt_tensor *outputs[] = {loss};
        MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    }

    // One step on the batch of that number; poisoned: an infinity in the input.
    void step(int number, bool poisoned = false) {
        Batch b = batch(options.kind, number);
        if (poisoned) b.x[5] = INFINITY;
        const void *target = options.kind == Kind::Regression ? static_cast<const void *>(b.y.data()) : b.labels.data();
        const std::size_t target_bytes = options.kind == Kind::Regression ? b.y.size() * sizeof(float) : b.labels.size();
        if (program) {
            MUST(mpt_program_feed(program, x, b.x.data(), b.x.size() * sizeof(float)));
            MUST(mpt_program_feed(program, y, target, target_bytes));
            MUST(mpt_program_run(program));
        } else {
            MUST(mpt_tensor_write(x, b.x.data(), b.x.size() * sizeof(float)));
            MUST(mpt_tensor_write(y, target, target_bytes));
            forward_backward();
            update();
        }
    }

    State state() {
        State s;
        MUST(mpt_state_create(ctx, s.out()));
        MUST(mpt_state_add_layer(s, "model", net));
        MUST(mpt_state_add_optimizer(s, "optimizer", optimizer));
        if (scaler) MUST(mpt_state_add_scaler(s, "scaler", scaler));
        MUST(mpt_state_add_random(s, "random"));
        return s;
    }

    // Everything that training changes, as bytes.
    std::string snapshot() {
        std::string all;
        State s = state();
        MUST(mpt_state_save_to(
            s,
            [](const void *data, std::size_t n, void *to) {
                static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
                return 0;
            },
            &all));
        return all;
    }

    double loss_value() {
        double v = 0;
        MUST(mpt_tensor_item(loss, &v));
        return v;
    }

    Options options;
    Context ctx;
    Layer net;
    Policy policy;
    Scaler scaler;
    Optimizer optimizer;
    Tensor x, y, loss;
    Program program;
};

}  // namespace net
