// A loss scaler: scale, tracker and counters on the device, and on the host where each optimizer stands in the iteration.
#pragma once

#include <cstdint>
#include <map>

#include "core/tensor.h"

struct mpt_scaler final : mpt::Object {
    mpt_scaler(mpt_context &context, const mpt_scaler_desc &desc);

    // An optimizer's place in the iteration. found: 1 when its gradients are not finite.
    enum class Stage { Ready, Unscaled, Stepped };
    struct Slot {
        Stage stage = Stage::Ready;
        mpt::Ref<mpt::Tensor> found;
    };
    Slot &slot(std::uint64_t optimizer);
    // Refuse what is out of order, before anything is done.
    void check_unscale(const Slot &slot) const;
    void check_step(const Slot &slot) const;
    void move(Slot &slot, Stage stage);
    void update();

    mpt::Ref<mpt_context> ctx;
    const mpt_scaler_desc desc;
    mpt::Ref<mpt::Tensor> scale, tracker, counts;  // f32, i32[2], i64[3]

protected:
    void dispose() override { ctx->dispose(this); }

private:
    std::map<std::uint64_t, Slot> slots_;  // by the optimizer's number
};
