// The top of the chain: gives every op its inputs in the type that the policy wants.
#pragma once

#include <memory>

#include "ops/emit.h"

namespace mpt {

class Autocast final : public Emitter {
public:
    Autocast(Context &ctx, std::shared_ptr<Emitter> next) : ctx_(ctx), next_(std::move(next)) {}
    void emit(Call &call) override;

private:
    void convert_operands(const mpt_policy *policy, Call &call);
    void convert(Ref<Tensor> &x, mpt_dtype dtype);

    Context &ctx_;
    std::shared_ptr<Emitter> next_;
};

}  // namespace mpt
