#pragma once

#include "ops/emit.h"

namespace mpt::ops {

// Moves the context's counter behind the numbers that an op has taken: four to a Philox block.
void advance_random(Context &ctx, std::int64_t numbers);

}  // namespace mpt::ops
