// A small network with all that trains it, made and trained by calls that may fail.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/handles.h"
#include "memory/injection.h"

namespace memory {

using test::Context;
using test::Layer;
using test::Optimizer;
using test::Policy;
using test::Program;
using test::Scaler;
using test::State;
using test::Tensor;

// The calls of a training loop in order. A call that fails is made again, by itself or from where its host must start again:
// `again` says where. Between the two it clears what it has left open.
struct Call {
    std::function<mpt_status()> call;
    int again;  // index of the call to go back to
};

class Loop {
public:
    void add(std::function<mpt_status()> call) { calls_.push_back({std::move(call), static_cast<int>(calls_.size())}); }
    void add_from(int again, std::function<mpt_status()> call) { calls_.push_back({std::move(call), again}); }
    int size() const { return static_cast<int>(calls_.size()); }

    // Goes on until all is done (or all before `end`) or a call fails.
    mpt_status go(std::size_t end = SIZE_MAX) {
        while (at_ < std::min(end, calls_.size())) {
            const Call &next = calls_[at_];
            failed = at_;
            if (const mpt_status status = next.call(); status != MPT_OK) {
                at_ = static_cast<std::size_t>(next.again);
                return status;
            }
            ++at_;
        }
        return MPT_OK;
    }

    std::size_t failed = 0;

private:
    std::vector<Call> calls_;
    std::size_t at_ = 0;
};

struct Options {
    bool cnn = false;
    mpt_dtype precision = MPT_BF16, parameters = MPT_F32;
    bool sgd = false;
    double clip = 0;
    bool onednn = false;
    int threads = 1;
    bool fp8 = false;  // with delayed scales, and stochastic rounding of the parameters
};

constexpr std::int64_t kBatch = 2, kImage = 6, kClasses = 3;

class Net {
public:
    explicit Net(const Options &options) : o(options) {
        for (std::size_t i = 0; i < images.size(); ++i) images[i] = std::sin(static_cast<float>(i));
        sink.reserve(1 << 16);
    }

    mpt_status open() {
        mpt_context_desc d;
        mpt_status s = mpt_context_desc_init(&d, sizeof d);
        if (s != MPT_OK) return s;
        d.seed = 7;
        d.threads = o.threads;
        d.alloc = inject::hook_alloc;
        d.free = inject::hook_free;
        d.error = [](mpt_status status, const char *, void *user) { static_cast<Net *>(user)->reported = status; };
        d.error_user_data = this;
        return mpt_context_create(&d, ctx.out());
    }
    mpt_status option() { return mpt_context_set_option(ctx, "onednn", o.onednn ? "on" : "off"); }

    mpt_status conv(Layer &out) {
        mpt_conv2d_desc d;
        mpt_status s = mpt_conv2d_desc_init(&d, sizeof d);
        if (s != MPT_OK) return s;
        d.in_channels = 1;
        d.out_channels = 2;
        d.padding_h = d.padding_w = 1;
        d.dtype = o.parameters;
        return mpt_layer_conv2d(ctx, &d, out.out());
    }
    mpt_status linear(std::int64_t in, std::int64_t to, Layer &out) {
        mpt_linear_desc d;
        mpt_status s = mpt_linear_desc_init(&d, sizeof d);
        if (s != MPT_OK) return s;
        d.in_features = in;
        d.out_features = to;
        d.dtype = o.parameters;
        return mpt_layer_linear(ctx, &d, out.out());
    }

