// Products of fp8 tensors: by the device where it has them; else operands are decoded exactly, and the scales are applied to the f32 result.
#pragma once

#include <memory>

#include "ops/emit.h"

namespace mpt {

class Decode final : public Emitter {
public:
    Decode(Context &ctx, std::shared_ptr<Emitter> next) : ctx_(ctx), next_(std::move(next)) {}
    void emit(Call &call) override;

private:
    Ref<Tensor> decoded(const Ref<Tensor> &x) const;

    Context &ctx_;
    std::shared_ptr<Emitter> next_;
};

}  // namespace mpt
