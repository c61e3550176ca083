// Gradients, loss scaling, and what optimizers do. Their rules, schedules and averages: misuse_optimizer_test.cpp.
#include "api/misuse.h"

namespace {

struct Scaler {
    static constexpr const char *function = "mpt_scaler_create", *argument = "desc";
    static mpt_scaler_desc good() {
        mpt_scaler_desc d;
        MUST(mpt_scaler_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_scaler_desc *d) { return mpt_scaler_create(w.ctx, d, w.out()); }
};

// A second leaf, which is in no group.
net::Tensor leaf(misuse::World &w, mpt_dtype dtype = MPT_F32) {
    net::Tensor t = net::tensor(w.ctx, dtype, {2, 2});
    MUST(mpt_tensor_set_requires_grad(t, 1));
    return t;
}

struct Group {
    static constexpr const char *function = "mpt_optimizer_add_group", *argument = "desc";
    static mpt_group_desc good() {
        mpt_group_desc d;
        MUST(mpt_group_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_group_desc *d) {
        const net::Tensor fresh = leaf(w);
        return mpt_optimizer_add_group(w.optimizer, "more", w.list({fresh}), 1, d);
    }
};

const misuse::Rows rows{
    ROW(Null, "loss", "", mpt_backward, nullptr, nullptr, MPT_GRAD_WRITE),
    ROW(Taken, "scaler", "", mpt_backward, w.loss, nullptr, MPT_GRAD_WRITE),
    ROW(Foreign, "scaler", "", mpt_backward, w.loss, w.other.scaler, MPT_GRAD_WRITE),
    ROW(Range, "mode", "is 5", mpt_backward, w.loss, nullptr, static_cast<mpt_grad_mode>(5)),
    ROW(Shape, "loss", "[2, 3]", mpt_backward, w.x, nullptr, MPT_GRAD_WRITE),
    ROW(State, "loss", "", mpt_backward, w.scalar, nullptr, MPT_GRAD_WRITE),
    STEPS_IS("mpt_backward", MPT_ERROR_STALE, "loss", "used up", return mpt_backward(w.backward().loss, w.scaler, MPT_GRAD_ADD)),
    STEPS_IS("mpt_backward", MPT_ERROR_STALE, "loss", "[2, 3]", MUST(mpt_tensor_mark_modified(w.leaf)); return mpt_backward(w.loss, nullptr, MPT_GRAD_WRITE)),

    misuse::Row{"mpt_backward_from", misuse::Null, "roots", "",
                [](misuse::World &w) { return mpt_backward_from(nullptr, w.list({w.scalar}), 1, MPT_GRAD_WRITE); }},
    misuse::Row{"mpt_backward_from", misuse::Null, "roots[0]", "",
                [](misuse::World &w) { return mpt_backward_from(w.list({nullptr}), w.list({w.scalar}), 1, MPT_GRAD_WRITE); }, MPT_OK, true},
    misuse::Row{"mpt_backward_from", misuse::Range, "n", "is 0",
                [](misuse::World &w) { return mpt_backward_from(w.list({w.loss}), w.list({w.scalar}), 0, MPT_GRAD_WRITE); }, MPT_OK, true},
    misuse::Row{"mpt_backward_from", misuse::Range, "n", "is -1",
                [](misuse::World &w) { return mpt_backward_from(w.list({w.loss}), w.list({w.scalar}), -1, MPT_GRAD_WRITE); }, MPT_OK, true},
    ROW(Null, "roots[1]", "", mpt_backward_from, w.list({w.loss, nullptr}), w.list({w.scalar, w.scalar}), 2, MPT_GRAD_WRITE),
    ROW(Foreign, "roots[1]", "", mpt_backward_from, w.list({w.loss, w.other.loss}), w.list({w.scalar, w.scalar}), 2, MPT_GRAD_WRITE),
    ROW(Null, "cotangents", "", mpt_backward_from, w.list({w.loss}), nullptr, 1, MPT_GRAD_WRITE),
    ROW(Null, "cotangents[0]", "", mpt_backward_from, w.list({w.loss}), w.list({nullptr}), 1, MPT_GRAD_WRITE),
    ROW(Foreign, "cotangents[0]", "", mpt_backward_from, w.list({w.loss}), w.list({w.other.scalar}), 1, MPT_GRAD_WRITE),
    ROW(Range, "mode", "is -1", mpt_backward_from, w.list({w.loss}), w.list({w.scalar}), 1, static_cast<mpt_grad_mode>(-1)),
    ROW(Shape, "cotangents[0]", "[2, 3]", mpt_backward_from, w.list({w.loss}), w.list({w.x}), 1, MPT_GRAD_WRITE),
    STEPS("mpt_backward_from", Dtype, "cotangents[0]", "is i32", net::Tensor c = net::tensor(w.ctx, MPT_I32, {});
          return mpt_backward_from(w.list({w.loss}), w.list({c}), 1, MPT_GRAD_WRITE)),
    ROW(State, "roots[0]", "", mpt_backward_from, w.list({w.scalar}), w.list({w.scalar}), 1, MPT_GRAD_WRITE),
    STEPS_IS("mpt_backward_from", MPT_ERROR_STALE, "roots", "used up", return mpt_backward_from(w.list({w.backward().loss}), w.list({w.scalar}), 1, MPT_GRAD_ADD)),

    ROW(Null, "ctx", "", mpt_no_grad_begin, nullptr),
    ROW(Null, "ctx", "", mpt_no_grad_end, nullptr),
    ROW(State, "", "mpt_no_grad_begin", mpt_no_grad_end, w.ctx),

    INIT_ROWS(mpt_scaler_desc_init, "desc"),
    ROW(Null, "ctx", "", mpt_scaler_create, nullptr, nullptr, w.out()),
    ROW(Taken, "desc", "", mpt_scaler_create, w.ctx, nullptr, w.out()),
    ROW(Null, "out", "", mpt_scaler_create, w.ctx, nullptr, nullptr),
    DESCRIPTOR_ROWS(Scaler),
    FIELD(Scaler, Range, "kind is 9", d.kind = static_cast<mpt_scaler_kind>(9)),
    FIELD(Scaler, Range, "initial_scale is 0", d.initial_scale = 0),
    FIELD(Scaler, Range, "initial_scale is -1", d.initial_scale = -1),
    FIELD(Scaler, Range, "initial_scale is nan", d.initial_scale = NAN),
    FIELD(Scaler, Range, "initial_scale is inf", d.initial_scale = INFINITY),
    FIELD(Scaler, Range, "initial_scale is 1e+300", d.initial_scale = 1e300),
    FIELD(Scaler, Range, "growth_factor is 0.5", d.growth_factor = 0.5),
    FIELD(Scaler, Range, "growth_factor is nan", d.growth_factor = NAN),
    FIELD(Scaler, Range, "growth_factor is inf", d.growth_factor = INFINITY),
    FIELD(Scaler, Range, "backoff_factor is 0", d.backoff_factor = 0),
    FIELD(Scaler, Range, "backoff_factor is 2", d.backoff_factor = 2),
    FIELD(Scaler, Range, "backoff_factor is nan", d.backoff_factor = NAN),
    FIELD(Scaler, Range, "growth_interval is 0", d.growth_interval = 0),
    FIELD(Scaler, Range, "growth_interval is -1", d.growth_interval = -1),
    FIELD(Scaler, Range, "min_scale is -1", d.min_scale = -1),
    FIELD(Scaler, Range, "min_scale is nan", d.min_scale = NAN),
    FIELD(Scaler, Range, "min_scale is inf", d.min_scale = INFINITY),
    FIELD(Scaler, Range, "min_scale is 70000", d.min_scale = 70000),
    FIELD(Scaler, Range, "max_scale is -1", d.max_scale = -1),
    FIELD(Scaler, Range, "max_scale is nan", d.max_scale = NAN),
    FIELD(Scaler, Range, "max_scale is inf", d.max_scale = INFINITY),
    FIELD(Scaler, Range, "max_scale is 1", d.max_scale = 1),
    FIELD(Scaler, Taken, "", d.kind = MPT_SCALER_STATIC),
    FIELD(Scaler, Taken, "", d.kind = MPT_SCALER_HYSTERESIS),
    FIELD(Scaler, Taken, "", d.kind = MPT_SCALER_MEGATRON; d.hysteresis = INT32_MAX),
    FIELD(Scaler, Range, "kind is 4", d.kind = static_cast<mpt_scaler_kind>(4)),
    FIELD(Scaler, Range, "hysteresis is 0", d.hysteresis = 0),
    FIELD(Scaler, Range, "hysteresis is -1", d.kind = MPT_SCALER_MEGATRON; d.hysteresis = -1),
    FIELD(Scaler, Tail, "reserved is 7", d.reserved = 7),
    ROW(Null, "scaler", "", mpt_scaler_update, nullptr),
    ROW_IS(MPT_ERROR_UPDATE_WITHOUT_STEP, "scaler", "", mpt_scaler_update, w.scaler),
    STEPS_IS("mpt_scaler_update", MPT_ERROR_UPDATE_WITHOUT_STEP, "scaler", "", MUST(mpt_optimizer_step(w.backward().optimizer, w.scaler));
             MUST(mpt_scaler_update(w.scaler)); return mpt_scaler_update(w.scaler)),
    ROW(Null, "scaler", "", mpt_scaler_scale, nullptr, w.out()),
    ROW(Null, "out", "", mpt_scaler_scale, w.scaler, nullptr),
    ROW(Capture, "", "", mpt_scaler_scale, w.scaler, w.out()),
    ROW(Null, "scaler", "", mpt_scaler_counts, nullptr, w.out(), w.out(), w.out()),
    ROW(Taken, "good_out", "", mpt_scaler_counts, w.scaler, nullptr, w.out(), w.out()),
    ROW(Taken, "bad_out", "", mpt_scaler_counts, w.scaler, w.out(), nullptr, w.out()),
    ROW(Taken, "at_minimum_out", "", mpt_scaler_counts, w.scaler, w.out(), w.out(), nullptr),
    ROW(Capture, "", "", mpt_scaler_counts, w.scaler, w.out(), w.out(), w.out()),

    INIT_ROWS(mpt_group_desc_init, "desc"),
    ROW(Null, "optimizer", "", mpt_optimizer_add_group, nullptr, "g", w.list({w.leaf}), 1, nullptr),
    ROW(Null, "name", "", mpt_optimizer_add_group, w.optimizer, nullptr, w.list({w.leaf}), 1, nullptr),
    ROW(Range, "name", "''", mpt_optimizer_add_group, w.optimizer, "", w.list({w.leaf}), 1, nullptr),
    ROW(Range, "name", "'a.b'", mpt_optimizer_add_group, w.optimizer, "a.b", w.list({w.leaf}), 1, nullptr),
    STEPS("mpt_optimizer_add_group", Range, "name", "'own'", const net::Tensor fresh = leaf(w);
          return mpt_optimizer_add_group(w.optimizer, "own", w.list({fresh}), 1, nullptr)),
    ROW(Null, "params", "", mpt_optimizer_add_group, w.optimizer, "g", nullptr, 1, nullptr),
    ROW(Null, "params[0]", "", mpt_optimizer_add_group, w.optimizer, "g", w.list({nullptr}), 1, nullptr),
    ROW(Foreign, "params[0]", "", mpt_optimizer_add_group, w.optimizer, "g", w.list({w.other.leaf}), 1, nullptr),
    ROW(Range, "n", "is 0", mpt_optimizer_add_group, w.optimizer, "g", nullptr, 0, nullptr),
    ROW(Range, "n", "is -1", mpt_optimizer_add_group, w.optimizer, "g", w.list({w.leaf}), -1, nullptr),
    ROW(Range, "params", "parameter 0", mpt_optimizer_add_group, w.optimizer, "g", w.list({w.leaf}), 1, nullptr),
    STEPS("mpt_optimizer_add_group", Range, "params", "parameter 1", const net::Tensor fresh = leaf(w);
          return mpt_optimizer_add_group(w.optimizer, "g", w.list({fresh, fresh}), 2, nullptr)),
    ROW(State, "params", "parameter 0", mpt_optimizer_add_group, w.optimizer, "g", w.list({w.x}), 1, nullptr),
    ROW(State, "params", "parameter 0", mpt_optimizer_add_group, w.optimizer, "g", w.list({w.loss}), 1, nullptr),
    STEPS("mpt_optimizer_add_group", Dtype, "params", "is f16", const net::Tensor a = leaf(w); const net::Tensor b = leaf(w, MPT_F16);
          return mpt_optimizer_add_group(w.optimizer, "g", w.list({a, b}), 2, nullptr)),
    STEPS("mpt_optimizer_add_group", Taken, "desc", "", return Group::use(w, nullptr)),
    DESCRIPTOR_ROWS(Group),
    FIELD(Group, Range, "rounding is 4", d.rounding = static_cast<mpt_rounding>(4)),
    FIELD(Group, Range, "rounding is -1", d.rounding = static_cast<mpt_rounding>(-1)),
    FIELD(Group, Taken, "", d.rounding = MPT_ROUNDING_STOCHASTIC),
    STEPS("mpt_optimizer_add_group", Dtype, "params", "is f16", const net::Tensor a = leaf(w, MPT_F16); mpt_group_desc d = Group::good();
          d.rounding = MPT_ROUNDING_STOCHASTIC; return mpt_optimizer_add_group(w.optimizer, "g", w.list({a}), 1, &d)),
    FIELD(Group, Range, "lr_scale is -1", d.lr_scale = -1),
    FIELD(Group, Range, "lr_scale is nan", d.lr_scale = NAN),
    FIELD(Group, Range, "weight_decay_scale is inf", d.weight_decay_scale = INFINITY),
    ROW(Capture, "", "", mpt_optimizer_add_group, w.optimizer, "g", w.list({w.leaf}), 1, nullptr),

    ROW(Null, "optimizer", "", mpt_optimizer_add_layer, nullptr, w.chain),
    ROW(Null, "layer", "", mpt_optimizer_add_layer, w.optimizer, nullptr),
    ROW(Foreign, "layer", "", mpt_optimizer_add_layer, w.optimizer, w.other.chain),
    STEPS("mpt_optimizer_add_layer", Range, "layer", "a layer already", MUST(mpt_optimizer_add_layer(w.optimizer, w.chain));
          return mpt_optimizer_add_layer(w.optimizer, w.chain)),
    STEPS("mpt_optimizer_add_layer", Range, "layer", "parameter 0", net::Tensor p; MUST(mpt_layer_parameter(w.chain, 0, p.out()));
          MUST(mpt_optimizer_add_group(w.optimizer, "g", w.list({p}), 1, nullptr)); return mpt_optimizer_add_layer(w.optimizer, w.chain)),
    STEPS("mpt_optimizer_add_layer", Range, "layer", "no parameter", MUST(mpt_layer_freeze(w.chain, 1));
          return mpt_optimizer_add_layer(w.optimizer, w.chain)),
    ROW(Capture, "", "", mpt_optimizer_add_layer, w.optimizer, w.chain),

    ROW(Null, "optimizer", "", mpt_optimizer_set_lr, nullptr, 1),
    ROW(Range, "lr", "is -1", mpt_optimizer_set_lr, w.optimizer, -1),
    ROW(Range, "lr", "is nan", mpt_optimizer_set_lr, w.optimizer, NAN),
    ROW(Range, "lr", "is inf", mpt_optimizer_set_lr, w.optimizer, INFINITY),
    ROW(Range, "lr", "is 1e+300", mpt_optimizer_set_lr, w.optimizer, 1e300),
    ROW(Capture, "", "", mpt_optimizer_set_lr, w.optimizer, 1),
    ROW(Null, "optimizer", "", mpt_optimizer_set_clip_norm, nullptr, 1),
    ROW(Range, "max_norm", "is -1", mpt_optimizer_set_clip_norm, w.optimizer, -1),
    ROW(Range, "max_norm", "is nan", mpt_optimizer_set_clip_norm, w.optimizer, NAN),
    ROW(Range, "max_norm", "is inf", mpt_optimizer_set_clip_norm, w.optimizer, INFINITY),
    ROW(Capture, "", "", mpt_optimizer_set_clip_norm, w.optimizer, 1),
    ROW(Null, "optimizer", "", mpt_optimizer_set_clip_value, nullptr, 1),
    ROW(Taken, "max_value", "", mpt_optimizer_set_clip_value, w.optimizer, 0),
    ROW(Range, "max_value", "is -1", mpt_optimizer_set_clip_value, w.optimizer, -1),
    ROW(Range, "max_value", "is nan", mpt_optimizer_set_clip_value, w.optimizer, NAN),
    ROW(Range, "max_value", "is inf", mpt_optimizer_set_clip_value, w.optimizer, INFINITY),
    ROW(Capture, "", "", mpt_optimizer_set_clip_value, w.optimizer, 1),
    ROW(Null, "optimizer", "", mpt_optimizer_lr, nullptr, w.out()),
    ROW(Null, "out", "", mpt_optimizer_lr, w.optimizer, nullptr),
    ROW(Capture, "", "", mpt_optimizer_lr, w.optimizer, w.out()),
    ROW(Null, "optimizer", "", mpt_optimizer_zero_grad, nullptr),

    ROW(Null, "optimizer", "", mpt_optimizer_unscale, nullptr, w.scaler),
    ROW(Null, "scaler", "", mpt_optimizer_unscale, w.optimizer, nullptr),
    ROW(Foreign, "scaler", "", mpt_optimizer_unscale, w.optimizer, w.other.scaler),
    ROW(State, "optimizer", "", mpt_optimizer_unscale, w.optimizer, w.scaler),
    STEPS_IS("mpt_optimizer_unscale", MPT_ERROR_UNSCALED_TWICE, "optimizer", "", MUST(mpt_optimizer_unscale(w.backward().optimizer, w.scaler));
             return mpt_optimizer_unscale(w.optimizer, w.scaler)),
    STEPS_IS("mpt_optimizer_unscale", MPT_ERROR_UNSCALE_AFTER_STEP, "optimizer", "", MUST(mpt_optimizer_step(w.backward().optimizer, w.scaler));
             return mpt_optimizer_unscale(w.optimizer, w.scaler)),
    ROW(Null, "optimizer", "", mpt_optimizer_step, nullptr, w.scaler),
    STEPS("mpt_optimizer_step", Taken, "scaler", "", return mpt_optimizer_step(w.backward().optimizer, nullptr)),
    ROW(Foreign, "scaler", "", mpt_optimizer_step, w.optimizer, w.other.scaler),
    ROW(State, "optimizer", "", mpt_optimizer_step, w.optimizer, nullptr),
    STEPS_IS("mpt_optimizer_step", MPT_ERROR_STEP_TWICE, "optimizer", "", MUST(mpt_optimizer_step(w.backward().optimizer, w.scaler));
             return mpt_optimizer_step(w.optimizer, w.scaler)),
    ROW(Null, "optimizer", "", mpt_optimizer_counts, nullptr, w.out(), w.out()),
    ROW(Taken, "stepped_out", "", mpt_optimizer_counts, w.optimizer, nullptr, w.out()),
    ROW(Taken, "skipped_out", "", mpt_optimizer_counts, w.optimizer, w.out(), nullptr),
    ROW(Capture, "", "", mpt_optimizer_counts, w.optimizer, w.out(), w.out()),
    ROW(Null, "optimizer", "", mpt_optimizer_grad_norm, nullptr, w.out()),
    ROW(Null, "out", "", mpt_optimizer_grad_norm, w.optimizer, nullptr),
    ROW(Capture, "", "", mpt_optimizer_grad_norm, w.optimizer, w.out()),
};

}  // namespace
