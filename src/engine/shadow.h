// Copies of parameters in another type: the low-precision ones that autocast asks for, and the f32 master of a
// low-precision parameter. Refreshed by the optimizer's own kernel, and compared by version before every other use, so that
// a loaded checkpoint or a host's own optimizer is never missed.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace mpt::shadow {

// The copy of a parameter as a tensor of its form, fresh for the ops that follow and without a place in the graph.
Ref<Tensor> get(const Ref<Tensor> &parameter, mpt_dtype dtype);
// Is the tensor all of its storage? Only then can an optimizer keep copies of it fresh.
bool covers_storage(const Tensor &tensor);
// The low-precision copies that an optimizer's kernel should write together with the parameter. None for a parameter that is only a
// part of its storage: those copies go stale and are made again when they are next asked for.
std::vector<Ref<Tensor>> copies(const Tensor &parameter);
// The op that wrote these copies was emitted. master: it wrote the f32 master of a low-precision parameter instead.
void refreshed(const Tensor &parameter, bool master);
// Brings one copy up to date.
void refresh(Context &ctx, const Ref<Storage> &original, mpt_dtype original_dtype, mpt_dtype dtype);

}  // namespace mpt::shadow
