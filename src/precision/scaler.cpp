#include "precision/scaler.h"

#include "core/error.h"
#include "device/attrs/scaler.h"
#include "ops/ops.h"
#include "ops/optimizer.h"
#include "ops/transfer.h"
#include "program/recording.h"

using namespace mpt;

mpt_scaler::mpt_scaler(mpt_context &context, const mpt_scaler_desc &d)
    : ctx(&context), desc(d), scale(new_tensor(context, MPT_F32, {})), tracker(new_tensor(context, MPT_I32, {2})),
      counts(new_tensor(context, MPT_I64, {3})) {
    ops::fill_now(scale, d.initial_scale);
    const std::int32_t start[2] = {0, d.hysteresis};
    write(tracker, start);
    ops::fill_now(counts, 0);
}

mpt_scaler::Slot &mpt_scaler::slot(std::uint64_t optimizer) {
    Slot &slot = slots_[optimizer];
    if (!slot.found) {
        const Ref<Tensor> found = new_tensor(*ctx, MPT_F32, {});
        ops::fill_now(found, 0);
        slot.found = found;
    }
    return slot;
}

// A recorded call moves the stage only until the capture ends: it has not happened.
void mpt_scaler::move(Slot &slot, Stage stage) {
    if (ctx->recording) ctx->recording->on_restore([keep = Ref<mpt_scaler>(this), &slot, before = slot.stage] { slot.stage = before; });
    slot.stage = stage;
}

void mpt_scaler::check_unscale(const Slot &slot) const {
    if (slot.stage == Stage::Unscaled)
        fail(MPT_ERROR_UNSCALED_TWICE, "argument 'optimizer' was unscaled already since the last mpt_scaler_update: unscale once per iteration");
    if (slot.stage == Stage::Stepped)
        fail(MPT_ERROR_UNSCALE_AFTER_STEP, "argument 'optimizer' has stepped already since the last mpt_scaler_update: unscale before the step");
}

void mpt_scaler::check_step(const Slot &slot) const {
    if (slot.stage == Stage::Stepped)
        fail(MPT_ERROR_STEP_TWICE, "argument 'optimizer' has stepped already since the last mpt_scaler_update: call mpt_scaler_update once per iteration");
}

void mpt_scaler::update() {
    std::vector<Ref<Tensor>> found;
    for (auto &[number, slot] : slots_)
        if (slot.stage != Stage::Ready) found.push_back(slot.found);
    if (found.empty())
        fail(MPT_ERROR_UPDATE_WITHOUT_STEP, "argument 'scaler': no optimizer was unscaled or stepped with it since the last update: call mpt_optimizer_step(optimizer, scaler) first");
    mpt_attrs_scaler attrs = {};
    attrs.growth = desc.growth_factor;
    attrs.backoff = desc.backoff_factor;
    attrs.minimum = desc.min_scale;
    attrs.maximum = desc.max_scale;
    attrs.interval = desc.growth_interval;
    attrs.kind = desc.kind;
    attrs.hysteresis = desc.hysteresis;
    ops::scaler_update(found, scale, tracker, counts, attrs);
    for (auto &[number, slot] : slots_)
        if (slot.stage != Stage::Ready) move(slot, Stage::Ready);
}
