#include "api/guard.h"

#include <cstdio>
#include <string_view>

#include "program/recording.h"

namespace mpt::api {

namespace {
// This thread's last message: in the string, or where there was no memory for it in the bytes, which are always there. A host's own destructors
// of thread-local things can fail when the string is gone.
thread_local char thread_brief[240];
thread_local const char *thread_text = "";
thread_local bool thread_ends = false;
struct Message {
    std::string text;
    ~Message() {
        thread_ends = true;
        thread_text = "";
    }
};
thread_local Message thread_message;

// The place of the first byte that is no part of UTF-8 (no overlong forms, no surrogates), or the text's size.
std::size_t utf8_end(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    std::size_t i = 0;
    while (i < text.size()) {
        const unsigned lead = byte(i), next = byte(i + 1);
        const std::size_t more = lead < 0x80 ? 0 : lead < 0xC2 ? 4 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : 4;
        if (more == 4) return i;
        if ((lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) || (lead == 0xF4 && next > 0x8F)) return i;
        for (std::size_t k = 1; k <= more; ++k)
            if ((byte(i + k) & 0xC0) != 0x80) return i;
        i += more + 1;
    }
    return i;
}

// Messages give values back, and a damaged file's names can be anything; a message that was cut short ends anywhere.
void make_utf8(char *text, std::size_t size) {
    for (std::size_t i; (i = utf8_end({text, size})) < size;) text[i] = '?';
}

// As much of the text as the string has room for when there is no memory for more.
void keep(std::string &to, const char *text) noexcept {
    try {
        to = text;
    } catch (...) {
        to.assign(text, std::min(std::strlen(text), to.capacity()));
        make_utf8(to.data(), to.size());
    }
}

// The first error inside a capture is the one that every later call gives.
void poison(Context &ctx, mpt_status status, const char *message) noexcept {
    if (!ctx.recording || ctx.recording->poison != MPT_OK) return;
    ctx.recording->poison = status;
    keep(ctx.recording->poison_message, message);
}

}  // namespace

const char *thread_error_text() noexcept { return thread_text; }

mpt_status report(Context *ctx, const char *function, mpt_status status, const char *message) noexcept {
    try {
        if (thread_ends) throw std::bad_alloc();
        std::string &text = thread_message.text;
        text = std::string(function) + ": " + message;
        make_utf8(text.data(), text.size());
        thread_text = text.c_str();
    } catch (...) {
        std::snprintf(thread_brief, sizeof thread_brief, "%s: %s", function, message);
        make_utf8(thread_brief, std::strlen(thread_brief));
        thread_text = thread_brief;
    }
    if (!ctx) return status;
    poison(*ctx, status, thread_text);
    keep(ctx->last_error, thread_text);
    try {
        ctx->log(MPT_LOG_ERROR, thread_text);
        if (ctx->desc.error) ctx->desc.error(status, thread_text, ctx->desc.error_user_data);
    } catch (...) {  // a hook threw: there is nobody to tell
    }
    return status;
}

mpt_status report_null(const char *function, const char *name) noexcept {
    return catching(function, nullptr, [&] { fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is NULL: give a handle"); });
}

mpt_status report_forked(const char *function, const char *name) noexcept {
    return catching(function, nullptr, [&] {
        fail(MPT_ERROR_FORKED, "argument '", name, "' belongs to a context made before fork(): make a new context in the child process");
    });
}

void refuse_poisoned(const Context &ctx) {
    if (ctx.recording && ctx.recording->poison != MPT_OK)
        fail(ctx.recording->poison, "the open capture has failed (", ctx.recording->poison_message, "): call mpt_capture_abort");
}

Ref<Tensor> tensor(Context &ctx, mpt_tensor *handle, const char *name) {
    Tensor &t = same(ctx, handle, name);
    // A recorded tensor, or another program's output that will be there when this one runs, may be written down.
    const StorageState state = t.storage->state();
    const bool recordable = state == StorageState::Recorded || state == StorageState::Pending;
    if (!(ctx.recording && recordable)) t.storage->require_ready(name);
    return Ref<Tensor>(&t);
}

std::vector<Ref<Tensor>> tensors(Context &ctx, mpt_tensor *const *handles, std::int32_t n, const char *name, const char *count_name) {
    if (n < 0) fail(MPT_ERROR_ARGUMENT, "argument '", count_name, "' is ", n, ": it must not be negative");
    if (n > 0) need(handles, name);
    std::vector<Ref<Tensor>> list;
    for (std::int32_t i = 0; i < n; ++i) list.push_back(tensor(ctx, handles[i], (std::string(name) + "[" + std::to_string(i) + "]").c_str()));
    return list;
}

void need_outside_capture(const Context &ctx, const char *way_out) {
    if (ctx.recording) fail(MPT_ERROR_STATE, "a capture is open, and this cannot be recorded: ", way_out);
}

Dims dims(std::int32_t ndim, const std::int64_t *values, const char *ndim_name, const char *name) {
    if (ndim < 0 || ndim > MPT_MAX_DIMS) fail(MPT_ERROR_ARGUMENT, "argument '", ndim_name, "' is ", ndim, ": it must be 0 to ", static_cast<int>(MPT_MAX_DIMS));
    if (ndim > 0) need(values, name);
    Dims result;
    for (std::int32_t i = 0; i < ndim; ++i) result.push(values[i]);
    return result;
}

int flag(std::int32_t value, const char *name) {
    if (value != 0 && value != 1) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is ", value, ": it must be 0 or 1");
    return value;
}

int flag(std::int32_t value, const char *name, const char *field) {
    if (value != 0 && value != 1) fail(MPT_ERROR_ARGUMENT, "argument '", name, "': ", field, " is ", value, ": it must be 0 or 1");
    return value;
}

void at_least(std::int64_t value, std::int64_t least, const char *name, const char *field) {
    if (value < least) fail(MPT_ERROR_ARGUMENT, "argument '", name, "': ", field, " is ", value, ": it must be at least ", least);
}

void need_reserved(std::uint32_t value) {
    if (value != 0) fail(MPT_ERROR_UNSUPPORTED, "argument 'desc': reserved is ", value, ": it must be 0");
}

std::string text_of(mpt_dtype dtype) { return is_known(dtype) ? dtype_name(dtype) : std::to_string(static_cast<int>(dtype)); }

void text_out(const std::string &text, char *to, std::size_t nbytes, std::size_t *needed) {
    if (nbytes > 0) {
        need(to, "text");
        const std::size_t count = std::min(nbytes - 1, text.size());
        std::memcpy(to, text.data(), count);
        to[count] = '\0';
    }
    if (needed) *needed = text.size() + 1;
}

std::string text_in(const char *text, const char *name) {
    const std::string own = &need(text, name);
    const std::size_t end = utf8_end(own);
    if (end < own.size())
        fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is not UTF-8: byte ", end, " is ", static_cast<int>(static_cast<unsigned char>(own[end])));
    return own;
}

}  // namespace mpt::api
