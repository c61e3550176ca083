#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "program/recording.h"

namespace mpt::passes {

// Where everything temporary lies in one block of memory.
struct ArenaPlan {
    std::size_t nbytes = 0;
    std::unordered_map<const Storage *, std::size_t> offsets;
    std::vector<std::size_t> workspaces;  // per step
};

// Offsets from lifetimes: largest first, each at the lowest place that is free as long as it lives. Storages from outside and
// those in `kept` have memory of their own.
ArenaPlan arena(const std::vector<Step> &steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Storage>> &kept);

}  // namespace mpt::passes
