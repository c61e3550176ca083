#include "program/recording.h"

namespace mpt {

namespace {
// The latest first.
void run(std::vector<std::function<void()>> &list) {
    while (!list.empty()) {
        list.back()();
        list.pop_back();
    }
}
}  // namespace

void Recording::touch(const Ref<Storage> &storage) {
    if (saved_.count(storage.get())) return;
    Saved saved{storage, storage->version, {}};
    for (const Shadow &shadow : storage->shadows) saved.shadow_versions.push_back(shadow.of_version);
    saved_.emplace(storage.get(), std::move(saved));
}

bool Recording::written(const Storage &storage) const {
    auto found = saved_.find(&storage);
    return found != saved_.end() && found->second.version != storage.version;
}

std::vector<std::pair<Ref<Storage>, mpt_dtype>> Recording::refreshed() const {
    std::vector<std::pair<Ref<Storage>, mpt_dtype>> list;
    for (const auto &[key, saved] : saved_)
        for (const Shadow &shadow : saved.storage->shadows)
            if (written(*saved.storage) && shadow.of_version == saved.storage->version) list.emplace_back(saved.storage, shadow.dtype);
    return list;
}

void Recording::restore() {
    for (auto &[key, saved] : saved_) {
        saved.storage->version = saved.version;
        auto &shadows = saved.storage->shadows;
        // A copy made inside the capture was never filled: it is stale until its first use.
        for (std::size_t i = 0; i < shadows.size(); ++i)
            shadows[i].of_version = i < saved.shadow_versions.size() ? saved.shadow_versions[i] : 0;
    }
    saved_.clear();
    run(undo_);
}

void Recording::abort() { run(undo_of_abort_); }

}  // namespace mpt
