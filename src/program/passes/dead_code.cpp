#include "program/passes/dead_code.h"

#include <algorithm>
#include <unordered_set>

namespace mpt::passes {

std::vector<Step> dead_code(const std::vector<Step> &steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Tensor>> &outputs) {
    std::unordered_set<const Storage *> unseen;  // born inside and, from here on, read by nobody
    for (const Ref<Storage> &s : born) unseen.insert(s.get());
    for (const Ref<Tensor> &t : outputs) unseen.erase(t->storage.get());

    std::vector<Step> live;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        const bool seen = std::any_of(step->out.begin(), step->out.end(),
                                      [&](const Ref<Tensor> &t) { return t && !unseen.count(t->storage.get()); });
        if (!seen) continue;
        for (const Ref<Tensor> &t : step->in)
            if (t) unseen.erase(t->storage.get());
        if (step->updates)
            for (const Ref<Tensor> &t : step->out)
                if (t) unseen.erase(t->storage.get());
        live.push_back(*step);
    }
    std::reverse(live.begin(), live.end());
    return live;
}

}  // namespace mpt::passes
