// What autocast does: one type for products, with overrides by layer name, role and op.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/context.h"
#include "ops/emit.h"

struct mpt_policy final : mpt::Object {
    mpt_policy(mpt_context &context, mpt_dtype lower) : ctx(&context), dtype(lower) {}

    // The type that an op's floating inputs get; NONE: they stay as they are.
    mpt_dtype target(const mpt::Op &op, mpt_role role, const std::string &layer) const;
    std::string describe() const;

    mpt::Ref<mpt_context> ctx;
    mpt_dtype dtype;
    std::vector<std::pair<std::string, mpt_dtype>> layers;  // pattern, type; the last match counts
    std::map<std::string, mpt_dtype> ops;
    mpt_dtype roles[3] = {MPT_DTYPE_NONE, MPT_DTYPE_NONE, MPT_DTYPE_NONE};

protected:
    void dispose() override { ctx->dispose(this); }
};

namespace mpt {

bool matches(const char *pattern, const char *text);  // '*' any text, '?' any character

}  // namespace mpt
