#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "api/guard.h"
#include "nn/layer.h"
#include "ops/transfer.h"

using namespace mpt;

namespace {

mpt_sgd_desc default_sgd() {
    mpt_sgd_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 0.01;
    return d;
}

mpt_adam_desc default_adam(double weight_decay) {
    mpt_adam_desc d = {};
    d.struct_size = sizeof d;
    d.lr = 0.001;
    d.beta1 = 0.9;
    d.beta2 = 0.999;
    d.eps = 1e-8;
    d.weight_decay = weight_decay;
    return d;
}

mpt_group_desc default_group() {
    mpt_group_desc d = {};
    d.struct_size = sizeof d;
    d.lr_scale = d.weight_decay_scale = 1;
    return d;
}

constexpr double kAdamDecay = 0, kAdamWDecay = 0.01;

void not_negative(double value, const char *name) {
    if (!(value >= 0) || !std::isfinite(value)) fail(MPT_ERROR_ARGUMENT, name, " is ", value, ": it must be finite and not negative");
}

// Rates are kept in f32 on the device.
void rate(double value, const char *name) {
    not_negative(value, name);
    if (!std::isfinite(static_cast<float>(value))) fail(MPT_ERROR_ARGUMENT, name, " is ", value, ", which is no f32 number");
}

void beta(double value, const char *name) {
    if (!(value >= 0 && value < 1)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': ", name, " is ", value, ": it must be in [0, 1)");
}

mpt_status create_adam(const char *function, mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out, double decay, bool decoupled) {
    return api::call(function, ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_adam_desc d = api::read_desc(desc, default_adam(decay), "desc");
        rate(d.lr, "argument 'desc': lr");
        not_negative(d.eps, "argument 'desc': eps");
        not_negative(d.weight_decay, "argument 'desc': weight_decay");
        beta(d.beta1, "beta1");
        beta(d.beta2, "beta2");
        api::need_reserved(d.reserved);
        *out = new_adam(c, d, decoupled).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_sgd_desc_init(mpt_sgd_desc *desc, size_t nbytes) {
    return api::catching("mpt_sgd_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_sgd(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_sgd(mpt_context *ctx, const mpt_sgd_desc *desc, mpt_optimizer **out) {
    return api::call("mpt_optimizer_sgd", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_sgd_desc d = api::read_desc(desc, default_sgd(), "desc");
        rate(d.lr, "argument 'desc': lr");
        not_negative(d.momentum, "argument 'desc': momentum");
        not_negative(d.weight_decay, "argument 'desc': weight_decay");
        if (!std::isfinite(d.dampening)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': dampening is ", d.dampening, ": it must be finite");
        api::flag(d.nesterov, "desc", "nesterov");
        if (d.nesterov && (d.momentum == 0 || d.dampening != 0))
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': nesterov needs a momentum and no dampening, not ", d.momentum, " and ", d.dampening);
        *out = new_sgd(c, d).detach();
    });
}

mpt_status MPT_CALL mpt_adam_desc_init(mpt_adam_desc *desc, size_t nbytes) {
    return api::catching("mpt_adam_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_adam(kAdamDecay), "desc"); });
}
mpt_status MPT_CALL mpt_adamw_desc_init(mpt_adam_desc *desc, size_t nbytes) {
    return api::catching("mpt_adamw_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_adam(kAdamWDecay), "desc"); });
}
mpt_status MPT_CALL mpt_optimizer_adam(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out) {
    return create_adam("mpt_optimizer_adam", ctx, desc, out, kAdamDecay, false);
}
mpt_status MPT_CALL mpt_optimizer_adamw(mpt_context *ctx, const mpt_adam_desc *desc, mpt_optimizer **out) {
    return create_adam("mpt_optimizer_adamw", ctx, desc, out, kAdamWDecay, true);
}

void MPT_CALL mpt_optimizer_retain(mpt_optimizer *optimizer) {
    if (optimizer) optimizer->retain();
}
void MPT_CALL mpt_optimizer_release(mpt_optimizer *optimizer) {
    if (optimizer) optimizer->release();
}

mpt_status MPT_CALL mpt_group_desc_init(mpt_group_desc *desc, size_t nbytes) {
    return api::catching("mpt_group_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_group(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_add_group(mpt_optimizer *optimizer, const char *name, mpt_tensor *const *params, int32_t n,
                                            const mpt_group_desc *desc) {
    return api::call("mpt_optimizer_add_group", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "add groups before mpt_capture_begin");
        const std::string own = api::text_in(name, "name");
        if (own.empty() || own.find('.') != std::string::npos) fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", own, "': a group's name is not empty and has no '.'");
        if (n < 1) fail(MPT_ERROR_ARGUMENT, "argument 'n' is ", n, ": a group has at least one parameter");
        const std::vector<Ref<Tensor>> list = api::tensors(c, params, n, "params", "n");
        const mpt_group_desc d = api::read_desc(desc, default_group(), "desc");
        not_negative(d.lr_scale, "argument 'desc': lr_scale");
        not_negative(d.weight_decay_scale, "argument 'desc': weight_decay_scale");
        api::need_reserved(d.reserved);
        optimizer->add_group(own, list, d.lr_scale, d.weight_decay_scale);
    });
}

mpt_status MPT_CALL mpt_optimizer_add_layer(mpt_optimizer *optimizer, mpt_layer *layer) {
    return api::call("mpt_optimizer_add_layer", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "add groups before mpt_capture_begin");
        for (const Group &group : optimizer->groups)
            if (group.name == "layer")
                fail(MPT_ERROR_ARGUMENT, "argument 'layer': the optimizer has a layer already: put both into an mpt_layer_sequential, or use mpt_optimizer_add_group");
        std::vector<Ref<Tensor>> list;
        for (auto &[name, parameter] : api::same(c, layer, "layer").parameters())
            if (parameter->requires_grad) list.push_back(parameter);
        if (list.empty()) fail(MPT_ERROR_ARGUMENT, "argument 'layer' has no parameter that asks for gradients");
        optimizer->add_group("layer", list, 1, 1, "layer");
    });
}

mpt_status MPT_CALL mpt_optimizer_set_lr(mpt_optimizer *optimizer, double lr) {
    return api::call("mpt_optimizer_set_lr", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "set the rate between runs: programs read it from device memory");
        rate(lr, "argument 'lr'");
        const auto value = static_cast<float>(lr);
        write(optimizer->lr, &value);
    });
}

mpt_status MPT_CALL mpt_optimizer_set_clip_norm(mpt_optimizer *optimizer, double max_norm) {
    return api::call("mpt_optimizer_set_clip_norm", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "set clipping before mpt_capture_begin");
        not_negative(max_norm, "argument 'max_norm'");
        optimizer->max_norm = max_norm;
    });
}

