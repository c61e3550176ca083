#include "ops/registry.h"

#include <algorithm>
#include <cstring>

#include "ops/ops.h"

namespace mpt {

namespace {
constinit const RegisteredOp *first = nullptr;
}

RegisteredOp::RegisteredOp(const Op &o) noexcept : op(o), next(first) { first = this; }

const std::vector<const Op *> &ops::all() {
    static const std::vector<const Op *> list = [] {
        std::vector<const Op *> found;
        for (const RegisteredOp *r = first; r; r = r->next) found.push_back(&r->op);
        std::sort(found.begin(), found.end(), [](const Op *a, const Op *b) { return std::strcmp(a->name, b->name) < 0; });
        return found;
    }();
    return list;
}

}  // namespace mpt
