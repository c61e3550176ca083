#include <algorithm>
#include <cmath>

#include "api/guard.h"
#include "ops/ops.h"
#include "ops/transfer.h"
#include "precision/policy.h"
#include "precision/scaler.h"

using namespace mpt;

namespace {

mpt_dtype computes(mpt_dtype dtype) {
    if (dtype != MPT_F32 && dtype != MPT_F16 && dtype != MPT_BF16)
        fail(MPT_ERROR_DTYPE, "argument 'dtype' is ", api::text_of(dtype), ": a policy computes in f32, f16 or bf16");
    return dtype;
}

mpt_scaler_desc defaults() {
    mpt_scaler_desc d = {};
    d.struct_size = sizeof d;
    d.kind = MPT_SCALER_TORCH;
    d.initial_scale = 65536;
    d.growth_factor = 2;
    d.backoff_factor = 0.5;
    d.growth_interval = 2000;
    d.hysteresis = 2;
    return d;
}

void positive(double value, const char *field) {
    if (!(value > 0) || !std::isfinite(value)) fail(MPT_ERROR_ARGUMENT, "argument 'desc': ", field, " is ", value, ": it must be positive and finite");
}

void bound(double value, const char *field) {
    if (!(value >= 0) || !std::isfinite(value))
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': ", field, " is ", value, ": it must be finite and not negative; 0 is none");
}

void check(const mpt_scaler_desc &d) {
    if (d.kind < MPT_SCALER_STATIC || d.kind > MPT_SCALER_MEGATRON)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': kind is ", static_cast<int>(d.kind), ", which is none of mpt_scaler_kind");
    positive(d.initial_scale, "initial_scale");
    if (!std::isfinite(static_cast<float>(d.initial_scale))) fail(MPT_ERROR_ARGUMENT, "argument 'desc': initial_scale is ", d.initial_scale, ", which is no f32 number");
    positive(d.growth_factor, "growth_factor");
    positive(d.backoff_factor, "backoff_factor");
    if (d.growth_factor < 1) fail(MPT_ERROR_ARGUMENT, "argument 'desc': growth_factor is ", d.growth_factor, ": it must be at least 1");
    if (d.backoff_factor > 1) fail(MPT_ERROR_ARGUMENT, "argument 'desc': backoff_factor is ", d.backoff_factor, ": it must be at most 1");
    if (d.growth_interval < 1) fail(MPT_ERROR_ARGUMENT, "argument 'desc': growth_interval is ", d.growth_interval, ": it must be at least 1");
    bound(d.min_scale, "min_scale");
    bound(d.max_scale, "max_scale");
    if (d.max_scale > 0 && d.max_scale < std::max(d.min_scale, d.initial_scale))
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': max_scale is ", d.max_scale, ", which is below min_scale or initial_scale");
    api::at_least(d.hysteresis, 1, "desc", "hysteresis");
    api::need_reserved(d.reserved);
    if (d.min_scale > d.initial_scale) fail(MPT_ERROR_ARGUMENT, "argument 'desc': min_scale is ", d.min_scale, ", which is above initial_scale ", d.initial_scale);
}

}  // namespace

mpt_status MPT_CALL mpt_policy_create(mpt_context *ctx, mpt_dtype dtype, mpt_policy **out) {
    return api::call("mpt_policy_create", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        *out = make<mpt_policy>(c, computes(dtype)).detach();
    });
}
void MPT_CALL mpt_policy_retain(mpt_policy *policy) {
    if (policy) policy->retain();
}
void MPT_CALL mpt_policy_release(mpt_policy *policy) {
    if (policy) policy->release();
}

mpt_status MPT_CALL mpt_policy_set_layer(mpt_policy *policy, const char *pattern, mpt_dtype dtype) {
    return api::call("mpt_policy_set_layer", policy, "policy",
                     [&](Context &) {
                         if (dtype == MPT_F8E5M2)
                             fail(MPT_ERROR_DTYPE, "argument 'dtype' is f8e5m2: MPT_F8E4M3 puts layers into fp8, and mpt_policy_set_fp8 says by which formats");
                         policy->layers.emplace_back(api::text_in(pattern, "pattern"), dtype == MPT_F8E4M3 ? dtype : computes(dtype));
                     });
}

