// Assembles a context: its device, its memory, its random numbers and its chain of emitters.
#pragma once

#include "core/context.h"

namespace mpt {

Ref<Context> open_context(const mpt_context_desc &desc);

}  // namespace mpt