mpt_status MPT_CALL mpt_optimizer_zero_grad(mpt_optimizer *optimizer) {
    return api::call("mpt_optimizer_zero_grad", optimizer, "optimizer", [&](Context &) {
        for (const Group &group : optimizer->groups)
            for (const Slot &slot : group.slots)
                if (slot.parameter->grad) ops::fill(slot.parameter->grad, 0);
    });
}

mpt_status MPT_CALL mpt_optimizer_unscale(mpt_optimizer *optimizer, mpt_scaler *scaler) {
    return api::call("mpt_optimizer_unscale", optimizer, "optimizer", [&](Context &c) { optimizer->unscale(api::same(c, scaler, "scaler")); });
}

mpt_status MPT_CALL mpt_optimizer_step(mpt_optimizer *optimizer, mpt_scaler *scaler) {
    return api::call("mpt_optimizer_step", optimizer, "optimizer", [&](Context &c) {
        if (scaler) api::same(c, scaler, "scaler");
        optimizer->step(scaler);
    });
}

mpt_status MPT_CALL mpt_optimizer_counts(mpt_optimizer *optimizer, int64_t *stepped_out, int64_t *skipped_out) {
    return api::call("mpt_optimizer_counts", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "read the counts between runs");
        // A group without gradients takes no part in a step, so the largest count is the optimizer's.
        std::int64_t counts[2] = {};
        for (const Group &group : optimizer->groups) {
            std::int64_t own[2];
            read(group.counts, own);
            for (int i = 0; i < 2; ++i) counts[i] = std::max(counts[i], own[i]);
        }
        if (stepped_out) *stepped_out = counts[0];
        if (skipped_out) *skipped_out = counts[1];
    });
}

mpt_status MPT_CALL mpt_optimizer_grad_norm(mpt_optimizer *optimizer, double *out) {
    return api::call("mpt_optimizer_grad_norm", optimizer, "optimizer", [&](Context &c) {
        api::need(out, "out");
        api::need_outside_capture(c, "read the norm between runs");
        float value = 0;
        read(optimizer->norm, &value);
        *out = value;
    });
}
