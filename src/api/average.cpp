#include "optim/average.h"

#include "api/optimizer.h"

using namespace mpt;

mpt_status MPT_CALL mpt_average_create(mpt_optimizer *optimizer, double decay, mpt_average **out) {
    return api::call("mpt_average_create", optimizer, "optimizer", [&](Context &c) {
        api::share(decay, "argument 'decay'");
        api::need(out, "out");
        api::need_outside_capture(c, "create averages before mpt_capture_begin");
        if (optimizer->groups.empty()) fail(MPT_ERROR_STATE, "argument 'optimizer' has no parameters: call mpt_optimizer_add_group first");
        *out = make<mpt_average>(*optimizer, decay).detach();
    });
}
void MPT_CALL mpt_average_retain(mpt_average *average) {
    if (average) average->retain();
}
void MPT_CALL mpt_average_release(mpt_average *average) {
    if (average) average->release();
}

mpt_status MPT_CALL mpt_average_update(mpt_average *average) {
    return api::call("mpt_average_update", average, "average", [&](Context &) { average->update(); });
}

mpt_status MPT_CALL mpt_average_swap(mpt_average *average) {
    return api::call("mpt_average_swap", average, "average", [&](Context &c) {
        api::need_outside_capture(c, "swap between runs");
        average->swap();
    });
}
