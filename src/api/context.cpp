#include <algorithm>

#include "api/guard.h"
#include "device/device.h"
#include "ops/ops.h"
#include "precision/open.h"

using namespace mpt;

namespace {

mpt_context_desc defaults() {
    mpt_context_desc d = {};
    d.struct_size = sizeof d;
    d.device = MPT_DEVICE_CPU;
    d.log_level = MPT_LOG_WARNING;
    return d;
}

constexpr std::int32_t kMaxThreads = 1024;

void check(const mpt_context_desc &d) {
    if (d.device != MPT_DEVICE_CPU && d.device != MPT_DEVICE_CUDA && d.device != MPT_DEVICE_AUTO)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': device is ", static_cast<int>(d.device), ", which is none of mpt_device");
    if (d.device_index < 0) fail(MPT_ERROR_ARGUMENT, "argument 'desc': device_index is ", d.device_index, ": it must not be negative");
    if (d.device == MPT_DEVICE_CPU && d.device_index != 0)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': device_index is ", d.device_index, ": it must be 0 for the CPU");
    if (d.threads < 0 || d.threads > kMaxThreads)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': threads is ", d.threads, ": it must be 0 (all cores) to ", kMaxThreads);
    if (!d.alloc != !d.free) fail(MPT_ERROR_ARGUMENT, "argument 'desc': alloc and free come together: give both or neither");
    if (d.log_level < MPT_LOG_ERROR || d.log_level > MPT_LOG_DEBUG)
        fail(MPT_ERROR_ARGUMENT, "argument 'desc': log_level is ", static_cast<int>(d.log_level), ", which is none of mpt_log_level");
    api::need_reserved(d.reserved);
}

}  // namespace

mpt_status MPT_CALL mpt_context_desc_init(mpt_context_desc *desc, size_t nbytes) {
    return api::catching("mpt_context_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, defaults(), "desc"); });
}

mpt_status MPT_CALL mpt_context_create(const mpt_context_desc *desc, mpt_context **out) {
    return api::catching("mpt_context_create", nullptr, [&] {
        api::need(out, "out");
        const mpt_context_desc d = api::read_desc(desc, defaults(), "desc");
        check(d);
        FloatEnv env;
        *out = open_context(d).detach();
    });
}

void MPT_CALL mpt_context_retain(mpt_context *ctx) {
    if (ctx) ctx->retain();
}
void MPT_CALL mpt_context_release(mpt_context *ctx) {
    if (!ctx) return;
    if (ctx->forked()) ctx->device->set_forked();
    ctx->release();
}

const char *MPT_CALL mpt_context_last_error(const mpt_context *ctx) { return ctx ? ctx->last_error.c_str() : ""; }

mpt_status MPT_CALL mpt_context_device(const mpt_context *ctx, mpt_device *out) {
    return api::call("mpt_context_device", ctx, "ctx", [&](Context &c) { api::need(out, "out") = c.device->kind(); });
}

mpt_status MPT_CALL mpt_context_threads(const mpt_context *ctx, int32_t *out) {
    return api::call("mpt_context_threads", ctx, "ctx", [&](Context &c) { api::need(out, "out") = c.device->threads(); });
}

mpt_status MPT_CALL mpt_context_describe(const mpt_context *ctx, char *text, size_t nbytes, size_t *needed_out) {
    return api::call("mpt_context_describe", ctx, "ctx", [&](Context &c) { api::text_out(c.device->describe(), text, nbytes, needed_out); });
}

mpt_status MPT_CALL mpt_context_synchronize(mpt_context *ctx) {
    return api::call("mpt_context_synchronize", ctx, "ctx", [&](Context &c) { c.device->synchronize(c.stream()); });
}

mpt_status MPT_CALL mpt_context_set_stream(mpt_context *ctx, void *stream) {
    return api::call("mpt_context_set_stream", ctx, "ctx", [&](Context &c) {
        api::need_outside_capture(c, "set the stream before mpt_capture_begin");
        if (stream && !c.device->has_streams()) fail(MPT_ERROR_ARGUMENT, "argument 'stream' is not NULL, but the CPU has no streams: give NULL, or a context on a GPU");
        if (stream == c.stream()) return;
        c.device->order(c.stream(), stream);
        c.memory.stream = stream;
    });
}

mpt_status MPT_CALL mpt_context_stream(const mpt_context *ctx, void **out) {
    return api::call("mpt_context_stream", ctx, "ctx", [&](Context &c) { api::need(out, "out") = c.stream() ? c.stream() : c.device->own_stream(); });
}

mpt_status MPT_CALL mpt_context_seed(mpt_context *ctx, uint64_t seed) {
    return api::call("mpt_context_seed", ctx, "ctx", [&](Context &c) {
        api::need_outside_capture(c, "seed before mpt_capture_begin");
        ops::seed(c, seed);
    });
}

mpt_status MPT_CALL mpt_context_memory(const mpt_context *ctx, size_t *in_use_out, size_t *peak_out, size_t *reserved_out) {
    return api::call("mpt_context_memory", ctx, "ctx", [&](Context &c) {
        if (in_use_out) *in_use_out = c.memory.in_use();
        if (peak_out) *peak_out = c.memory.peak();
        if (reserved_out) *reserved_out = c.memory.reserved();
    });
}

mpt_status MPT_CALL mpt_context_trim(mpt_context *ctx) {
    return api::call("mpt_context_trim", ctx, "ctx", [&](Context &c) {
        c.device->synchronize(c.stream());
        c.memory.trim();
    });
}

mpt_status MPT_CALL mpt_context_set_option(mpt_context *ctx, const char *key, const char *value) {
    return api::call("mpt_context_set_option", ctx, "ctx", [&](Context &c) {
        const std::string k = api::text_in(key, "key"), v = api::text_in(value, "value");
        if (k != "fusion") return c.device->set_option(k, v);
        if (v != "on" && v != "off") fail(MPT_ERROR_ARGUMENT, "argument 'value' is '", v, "': 'fusion' is 'on' or 'off'");
        c.fusion = v == "on";
    });
}
