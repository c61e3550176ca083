// The C boundary: every entry point goes through call(), which checks the first handle, takes the context, sets the
// floating point environment and turns exceptions into a status with a message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "core/context.h"
#include "core/error.h"
#include "core/tensor.h"
#include "device/float_env.h"

namespace mpt::api {

// Remembers a failure for mpt_last_error, the context and its hook; gives the status back. Needs no memory: without any the
// message may be cut short.
mpt_status report(Context *ctx, const char *function, mpt_status status, const char *message) noexcept;

const char *thread_error_text() noexcept;  // this thread's last failure

// Inside of one call: locked, with mpt's floating point environment.
class Inside {
public:
    explicit Inside(Context &ctx) : ctx_(&ctx) { ctx.enter(); }
    ~Inside() { ctx_->leave(); }
    Inside(const Inside &) = delete;
    Inside &operator=(const Inside &) = delete;

private:
    Ref<Context> ctx_;
    FloatEnv env_;
};

enum class Poison { Refuse, Ignore };  // what a call does inside a capture that has failed
void refuse_poisoned(const Context &ctx);

// Runs body and turns what it throws into a status. The context may be absent.
template <class F>
mpt_status catching(const char *function, Context *ctx, F &&body) noexcept {
    try {
        body();
        return MPT_OK;
    } catch (const Error &error) {
        return report(ctx, function, error.status, error.message.c_str());
    } catch (const std::bad_alloc &) {
        return report(ctx, function, MPT_ERROR_MEMORY, "no host memory: release tensors or layers");
    } catch (const std::exception &error) {
        return report(ctx, function, MPT_ERROR_INTERNAL, error.what());
    } catch (...) {
        return report(ctx, function, MPT_ERROR_INTERNAL, "an unknown exception");
    }
}

inline Context *context_of(const Context *ctx) { return const_cast<Context *>(ctx); }
template <class Handle>
Context *context_of(const Handle *handle) {
    return handle->ctx.get();
}

mpt_status report_null(const char *function, const char *name) noexcept;
mpt_status report_forked(const char *function, const char *name) noexcept;

// call("mpt_add", a, "a", [&](Context &ctx) {...}): handle decides the context.
template <class Handle, class F>
mpt_status call(const char *function, const Handle *handle, const char *name, F &&body, Poison mode = Poison::Refuse) noexcept {
    if (!handle) return report_null(function, name);
    Context *ctx = context_of(handle);
    if (ctx->forked()) return report_forked(function, name);
    Inside inside(*ctx);
    return catching(function, ctx, [&] {
        if (mode == Poison::Refuse) refuse_poisoned(*ctx);
        body(*ctx);
    });
}

// ---- checks of arguments ----

template <class T>
std::add_lvalue_reference_t<T> need(T *pointer, const char *name) {
    if (!pointer) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is NULL: it must point to something");
    if constexpr (!std::is_void_v<T>) return *pointer;
}

// Another handle of the call, which must be of the same context.
template <class Handle>
Handle &same(Context &ctx, Handle *handle, const char *name) {
    if (!handle) fail(MPT_ERROR_ARGUMENT, "argument '", name, "' is NULL: give a handle");
    if (context_of(handle) != &ctx) fail(MPT_ERROR_CONTEXT, "argument '", name, "' belongs to another context: copy its contents through the host");
    return *handle;
}

// A tensor whose contents the call reads or writes.
Ref<Tensor> tensor(Context &ctx, mpt_tensor *handle, const char *name);
std::vector<Ref<Tensor>> tensors(Context &ctx, mpt_tensor *const *handles, std::int32_t n, const char *name, const char *count_name);
// Failures in body get in front which argument they are about ("argument 'loss'"): body cannot know it.
template <class F>
void about(const std::string &subject, F &&body) {
    try {
        body();
    } catch (Error &error) {
        const bool callers = error.status != MPT_ERROR_MEMORY && error.status != MPT_ERROR_DEVICE && error.status != MPT_ERROR_DEVICE_LOST &&
                             error.status != MPT_ERROR_INTERNAL;
        if (callers) error.message = subject + ": " + error.message;
        throw;
    }
}
void need_outside_capture(const Context &ctx, const char *way_out);
Dims dims(std::int32_t ndim, const std::int64_t *values, const char *ndim_name, const char *name);
int flag(std::int32_t value, const char *name);  // 0 or 1
int flag(std::int32_t value, const char *name, const char *field);
void at_least(std::int64_t value, std::int64_t least, const char *name, const char *field);
void need_reserved(std::uint32_t value);         // a descriptor's field "reserved"
std::string text_of(mpt_dtype dtype);            // its name, or its number when it has none
void text_out(const std::string &text, char *to, std::size_t nbytes, std::size_t *needed);
std::string text_in(const char *text, const char *name);

// ---- size-prefixed descriptors ----

// Writes defaults into the caller's size; a larger caller gets zeros behind.
template <class Desc>
void init_desc(Desc *desc, std::size_t nbytes, Desc defaults, const char *name) {
    need(desc, name);
    if (nbytes < sizeof(std::uint32_t) || nbytes > 1u << 16)
        fail(MPT_ERROR_ARGUMENT, "argument 'nbytes' is ", nbytes, ": give sizeof *", name);
    defaults.struct_size = static_cast<std::uint32_t>(nbytes);
    std::memset(desc, 0, nbytes);
    std::memcpy(desc, &defaults, std::min(nbytes, sizeof defaults));
}

// What a caller of whatever version gave, over the defaults. NULL: the defaults.
template <class Desc>
Desc read_desc(const Desc *desc, const Desc &defaults, const char *name) {
    Desc result = defaults;
    if (!desc) return result;
    const std::size_t size = desc->struct_size;
    if (size < sizeof(std::uint32_t) || size > 1u << 16)
        fail(MPT_ERROR_ARGUMENT, "argument '", name, "': struct_size is ", size, ": call the init function first");
    const auto *bytes = reinterpret_cast<const unsigned char *>(desc);
    for (std::size_t i = sizeof result; i < size; ++i)
        if (bytes[i] != 0)
            fail(MPT_ERROR_UNSUPPORTED, "argument '", name, "': byte ", i, " is set, which this version of mpt does not know: use a newer libmpt, or leave new fields zero");
    std::memcpy(&result, desc, std::min(size, sizeof result));
    return result;
}

}  // namespace mpt::api
