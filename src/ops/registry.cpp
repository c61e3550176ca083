#include "ops/registry.h"

#include <algorithm>
#include <cstring>

#include "ops/ops.h"

namespace mpt {

namespace {
constinit const RegisteredOps *first = nullptr;
}

RegisteredOps::RegisteredOps(const Op *ops, std::size_t count) noexcept : ops_(ops), count_(count), next_(first) { first = this; }

const std::vector<const Op *> &ops::all() {
    static const std::vector<const Op *> list = [] {
        std::vector<const Op *> found;
        for (const RegisteredOps *r = first; r; r = r->next())
            for (const Op &op : *r) found.push_back(&op);
        std::sort(found.begin(), found.end(), [](const Op *a, const Op *b) { return std::strcmp(a->name, b->name) < 0; });
        return found;
    }();
    return list;
}

}  // namespace mpt