    // Everything from the context to the data, in calls.
    void build(Loop &loop) {
        loop.add([this] { return open(); });
        loop.add([this] { return option(); });
        add_layers(loop);
        add_training(loop);
    }
    void add_layers(Loop &loop) {
        loop.add([this] { return mpt_layer_sequential(ctx, model.out()); });
        const std::int64_t features = o.cnn ? 2 * (kImage / 2) * (kImage / 2) : kImage * kImage;
        if (o.cnn) {
            layer(loop, "conv", [this](Layer &l) { return conv(l); });
            layer(loop, "relu1", [this](Layer &l) { return mpt_layer_relu(ctx, l.out()); });
            layer(loop, "pool", [this](Layer &l) { return mpt_layer_max_pool2d(ctx, nullptr, l.out()); });
        }
        layer(loop, "flatten", [this](Layer &l) { return mpt_layer_flatten(ctx, l.out()); });
        layer(loop, "a hidden layer with a long name", [this, features](Layer &l) { return linear(features, 4, l); });
        layer(loop, "relu2", [this](Layer &l) { return mpt_layer_relu(ctx, l.out()); });
        layer(loop, "head", [this](Layer &l) { return linear(4, kClasses, l); });
    }
    void add_training(Loop &loop) {
        loop.add([this] { return mpt_policy_create(ctx, o.precision, policy.out()); });
        loop.add([this] { return mpt_policy_set_layer(policy, "a hidden layer with another name", MPT_F32); });
        loop.add([this] { return mpt_policy_set_op(policy, "softmax", MPT_F32); });
        if (o.fp8)
            loop.add([this] {
                mpt_fp8_desc d;
                const mpt_status s = mpt_fp8_desc_init(&d, sizeof d);
                if (s != MPT_OK) return s;
                d.recipe = MPT_FP8_DELAYED;
                return mpt_policy_set_fp8(policy, &d);
            });
        loop.add([this] { return mpt_scaler_create(ctx, nullptr, scaler.out()); });
        loop.add([this] {
            if (!o.sgd) return mpt_optimizer_adam(ctx, nullptr, optimizer.out());
            mpt_sgd_desc d;
            const mpt_status s = mpt_sgd_desc_init(&d, sizeof d);
            if (s != MPT_OK) return s;
            d.momentum = 0.9;
            return mpt_optimizer_sgd(ctx, &d, optimizer.out());
        });
        // A group for each parameter: all of them step or none.
        for (int i = 0; i < (o.cnn ? 6 : 4); ++i)
            loop.add([this, i] {
                Tensor parameter;
                char name[] = "a parameter's own group, number 0";
                name[sizeof name - 2] = static_cast<char>('0' + i);
                if (const mpt_status s = mpt_layer_parameter(model, i, parameter.out()); s != MPT_OK) return s;
                mpt_tensor *const list[] = {parameter};
                mpt_group_desc d;
                if (const mpt_status s = mpt_group_desc_init(&d, sizeof d); s != MPT_OK) return s;
                if (o.fp8) d.rounding = MPT_ROUNDING_STOCHASTIC;
                return mpt_optimizer_add_group(optimizer, name, list, 1, &d);
            });
        loop.add([this] { return mpt_optimizer_set_clip_norm(optimizer, o.clip); });
        loop.add([this] {
            const std::int64_t shape[] = {kBatch, 1, kImage, kImage};
            return mpt_tensor_create(ctx, MPT_F32, 4, shape, x.out());
        });
        loop.add([this] { return mpt_tensor_create(ctx, MPT_U8, 1, &kBatch, y.out()); });
        loop.add([this] { return mpt_tensor_write(x, images.data(), sizeof images); });
        loop.add([this] { return mpt_tensor_write(y, labels.data(), sizeof labels); });
    }

    mpt_status forward() {
        Tensor out;
        mpt_tensor *const in[] = {x};
        mpt_tensor *logits = nullptr;
        mpt_status s = mpt_autocast_begin(ctx, policy);
        if (s != MPT_OK) return s;
        s = mpt_layer_forward(model, in, 1, &logits, 1);
        if (s == MPT_OK) s = mpt_cross_entropy(logits, y, nullptr, loss.out());
        mpt_tensor_release(logits);
        const mpt_status end = mpt_autocast_end(ctx);  // needs no memory, or autocast would stay open
        return s == MPT_OK ? end : s;
    }
    // Forward and backward, as a host does both again after a failure.
    mpt_status gradients(mpt_grad_mode mode) {
        const mpt_status s = forward();
        return s == MPT_OK ? mpt_backward(loss, scaler, mode) : s;
    }
    // Backward, as a host does it that tries again with the same graph: it is either whole or used up.
    mpt_status gradients_or_stale() {
        const mpt_status s = mpt_backward(loss, scaler, MPT_GRAD_ADD);
        if (s != MPT_ERROR_STALE) return s;
        if (const mpt_status zeroed = mpt_optimizer_zero_grad(optimizer); zeroed != MPT_OK) return zeroed;
        return gradients(MPT_GRAD_ADD);
    }
    void step(Loop &loop) {
        loop.add([this] { return gradients(MPT_GRAD_WRITE); });
        loop.add([this] { return mpt_optimizer_step(optimizer, scaler); });
        loop.add([this] { return mpt_scaler_update(scaler); });
    }
    // Two micro-batches, and true gradients before the step. A host that fails in the second begins at the first.
    void accumulated_step(Loop &loop) {
        const int first = loop.size();
        loop.add([this] { return gradients(MPT_GRAD_WRITE); });
        loop.add_from(first, [this] { return gradients(MPT_GRAD_ADD); });
        loop.add([this] { return mpt_optimizer_unscale(optimizer, scaler); });
        loop.add([this] { return mpt_optimizer_step(optimizer, scaler); });
        loop.add([this] { return mpt_scaler_update(scaler); });
    }
    void step_with_the_same_graph(Loop &loop) {
        loop.add([this] { return forward(); });
        loop.add([this] { return gradients_or_stale(); });
        loop.add([this] { return mpt_optimizer_step(optimizer, scaler); });
        loop.add([this] { return mpt_scaler_update(scaler); });
    }
    mpt_status capture() {
        mpt_status s = mpt_capture_begin(ctx);
        if (s != MPT_OK) return s;
        s = gradients(MPT_GRAD_WRITE);
        if (s == MPT_OK) s = mpt_optimizer_step(optimizer, scaler);
        if (s == MPT_OK) s = mpt_scaler_update(scaler);
        mpt_tensor *const outputs[] = {loss};
        if (s == MPT_OK) s = mpt_capture_end(ctx, outputs, 1, program.out());
        if (s != MPT_OK) abort_status = mpt_capture_abort(ctx);
        return s;
    }
    void captured_step(Loop &loop) {
        loop.add([this] { return capture(); });
        for (int run = 0; run < 2; ++run) {
            loop.add([this] { return mpt_program_feed(program, x, images.data(), sizeof images); });
            loop.add([this] { return mpt_program_feed(program, y, labels.data(), sizeof labels); });
            loop.add([this] { return mpt_program_run(program); });
        }
    }

