// Update rules, learning-rate schedules and moving averages.
#include "api/misuse.h"

namespace {

struct Sgd {
    static constexpr const char *function = "mpt_optimizer_sgd", *argument = "desc";
    static mpt_sgd_desc good() {
        mpt_sgd_desc d;
        MUST(mpt_sgd_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_sgd_desc *d) { return mpt_optimizer_sgd(w.ctx, d, w.out()); }
};

struct Adam {
    static constexpr const char *function = "mpt_optimizer_adam", *argument = "desc";
    static mpt_adam_desc good() {
        mpt_adam_desc d;
        MUST(mpt_adam_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_adam_desc *d) { return mpt_optimizer_adam(w.ctx, d, w.out()); }
};

struct AdamW {
    static constexpr const char *function = "mpt_optimizer_adamw", *argument = "desc";
    static mpt_adam_desc good() {
        mpt_adam_desc d;
        MUST(mpt_adamw_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_adam_desc *d) { return mpt_optimizer_adamw(w.ctx, d, w.out()); }
};

struct Lamb {
    static constexpr const char *function = "mpt_optimizer_lamb", *argument = "desc";
    static mpt_adam_desc good() {
        mpt_adam_desc d;
        MUST(mpt_lamb_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_adam_desc *d) { return mpt_optimizer_lamb(w.ctx, d, w.out()); }
};

struct Adagrad {
    static constexpr const char *function = "mpt_optimizer_adagrad", *argument = "desc";
    static mpt_adagrad_desc good() {
        mpt_adagrad_desc d;
        MUST(mpt_adagrad_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_adagrad_desc *d) { return mpt_optimizer_adagrad(w.ctx, d, w.out()); }
};

struct Adadelta {
    static constexpr const char *function = "mpt_optimizer_adadelta", *argument = "desc";
    static mpt_adadelta_desc good() {
        mpt_adadelta_desc d;
        MUST(mpt_adadelta_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_adadelta_desc *d) { return mpt_optimizer_adadelta(w.ctx, d, w.out()); }
};

struct Rmsprop {
    static constexpr const char *function = "mpt_optimizer_rmsprop", *argument = "desc";
    static mpt_rmsprop_desc good() {
        mpt_rmsprop_desc d;
        MUST(mpt_rmsprop_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_rmsprop_desc *d) { return mpt_optimizer_rmsprop(w.ctx, d, w.out()); }
};

struct Schedule {
    static constexpr const char *function = "mpt_optimizer_set_schedule", *argument = "desc";
    static mpt_schedule_desc good() {
        mpt_schedule_desc d;
        MUST(mpt_schedule_desc_init(&d, sizeof d));
        return d;
    }
    static mpt_status use(misuse::World &w, const mpt_schedule_desc *d) { return mpt_optimizer_set_schedule(w.optimizer, d); }
};

// What every rule has.
#define RULE_ROWS(function, Use)                                         \
    ROW(Null, "ctx", "", function, nullptr, nullptr, w.out()),           \
    ROW(Taken, "desc", "", function, w.ctx, nullptr, w.out()),           \
    ROW(Null, "out", "", function, w.ctx, nullptr, nullptr),             \
    DESCRIPTOR_ROWS(Use),                                                \
    FIELD(Use, Range, "lr is -1", d.lr = -1),                            \
    FIELD(Use, Range, "lr is nan", d.lr = NAN),                          \
    FIELD(Use, Range, "lr is inf", d.lr = INFINITY),                     \
    FIELD(Use, Range, "lr is 1e+300", d.lr = 1e300),                     \
    FIELD(Use, Range, "weight_decay is -1", d.weight_decay = -1),        \
    FIELD(Use, Range, "weight_decay is nan", d.weight_decay = NAN),      \
    FIELD(Use, Range, "weight_decay is inf", d.weight_decay = INFINITY)

// A number that must be finite and not negative.
#define NOT_NEGATIVE(Use, field)                                \
    FIELD(Use, Range, #field " is -1", d.field = -1),           \
    FIELD(Use, Range, #field " is nan", d.field = NAN),         \
    FIELD(Use, Range, #field " is inf", d.field = INFINITY)

#define ADAM_ROWS(function, Use)                           \
    RULE_ROWS(function, Use),                              \
    NOT_NEGATIVE(Use, eps),                                \
    FIELD(Use, Range, "beta1 is 1", d.beta1 = 1),          \
    FIELD(Use, Range, "beta1 is nan", d.beta1 = NAN),      \
    FIELD(Use, Range, "beta2 is -0.1", d.beta2 = -0.1),    \
    FIELD(Use, Range, "beta2 is inf", d.beta2 = INFINITY), \
    FIELD(Use, Tail, "reserved is 7", d.reserved = 7)

// An average of the world's optimizer.
net::Average average(misuse::World &w) {
    net::Average a;
    MUST(mpt_average_create(w.optimizer, 0.9, a.out()));
    return a;
}

// A group that came behind the average.
void add_group(misuse::World &w) {
    const net::Tensor t = net::tensor(w.ctx, MPT_F32, {2});
    MUST(mpt_tensor_fill(t, 1));
    MUST(mpt_tensor_set_requires_grad(t, 1));
    MUST(mpt_optimizer_add_group(w.optimizer, "later", w.list({t}), 1, nullptr));
}

mpt_optimizer *without_groups(misuse::World &w, net::Optimizer &optimizer) {
    MUST(mpt_optimizer_sgd(w.ctx, nullptr, optimizer.out()));
    return optimizer;
}

const misuse::Rows rows{
    INIT_ROWS(mpt_sgd_desc_init, "desc"),
    RULE_ROWS(mpt_optimizer_sgd, Sgd),
    FIELD(Sgd, Range, "momentum is -0.5", d.momentum = -0.5),
    FIELD(Sgd, Range, "momentum is nan", d.momentum = NAN),
    FIELD(Sgd, Range, "dampening is nan", d.dampening = NAN),
    FIELD(Sgd, Range, "dampening is inf", d.dampening = INFINITY),
    FIELD(Sgd, Range, "nesterov is 2", d.nesterov = 2),
    FIELD(Sgd, Range, "not 0 and 0", d.nesterov = 1),
    FIELD(Sgd, Range, "not 0.9 and 0.1", d.nesterov = 1; d.momentum = 0.9; d.dampening = 0.1),

    INIT_ROWS(mpt_adam_desc_init, "desc"),
    INIT_ROWS(mpt_adamw_desc_init, "desc"),
    INIT_ROWS(mpt_lamb_desc_init, "desc"),
    ADAM_ROWS(mpt_optimizer_adam, Adam),
    ADAM_ROWS(mpt_optimizer_adamw, AdamW),
    ADAM_ROWS(mpt_optimizer_lamb, Lamb),

    INIT_ROWS(mpt_adagrad_desc_init, "desc"),
    RULE_ROWS(mpt_optimizer_adagrad, Adagrad),
    NOT_NEGATIVE(Adagrad, lr_decay),
    NOT_NEGATIVE(Adagrad, initial_accumulator),
    NOT_NEGATIVE(Adagrad, eps),
    FIELD(Adagrad, Tail, "reserved is 7", d.reserved = 7),

    INIT_ROWS(mpt_adadelta_desc_init, "desc"),
    RULE_ROWS(mpt_optimizer_adadelta, Adadelta),
    NOT_NEGATIVE(Adadelta, eps),
    FIELD(Adadelta, Range, "rho is -0.1", d.rho = -0.1),
    FIELD(Adadelta, Range, "rho is 1.5", d.rho = 1.5),
    FIELD(Adadelta, Range, "rho is nan", d.rho = NAN),
    FIELD(Adadelta, Tail, "reserved is 7", d.reserved = 7),

    INIT_ROWS(mpt_rmsprop_desc_init, "desc"),
    RULE_ROWS(mpt_optimizer_rmsprop, Rmsprop),
    NOT_NEGATIVE(Rmsprop, alpha),
    NOT_NEGATIVE(Rmsprop, eps),
    NOT_NEGATIVE(Rmsprop, momentum),
    FIELD(Rmsprop, Range, "centered is 2", d.centered = 2),

    INIT_ROWS(mpt_schedule_desc_init, "desc"),
    ROW(Null, "optimizer", "", mpt_optimizer_set_schedule, nullptr, nullptr),
    ROW(Taken, "desc", "", mpt_optimizer_set_schedule, w.optimizer, nullptr),
    DESCRIPTOR_ROWS(Schedule),
    NOT_NEGATIVE(Schedule, gamma),
    NOT_NEGATIVE(Schedule, final_factor),
    FIELD(Schedule, Range, "kind is 5", d.kind = static_cast<mpt_schedule_kind>(5)),
    FIELD(Schedule, Range, "kind is -1", d.kind = static_cast<mpt_schedule_kind>(-1)),
    FIELD(Schedule, Range, "warmup_steps is -1", d.warmup_steps = -1),
    FIELD(Schedule, Range, "interval is 0", d.kind = MPT_SCHEDULE_STEP),
    FIELD(Schedule, Range, "total_steps is 0", d.kind = MPT_SCHEDULE_COSINE),
    FIELD(Schedule, Range, "total_steps is -5", d.kind = MPT_SCHEDULE_LINEAR; d.total_steps = -5),
    FIELD(Schedule, Range, "total_steps is 7", d.kind = MPT_SCHEDULE_ONE_CYCLE; d.total_steps = d.warmup_steps = 7),
    FIELD(Schedule, Taken, "", d.kind = MPT_SCHEDULE_ONE_CYCLE; d.total_steps = 8; d.warmup_steps = 7),
    ROW(Capture, "", "", mpt_optimizer_set_schedule, w.optimizer, nullptr),

    ROW(Null, "optimizer", "", mpt_average_create, nullptr, 0.9, w.out()),
    ROW(Range, "decay", "is 1", mpt_average_create, w.optimizer, 1, w.out()),
    ROW(Range, "decay", "is -0.5", mpt_average_create, w.optimizer, -0.5, w.out()),
    ROW(Range, "decay", "is nan", mpt_average_create, w.optimizer, NAN, w.out()),
    ROW(Taken, "decay", "", mpt_average_create, w.optimizer, 0, w.out()),
    ROW(Null, "out", "", mpt_average_create, w.optimizer, 0.9, nullptr),
    STEPS("mpt_average_create", State, "optimizer", "no parameters", net::Optimizer empty;
          return mpt_average_create(without_groups(w, empty), 0.9, w.out())),
    ROW(Capture, "", "", mpt_average_create, w.optimizer, 0.9, w.out()),
    ROW(Null, "average", "", mpt_average_update, nullptr),
    STEPS("mpt_average_update", State, "average", "1 groups", const net::Average a = average(w); add_group(w); return mpt_average_update(a)),
    ROW(Null, "average", "", mpt_average_swap, nullptr),
    STEPS("mpt_average_swap", State, "average", "1 groups", const net::Average a = average(w); add_group(w); return mpt_average_swap(a)),
    misuse::Row{"mpt_average_swap", misuse::Capture, "", "",
                [](misuse::World &w) {
                    MUST(mpt_capture_abort(w.ctx));
                    const net::Average a = average(w);
                    w.capture();
                    return mpt_average_swap(a);
                }},
    ROW(Null, "state", "", mpt_state_add_average, nullptr, "a", nullptr),
    STEPS("mpt_state_add_average", Taken, "prefix", "", const net::Average a = average(w); return mpt_state_add_average(w.state, nullptr, a)),
    ROW(Null, "average", "", mpt_state_add_average, w.state, "a", nullptr),
    STEPS("mpt_state_add_average", Foreign, "average", "", net::Average a; MUST(mpt_average_create(w.other.optimizer, 0.9, a.out()));
          return mpt_state_add_average(w.state, "a", a)),
    STEPS("mpt_state_add_average", Range, "prefix", "'a.own.step'", const net::Average a = average(w);
          MUST(mpt_state_add_average(w.state, "a", a)); return mpt_state_add_average(w.state, "a", a)),
};

}  // namespace
