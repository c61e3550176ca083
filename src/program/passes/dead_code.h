#pragma once

#include <vector>

#include "program/recording.h"

namespace mpt::passes {

// Drops the steps that change nothing anybody can see: neither storage from outside nor what the outputs need.
std::vector<Step> dead_code(const std::vector<Step> &steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Tensor>> &outputs);

}  // namespace mpt::passes
