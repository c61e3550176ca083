// fp8 products: what autocast does with their operands, and where delayed scales come from.
#pragma once

#include <array>

#include "ops/emit.h"
#include "ops/fp8.h"
#include "precision/policy.h"

namespace mpt::fp8 {

// The operands of one weight's products. Each keeps its own history.
enum Operand { Input, Weight, Gradient };
constexpr const char *kOperandNames[] = {"input", "weight", "gradient"};

// How a product's operands are scaled, found again through the quantized operands' `scaling`. A weight keeps those of delayed recipes, a list.
class Scaling final : public Object {
public:
    Scaling(Context &ctx, const mpt_fp8_desc &recipe);
    struct Slot {
        Ref<Tensor> history, amax, scale;  // f32[H], f32, f32: 0 before the first step
        Ref<Tensor> position;              // i64
    };
    const mpt_fp8_desc recipe;
    std::array<Slot, 3> slots;  // empty where the recipe needs none
    Ref<Scaling> next;          // the weight's for another recipe
};

// The scaling that a weight keeps for a delayed recipe, or null; and the same, made when it is not there.
Ref<Scaling> kept_scaling(const Tensor &weight, const mpt_fp8_desc &recipe);
Ref<Scaling> scaling_of(const Ref<Tensor> &weight, const mpt_fp8_desc &recipe);

// Quantizes the operands of a call that runs in fp8, or whose operands are fp8 since its forward did. False: it is no such call.
bool convert(Context &ctx, const mpt_policy *policy, Call &call);

// The step of the delayed scales of these parameters.
void update(const std::vector<Ref<Tensor>> &parameters);

}  // namespace mpt::fp8