    // ---- checkpoints in memory ----
    void fill_state(Loop &loop, State &s) {
        loop.add([this, &s] { return mpt_state_create(ctx, s.out()); });
        loop.add([this, &s] { return mpt_state_add_layer(s, "the model's parameters", model); });
        loop.add([this, &s] { return mpt_state_add_optimizer(s, "the optimizer's state", optimizer); });
        loop.add([this, &s] { return mpt_state_add_scaler(s, "the loss scaler's state", scaler); });
        loop.add([this, &s] { return mpt_state_add_random(s, "the context's random numbers"); });
        // What is not contiguous goes through staging.
        loop.add([this] { return mpt_transpose(x, 0, nullptr, turned.out()); });
        loop.add([this, &s] { return mpt_state_add_tensor(s, "a view of the last batch, transposed", turned); });
        loop.add([this] { return mpt_slice(x, 3, 1, 2, cut.out()); });
        loop.add([this, &s] { return mpt_state_add_tensor(s, "a view of the last batch, cut", cut); });
        loop.add([&s] { return mpt_state_set_number(s, "an epoch with a long name", 3); });
    }
    mpt_status save(State &s, std::vector<char> &to) {
        to.clear();
        return mpt_state_save_to(
            s,
            [](const void *data, size_t n, void *user) {
                auto &bytes = *static_cast<std::vector<char> *>(user);
                if (bytes.size() + n > bytes.capacity()) return 1;  // reserved beforehand: the test allocates nothing here
                bytes.insert(bytes.end(), static_cast<const char *>(data), static_cast<const char *>(data) + n);
                return 0;
            },
            &to);
    }
    struct Input {
        const char *data;
        std::size_t left;
    };
    mpt_status load(State &s, const std::vector<char> &from) {
        Input input{from.data(), from.size()};
        return mpt_state_load_from(
            s,
            [](void *data, size_t n, void *user) {
                auto &in = *static_cast<Input *>(user);
                if (n > in.left) return 1;
                std::memcpy(data, in.data, n);
                in.data += n;
                in.left -= n;
                return 0;
            },
            &input);
    }
    // Everything that training changes, as bytes, and the program's plan.
    std::string snapshot() {
        Loop loop;
        State s;
        fill_state(loop, s);
        MUST(loop.go());
        std::vector<char> bytes;
        bytes.reserve(1 << 16);
        MUST(save(s, bytes));
        std::string all(bytes.begin(), bytes.end());
        if (program) {
            std::vector<char> plan(1 << 16);
            MUST(mpt_program_dump(program, plan.data(), plan.size(), nullptr));
            all += plan.data();
        }
        return all;
    }
    double loss_value() {
        double value = NAN;
        MUST(mpt_tensor_item(loss, &value));
        return value;
    }

    const Options o;
    std::array<float, kBatch * kImage * kImage> images{};
    std::array<std::uint8_t, kBatch> labels{0, 2};
    std::vector<char> sink;
    mpt_status abort_status = MPT_OK, reported = MPT_OK;
    std::size_t load_call = SIZE_MAX;
    Context ctx;
    Layer model;
    Policy policy;
    Scaler scaler;
    Optimizer optimizer;
    Tensor x, y, loss, turned, cut;
    State state;
    Program program;

private:
    void layer(Loop &loop, const char *name, std::function<mpt_status(Layer &)> make) {
        auto made = std::make_shared<Layer>();
        loop.add([make = std::move(make), made] { return make(*made); });
        loop.add([this, name, made] {
            const mpt_status s = mpt_layer_add(model, name, *made);
            if (s == MPT_OK) *made = Layer();
            return s;
        });
    }
};

}  // namespace memory
