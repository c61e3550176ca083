#include "engine/capture.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "engine/shadow.h"

namespace mpt {

namespace {

std::shared_ptr<Recording> close(Context &ctx) {
    const std::shared_ptr<Recording> recording = std::exchange(ctx.recording, nullptr);
    recording->restore();
    for (const Ref<Storage> &s : recording->born) s->set_state(StorageState::Gone);
    return recording;
}

}  // namespace

void capture_begin(Context &ctx) {
    if (ctx.recording) fail(MPT_ERROR_STATE, "a capture is open already: end it with mpt_capture_end or mpt_capture_abort");
    auto recording = std::make_shared<Recording>();
    // What the calls inside open and do not close is closed by an abort, once and without memory.
    recording->on_abort([&ctx, scope = ctx.scope, policies = ctx.policies, modes = ctx.grad_modes]() mutable {
        ctx.scope = std::move(scope);
        ctx.policies = std::move(policies);
        ctx.grad_modes = std::move(modes);
    });
    recording->open_pairs = ctx.policies.size() + ctx.grad_modes.size();
    ctx.recording = std::move(recording);
}

Ref<mpt_program> capture_end(Context &ctx, const std::vector<Ref<Tensor>> &outputs) {
    Recording &recording = *ctx.recording;
    if (ctx.policies.size() + ctx.grad_modes.size() != recording.open_pairs)
        fail(MPT_ERROR_STATE, "an mpt_autocast_begin or mpt_no_grad_begin and its end are not both inside the capture: pair them before mpt_capture_end");
    Ref<mpt_program> program = make<mpt_program>(ctx, recording, outputs);
    close(ctx);
    const auto &born = program->output_storages;
    for (const Ref<Storage> &s : born) s->set_state(StorageState::Pending);
    for (const Ref<Tensor> &t : outputs) {  // the graph behind what was born inside was only written down
        if (std::find(born.begin(), born.end(), t->storage) == born.end()) continue;
        t->node = nullptr;
        t->leaf = nullptr;
    }
    return program;
}

void capture_abort(Context &ctx) {
    if (ctx.recording) close(ctx)->abort();
}

void run_program(mpt_program &program) {
    Context &ctx = *program.ctx;
    program.require_inputs();
    ScopeGuard guard(ctx);
    ctx.scope.grad = false;
    ctx.scope.policy = nullptr;
    for (const ShadowUse &use : program.shadow_reads) shadow::refresh(ctx, use.original, use.original_dtype, use.dtype);
    program.launch();
}

}  // namespace mpt