mpt_status MPT_CALL mpt_fp8_desc_init(mpt_fp8_desc *desc, size_t nbytes) {
    return api::catching("mpt_fp8_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_fp8(), "desc"); });
}

mpt_status MPT_CALL mpt_policy_set_fp8(mpt_policy *policy, const mpt_fp8_desc *desc) {
    return api::call("mpt_policy_set_fp8", policy, "policy", [&](Context &) {
        const mpt_fp8_desc d = api::read_desc(desc, default_fp8(), "desc");
        if (d.recipe < MPT_FP8_UNSCALED || d.recipe > MPT_FP8_DELAYED)
            fail(MPT_ERROR_ARGUMENT, "argument 'desc': recipe is ", static_cast<int>(d.recipe), ", which is none of mpt_fp8_recipe");
        api::at_least(d.history, 1, "desc", "history");
        if (d.margin < -32 || d.margin > 32) fail(MPT_ERROR_ARGUMENT, "argument 'desc': margin is ", d.margin, ": it must be from -32 to 32");
        for (const auto &[type, field] : {std::pair{d.forward, "forward"}, std::pair{d.backward, "backward"}})
            if (!is_f8(type)) fail(MPT_ERROR_DTYPE, "argument 'desc': ", field, " is ", api::text_of(type), ": it must be MPT_F8E4M3 or MPT_F8E5M2");
        policy->recipe = d;
        policy->fp8 = true;
    });
}

mpt_status MPT_CALL mpt_policy_set_op(mpt_policy *policy, const char *op, mpt_dtype dtype) {
    return api::call("mpt_policy_set_op", policy, "policy", [&](Context &) {
        const std::string name = api::text_in(op, "op");
        const auto &all = ops::all();
        const auto found = std::find_if(all.begin(), all.end(), [&](const Op *o) { return name == o->name; });
        if (found == all.end()) fail(MPT_ERROR_NOT_FOUND, "argument 'op' is '", name, "', which is no op: mpt_policy_describe lists them");
        // What only moves data, or updates state in place, has the types of its operands.
        const bool computes_freely = (*found)->precision != Precision::AsIs || ((*found)->kernel && (*found)->gradient);
        if (!computes_freely) fail(MPT_ERROR_ARGUMENT, "argument 'op' is '", name, "', which keeps the types of its operands: override an op that computes");
        policy->ops[name] = computes(dtype);
    });
}

mpt_status MPT_CALL mpt_policy_set_role(mpt_policy *policy, mpt_role role, mpt_dtype dtype) {
    return api::call("mpt_policy_set_role", policy, "policy", [&](Context &) {
        if (role < MPT_ROLE_FORWARD || role > MPT_ROLE_WEIGHT_GRADIENT)
            fail(MPT_ERROR_ARGUMENT, "argument 'role' is ", static_cast<int>(role), ", which is none of mpt_role");
        policy->roles[role] = computes(dtype);
    });
}

mpt_status MPT_CALL mpt_policy_describe(const mpt_policy *policy, char *text, size_t nbytes, size_t *needed_out) {
    return api::call("mpt_policy_describe", policy, "policy", [&](Context &) { api::text_out(policy->describe(), text, nbytes, needed_out); });
}

mpt_status MPT_CALL mpt_autocast_begin(mpt_context *ctx, mpt_policy *policy) {
    return api::call("mpt_autocast_begin", ctx, "ctx", [&](Context &c) {
        if (policy) api::same(c, policy, "policy");
        c.policies.push_back(c.scope.policy);
        c.scope.policy = Ref<Object>(policy);
    });
}

mpt_status MPT_CALL mpt_autocast_end(mpt_context *ctx) {
    return api::call("mpt_autocast_end", ctx, "ctx", [&](Context &c) {
        if (c.policies.empty()) fail(MPT_ERROR_STATE, "no mpt_autocast_begin is open");
        c.scope.policy = c.policies.back();
        c.policies.pop_back();
    });
}

mpt_status MPT_CALL mpt_scaler_desc_init(mpt_scaler_desc *desc, size_t nbytes) {
    return api::catching("mpt_scaler_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, defaults(), "desc"); });
}

mpt_status MPT_CALL mpt_scaler_create(mpt_context *ctx, const mpt_scaler_desc *desc, mpt_scaler **out) {
    return api::call("mpt_scaler_create", ctx, "ctx", [&](Context &c) {
        api::need(out, "out");
        const mpt_scaler_desc d = api::read_desc(desc, defaults(), "desc");
        check(d);
        *out = make<mpt_scaler>(c, d).detach();
    });
}
void MPT_CALL mpt_scaler_retain(mpt_scaler *scaler) {
    if (scaler) scaler->retain();
}
void MPT_CALL mpt_scaler_release(mpt_scaler *scaler) {
    if (scaler) scaler->release();
}

mpt_status MPT_CALL mpt_scaler_update(mpt_scaler *scaler) {
    return api::call("mpt_scaler_update", scaler, "scaler", [&](Context &) { scaler->update(); });
}

mpt_status MPT_CALL mpt_scaler_scale(mpt_scaler *scaler, double *out) {
    return api::call("mpt_scaler_scale", scaler, "scaler", [&](Context &c) {
        api::need(out, "out");
        api::need_outside_capture(c, "read the scale between runs");
        float value = 0;
        read(scaler->scale, &value);
        *out = value;
    });
}

mpt_status MPT_CALL mpt_scaler_counts(mpt_scaler *scaler, int64_t *good_out, int64_t *bad_out, int64_t *at_minimum_out) {
    return api::call("mpt_scaler_counts", scaler, "scaler", [&](Context &c) {
        api::need_outside_capture(c, "read the counts between runs");
        std::int64_t values[3] = {};
        read(scaler->counts, values);
        if (good_out) *good_out = values[0];
        if (bad_out) *bad_out = values[1];
        if (at_minimum_out) *at_minimum_out = values[2];
    });
}
