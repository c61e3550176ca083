// A piece of device memory, shared by a tensor and its views, with the version that tells whether it was written.
#pragma once

#include <cstdint>
#include <vector>

#include "core/object.h"
#include "mpt.h"

namespace mpt {

class Storage;

// A low-precision copy of a whole storage, element by element, so that every view of the storage has its view of the
// copy. Keyed by dtype; it has the memory order of the original.
struct Shadow {
    mpt_dtype dtype;
    Ref<Storage> storage;
    std::uint64_t of_version;  // the version of the original that it shows
};

enum class StorageState {
    Ready,     // has memory and contents
    Recorded,  // born inside an open capture: no memory yet
    Pending,   // a program's output before its first run
    Gone,      // born inside a capture that has ended
};

class Storage final : public Object {
public:
    // Memory of the context. weak: the context owns this storage, so the storage must not own the context.
    Storage(mpt_context &ctx, std::size_t nbytes, bool weak = false);
    // Memory of the host.
    Storage(mpt_context &ctx, void *data, std::size_t nbytes);
    void set_release(mpt_release_fn release, void *user_data);
    // No memory: born inside a capture.
    struct Recorded {};
    Storage(mpt_context &ctx, std::size_t nbytes, Recorded);
    ~Storage() override;

    void *data() const { return data_; }
    std::size_t nbytes() const { return nbytes_; }
    StorageState state() const { return state_; }
    void set_state(StorageState state) { state_ = state; }
    void require_ready(const char *what) const;
    void give_memory();  // to a recorded storage that a program gives out
    Shadow *find_shadow(mpt_dtype dtype);

    std::uint64_t version = 1;
    bool weak() const { return !owner_; }
    std::vector<Shadow> shadows;

protected:
    void dispose() override;

private:
    mpt_context *ctx_;
    Ref<mpt_context> owner_;
    void *data_ = nullptr;
    std::size_t nbytes_;
    StorageState state_ = StorageState::Ready;
    bool owned_ = false;  // the memory is the context's
    mpt_release_fn release_ = nullptr;
    void *release_user_data_ = nullptr;
};

}  // namespace mpt
