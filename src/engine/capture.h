// Opens and closes recordings and runs what came of them.
#pragma once

#include <vector>

#include "program/program.h"

namespace mpt {

void capture_begin(Context &ctx);
Ref<mpt_program> capture_end(Context &ctx, const std::vector<Ref<Tensor>> &outputs);
void capture_abort(Context &ctx);
void run_program(mpt_program &program);

}  // namespace mpt
