#include "precision/scaler.h"

#include "core/error.h"
#include "ops/ops.h"
#include "program/recording.h"

using namespace mpt;

mpt_scaler::mpt_scaler(mpt_context &context, const mpt_scaler_desc &d)
    : ctx(&context), desc(d), scale(new_tensor(context, MPT_F32, {})), tracker(new_tensor(context, MPT_I32, {})),
      counts(new_tensor(context, MPT_I64, {3})) {
    ops::fill_now(scale, d.initial_scale);
    ops::fill_now(tracker, 0);
    ops::fill_now(counts, 0);
}

mpt_scaler::Slot &mpt_scaler::slot(std::uint64_t optimizer) {
    Slot &slot = slots_[optimizer];
    if (!slot.found) {
        slot.found = new_tensor(*ctx, MPT_F32, {});
        ops::fill_now(slot.found, 0);
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
    ops::scaler_update(found, scale, tracker, counts,
                       {desc.growth_factor, desc.backoff_factor, desc.min_scale, desc.max_scale, desc.growth_interval, desc.kind == MPT_SCALER_STATIC});
    for (auto &[number, slot] : slots_)
        if (slot.stage != Stage::Ready) move(slot, Stage::Ready);
}
