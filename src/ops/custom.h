// An op whose arithmetic is the host's.
#pragma once

#include <string>
#include <vector>

#include "core/tensor.h"

namespace mpt {

// The host's callbacks, kept by the calls, graph nodes and program steps that need them.
class CustomOp final : public Object {
public:
    CustomOp(const mpt_custom_op_desc &d, std::string called) : desc(d), name(std::move(called)) {}
    ~CustomOp() override {
        if (desc.release) desc.release(desc.user_data);
    }
    mpt_custom_op_desc desc;
    const std::string name;
};

namespace ops {
std::vector<Ref<Tensor>> custom(Context &ctx, const Ref<CustomOp> &op, const std::vector<Ref<Tensor>> &inputs, int outputs);
}

}  // namespace mpt
