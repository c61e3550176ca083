// What autocast does: one type for products, with overrides by layer name, role and op.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/context.h"
#include "ops/emit.h"

struct mpt_policy final : mpt::Object {
    mpt_policy(mpt_context &context, mpt_dtype lower);

    // The type that an op's floating inputs get; NONE: they stay as they are. Never an fp8 type.
    mpt_dtype target(const mpt::Op &op, mpt_role role, const std::string &layer) const;
    // Does a product run in fp8, if its operands can?
    bool runs_fp8(const mpt::Op &op, mpt_role role, const std::string &layer) const;
    // The type that the operands of all these products get in every role, or NONE where they differ or run in fp8.
    mpt_dtype shared_target(std::initializer_list<const char *> ops, const std::string &layer) const;
    std::string describe() const;

    mpt::Ref<mpt_context> ctx;
    mpt_dtype dtype;
    std::vector<std::pair<std::string, mpt_dtype>> layers;  // pattern, type; the last match counts
    std::map<std::string, mpt_dtype> ops;
    bool fp8 = false;      // for every layer that no pattern says otherwise of
    mpt_fp8_desc recipe;   // also of layers whose pattern asks for fp8
    mpt_dtype roles[3] = {MPT_DTYPE_NONE, MPT_DTYPE_NONE, MPT_DTYPE_NONE};

protected:
    void dispose() override { ctx->dispose(this); }

private:
    // The host's overrides, or NONE. Of a product: the op's, else the layer's, else the role's; MPT_F8E4M3 stands for fp8.
    mpt_dtype of_op(const mpt::Op &op) const;
    mpt_dtype of_product(const mpt::Op &op, mpt_role role, const std::string &layer) const;
};

namespace mpt {

mpt_fp8_desc default_fp8();
bool matches(const char *pattern, const char *text);  // '*' any text, '?' any character

}  // namespace mpt
