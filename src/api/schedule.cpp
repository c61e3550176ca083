#include "api/optimizer.h"
#include "optim/optimizer.h"

using namespace mpt;

namespace {

mpt_schedule_desc defaults() {
    mpt_schedule_desc d = {};
    d.struct_size = sizeof d;
    d.gamma = 0.1;
    return d;
}

void check(const mpt_schedule_desc &d) {
    if (d.kind < MPT_SCHEDULE_CONSTANT || d.kind > MPT_SCHEDULE_ONE_CYCLE)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': kind is ", static_cast<int>(d.kind), ", which is none of mpt_schedule_kind");
    api::at_least(d.warmup_steps, 0, "desc", "warmup_steps");
    api::not_negative(d.gamma, "argument 'desc': gamma");
    api::not_negative(d.final_factor, "argument 'desc': final_factor");
    if (d.kind == MPT_SCHEDULE_STEP) api::at_least(d.interval, 1, "desc", "interval");
    const bool ends = d.kind == MPT_SCHEDULE_COSINE || d.kind == MPT_SCHEDULE_LINEAR || d.kind == MPT_SCHEDULE_ONE_CYCLE;
    if (ends && d.total_steps <= d.warmup_steps)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': total_steps is ", d.total_steps, ": it must be above warmup_steps, ", d.warmup_steps);
}

}  // namespace

mpt_status MPT_CALL mpt_schedule_desc_init(mpt_schedule_desc *desc, size_t nbytes) {
    return api::catching("mpt_schedule_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, defaults(), "desc"); });
}

mpt_status MPT_CALL mpt_optimizer_set_schedule(mpt_optimizer *optimizer, const mpt_schedule_desc *desc) {
    return api::call("mpt_optimizer_set_schedule", optimizer, "optimizer", [&](Context &c) {
        api::need_outside_capture(c, "set the schedule before mpt_capture_begin");
        if (!desc) {
            optimizer->schedule.reset();
            return;
        }
        const mpt_schedule_desc d = api::read_desc(desc, defaults(), "desc");
        check(d);
        mpt_attrs_schedule attrs = {};
        attrs.kind = d.kind;
        attrs.warmup_steps = d.warmup_steps;
        attrs.total_steps = d.total_steps;
        attrs.interval = d.interval;
        attrs.gamma = d.gamma;
        attrs.final_factor = d.final_factor;
        optimizer->schedule = attrs;
    });
}
