#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>

#include "api/optimizer.h"
#include "nn/layer.h"
#include "ops/ops.h"
#include "ops/transfer.h"

using namespace mpt;

namespace {

mpt_group_desc default_group() {
    mpt_group_desc d = {};
    d.struct_size = sizeof d;
    d.lr_scale = d.weight_decay_scale = 1;
    return d;
}

}  // namespace

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
        api::not_negative(d.lr_scale, "argument 'desc': lr_scale");
        api::not_negative(d.weight_decay_scale, "argument 'desc': weight_decay_scale");
        if (d.rounding < MPT_ROUNDING_MASTER || d.rounding > MPT_ROUNDING_KAHAN)
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': rounding is ", static_cast<int>(d.rounding), ", which is none of mpt_rounding");
        optimizer->add_group(own, list, {d.rounding, d.lr_scale, d.weight_decay_scale});
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
        optimizer->add_group("layer", list, {}, "layer");
    });
}

mpt_status MPT_CALL mpt_optimizer_set_lr(mpt_optimizer *optimizer, double lr) {
    return api::call("mpt_optimizer_set_lr", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "set the rate between runs: programs read it from device memory");
        api::rate(lr, "argument 'lr'");
        const auto value = static_cast<float>(lr);
        write(optimizer->lr, &value);
    });
}

mpt_status MPT_CALL mpt_optimizer_set_clip_norm(mpt_optimizer *optimizer, double max_norm) {
    return api::call("mpt_optimizer_set_clip_norm", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "set clipping before mpt_capture_begin");
        api::not_negative(max_norm, "argument 'max_norm'");
        optimizer->max_norm = max_norm;
    });
}

mpt_status MPT_CALL mpt_optimizer_set_clip_value(mpt_optimizer *optimizer, double max_value) {
    return api::call("mpt_optimizer_set_clip_value", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "set clipping before mpt_capture_begin");
        api::not_negative(max_value, "argument 'max_value'");
        optimizer->max_value = max_value;
    });
}

mpt_status MPT_CALL mpt_optimizer_lr(mpt_optimizer *optimizer, double *out) {
    return api::call("mpt_optimizer_lr", optimizer, "optimizer", [&](Context &c) {
        api::need(out, "out");
        api::need_outside_capture(c, "read the rate between runs");
        float value = NAN;
        read(optimizer->rate, &value);
        if (std::isnan(value)) read(optimizer->lr, &value);  // no step yet
        *out = value;
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
