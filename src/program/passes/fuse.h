#pragma once

#include <vector>

#include "program/recording.h"

namespace mpt::passes {

// Runs every fusion (program/fusions/) over the steps. What the device has no kernel for stays as it is.
std::vector<Step> fuse(Device &device, std::vector<Step> steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Tensor>> &outputs);

}  // namespace mpt::passes
