// An open capture: what was called, what was born, and what must be put back when it ends.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/tensor.h"
#include "device/device.h"
#include "ops/emit.h"

namespace mpt {

// One recorded call with its prepared kernel.
struct Step {
    const Op *op = nullptr;
    Ref<Kernel> kernel;
    std::vector<Ref<Tensor>> in, out;
    bool updates = false;  // outputs are read as well
    mpt_role role = MPT_ROLE_FORWARD;
    std::string layer;
    Attrs attrs;
    std::vector<mpt_mod_operand> in_forms, out_forms;  // what the kernel was prepared for
};

// A copy of a parameter in another type.
struct ShadowUse {
    Ref<Storage> original;
    mpt_dtype original_dtype, dtype;
};

class Recording {
public:
    std::vector<Step> steps;
    std::vector<Ref<Storage>> born;
    std::vector<ShadowUse> reads;  // copies that must be fresh before a run

    // Call before a storage's version or copies change on the host's side.
    void touch(const Ref<Storage> &storage);
    // Runs when the capture ends or is aborted: for host-side state of scalers and the like.
    void on_restore(std::function<void()> undo) { undo_.push_back(std::move(undo)); }
    // Runs, behind those, when it is aborted: for what stays when it ends well.
    void on_abort(std::function<void()> undo) { undo_of_abort_.push_back(std::move(undo)); }
    // The copies that the recorded steps leave fresh, as (original, type). Before restore.
    std::vector<std::pair<Ref<Storage>, mpt_dtype>> refreshed() const;
    // Was the storage written by a recorded step?
    bool written(const Storage &storage) const;
    void restore();
    void abort();

    std::size_t open_pairs = 0;  // begin/end pairs that were open when the capture began

    // The first error inside the capture, which every later call returns.
    mpt_status poison = MPT_OK;
    std::string poison_message;

private:
    struct Saved {
        Ref<Storage> storage;
        std::uint64_t version;
        std::vector<std::uint64_t> shadow_versions;
    };
    std::unordered_map<const Storage *, Saved> saved_;
    std::vector<std::function<void()>> undo_, undo_of_abort_;
};

}  // namespace mpt
