// A context on a GPU, or a skipped test; and a network that trains there.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "cuda/driver.h"
#include "training/dump.h"

namespace cuda {

using net::Context;
using net::dump;
using net::Kind;
using net::Layer;
using net::Optimizer;
using net::Policy;
using net::Program;
using net::Scaler;
using net::State;
using net::Tensor;

using Edit = std::function<void(mpt_context_desc &)>;

inline mpt_status create(mpt_device device, Context &ctx, const Edit &edit = {}) {
    mpt_context_desc desc;
    MUST(mpt_context_desc_init(&desc, sizeof desc));
    desc.device = device;
    desc.threads = device == MPT_DEVICE_CPU ? 2 : 0;
    if (edit) edit(desc);
    return mpt_context_create(&desc, ctx.out());
}
inline Context must_create(mpt_device device, const Edit &edit = {}) {
    Context ctx;
    MUST(create(device, ctx, edit));
    return ctx;
}

// Skipped with the library's reason where there is no GPU.
class Gpu : public testing::Test {
protected:
    void SetUp() override {
        const mpt_status status = create(MPT_DEVICE_CUDA, ctx);
        if (status == MPT_ERROR_DEVICE) GTEST_SKIP() << mpt_last_error();
        test::must(status, "mpt_context_create");
        driver = std::make_unique<Driver>();
    }
    Context ctx;
    std::unique_ptr<Driver> driver;
};

struct Memory {
    std::size_t in_use = 0, peak = 0, reserved = 0;
    bool operator==(const Memory &) const = default;
};
inline Memory memory_of(mpt_context *ctx) {
    Memory m;
    MUST(mpt_context_memory(ctx, &m.in_use, &m.peak, &m.reserved));
    return m;
}
inline std::ostream &operator<<(std::ostream &out, const Memory &m) {
    return out << "in use " << m.in_use << ", peak " << m.peak << ", reserved " << m.reserved;
}

// One network with all that trains it, always on one batch, in a context of the test's making.
class Trainer {
public:
    Trainer(mpt_context *context, Kind kind, mpt_dtype precision = MPT_F32) : ctx(context), kind_(kind) {
        const net::Sizes s = net::sizes(kind);
        MUST(mpt_context_seed(ctx, 1));  // equal to its twin, whatever was made in the context before
        model = net::model(ctx, kind);
        if (precision != MPT_F32) MUST(mpt_policy_create(ctx, precision, policy.out()));
        mpt_scaler_desc d;
        MUST(mpt_scaler_desc_init(&d, sizeof d));
        d.initial_scale = 1024;
        MUST(mpt_scaler_create(ctx, &d, scaler.out()));
        MUST(mpt_optimizer_adam(ctx, nullptr, optimizer.out()));
        MUST(mpt_optimizer_add_layer(optimizer, model));
        const net::Batch batch = net::batch(kind, 1);
        x = kind == Kind::Cnn ? net::tensor(ctx, MPT_F32, {s.batch, 1, 28, 28}, batch.x)
                              : net::tensor(ctx, MPT_F32, {s.batch, s.features}, batch.x);
        y = net::tensor(ctx, MPT_U8, {s.batch}, batch.labels);
    }

    // Each can be called again after it has failed.
    mpt_status forward_backward() {
        Tensor out;
        mpt_tensor *in = x;
        mpt_status status = mpt_autocast_begin(ctx, policy);
        if (status != MPT_OK) return status;
        status = mpt_layer_forward(model, &in, 1, out.out(), 1);
        if (status == MPT_OK) status = mpt_cross_entropy(out, y, nullptr, loss.out());
        const mpt_status ended = mpt_autocast_end(ctx);
        if (status == MPT_OK) status = ended;
        return status == MPT_OK ? mpt_backward(loss, scaler, MPT_GRAD_WRITE) : status;
    }
    mpt_status update() { return mpt_optimizer_step(optimizer, scaler); }
    mpt_status update_scale() { return mpt_scaler_update(scaler); }

    void step() {
        MUST(forward_backward());
        MUST(update());
        MUST(update_scale());
    }
    void capture() {
        MUST(mpt_capture_begin(ctx));
        step();
        mpt_tensor *outputs[] = {loss};
        MUST(mpt_capture_end(ctx, outputs, 1, program.out()));
    }

    // Everything that training changes, as bytes.
    std::string snapshot() {
        State s;
        MUST(mpt_state_create(ctx, s.out()));
        MUST(mpt_state_add_layer(s, "model", model));
        MUST(mpt_state_add_optimizer(s, "optimizer", optimizer));
        MUST(mpt_state_add_scaler(s, "scaler", scaler));
        std::string all;
        MUST(mpt_state_save_to(
            s,
            [](const void *data, std::size_t n, void *to) {
                static_cast<std::string *>(to)->append(static_cast<const char *>(data), n);
                return 0;
            },
            &all));
        return all;
    }

    mpt_context *ctx;
    Layer model;
    Policy policy;
    Scaler scaler;
    Optimizer optimizer;
    Tensor x, y, loss;
    Program program;

private:
    Kind kind_;
};

inline bool contains(const std::string &text, const char *what) {
    return text.find(what) != std::string::npos;
}

}  // namespace cuda
