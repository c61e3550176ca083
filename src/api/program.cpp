#include "program/program.h"

#include "api/guard.h"
#include "engine/capture.h"

using namespace mpt;

mpt_status MPT_CALL mpt_capture_begin(mpt_context *ctx) {
    return api::call("mpt_capture_begin", ctx, "ctx", [&](Context &c) { capture_begin(c); });
}

mpt_status MPT_CALL mpt_capture_end(mpt_context *ctx, mpt_tensor *const *outputs, int32_t n, mpt_program **out) {
    return api::call("mpt_capture_end", ctx, "ctx", [&](Context &c) {
        if (!c.recording) fail(MPT_ERROR_STATE, "no capture is open: call mpt_capture_begin first");
        api::need(out, "out");
        *out = capture_end(c, api::tensors(c, outputs, n, "outputs", "n")).detach();
    });
}

mpt_status MPT_CALL mpt_capture_abort(mpt_context *ctx) {
    return api::call("mpt_capture_abort", ctx, "ctx", [&](Context &c) { capture_abort(c); }, api::Poison::Ignore);
}

void MPT_CALL mpt_program_retain(mpt_program *program) {
    if (program) program->retain();
}
void MPT_CALL mpt_program_release(mpt_program *program) {
    if (program) program->release();
}

mpt_status MPT_CALL mpt_program_feed(mpt_program *program, mpt_tensor *input, const void *data, size_t nbytes) {
    return api::call("mpt_program_feed", program, "program", [&](Context &c) {
        api::need_outside_capture(c, "feed between runs");
        const Ref<Tensor> t = api::tensor(c, input, "input");
        if (!program->reads(*t->storage)) fail(MPT_ERROR_ARGUMENT, "argument 'input' is not read by the program: feed a tensor that the capture used");
        if (!t->contiguous()) fail(MPT_ERROR_SHAPE, "argument 'input' has strides ", t->strides, ": feed a contiguous tensor");
        if (t->tracked()) fail(MPT_ERROR_STATE, "argument 'input' takes part in gradients: feed data, not parameters");
        if (nbytes != t->nbytes()) fail(MPT_ERROR_SHAPE, "argument 'nbytes' is ", nbytes, ": shape ", t->shape, " of ", dtype_name(t->dtype), " has ", t->nbytes(), " bytes");
        if (nbytes > 0) api::need(data, "data");
        program->feeding.feed(t, data);
    });
}

mpt_status MPT_CALL mpt_program_run(mpt_program *program) {
    return api::call("mpt_program_run", program, "program", [&](Context &c) {
        api::need_outside_capture(c, "a program cannot run inside a capture");
        run_program(*program);
    });
}

mpt_status MPT_CALL mpt_program_memory(const mpt_program *program, size_t *arena_out, size_t *outputs_out) {
    return api::call("mpt_program_memory", program, "program", [&](Context &) {
        if (arena_out) *arena_out = program->arena_bytes;
        if (outputs_out) *outputs_out = program->output_bytes;
    });
}

mpt_status MPT_CALL mpt_program_dump(const mpt_program *program, char *text, size_t nbytes, size_t *needed_out) {
    return api::call("mpt_program_dump", program, "program", [&](Context &) { api::text_out(program->text, text, nbytes, needed_out); });
}
