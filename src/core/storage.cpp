#include "core/storage.h"

#include "core/context.h"
#include "core/error.h"

namespace mpt {

Storage::Storage(mpt_context &ctx, std::size_t nbytes, bool weak) : ctx_(&ctx), owner_(weak ? nullptr : &ctx), nbytes_(nbytes) {
    give_memory();
    state_ = StorageState::Ready;
}

Storage::Storage(mpt_context &ctx, void *data, std::size_t nbytes) : ctx_(&ctx), owner_(&ctx), data_(data), nbytes_(nbytes) {}

void Storage::set_release(mpt_release_fn release, void *user_data) {
    release_ = release;
    release_user_data_ = user_data;
}

Storage::Storage(mpt_context &ctx, std::size_t nbytes, Recorded)
    : ctx_(&ctx), owner_(&ctx), nbytes_(nbytes), state_(StorageState::Recorded) {}

Storage::~Storage() {
    if (owned_) ctx_->memory.give(data_, nbytes_);
    if (release_) release_(data_, release_user_data_);
}

// A weak storage goes in the middle of its context's destructor, when nobody else can be inside.
void Storage::dispose() {
    if (weak())
        delete this;
    else
        ctx_->dispose(this);
}

void Storage::give_memory() {
    data_ = ctx_->memory.take(nbytes_, "a tensor");
    owned_ = true;
}

void Storage::require_ready(const char *what) const {
    switch (state_) {
        case StorageState::Ready: return;
        case StorageState::Recorded:
            fail(MPT_ERROR_STATE, "argument '", what, "' was born inside the open capture and has no contents: read it after mpt_program_run, as an output of mpt_capture_end");
        case StorageState::Pending:
            fail(MPT_ERROR_STATE, "argument '", what, "' is an output of a program that has not run yet: call mpt_program_run first");
        case StorageState::Gone:
            fail(MPT_ERROR_STATE, "argument '", what, "' was born inside a capture that has ended: name it among the outputs of mpt_capture_end");
    }
}

Shadow *Storage::find_shadow(mpt_dtype dtype) {
    for (Shadow &shadow : shadows)
        if (shadow.dtype == dtype) return &shadow;
    return nullptr;
}

}  // namespace mpt
