#include "program/passes/arena.h"

#include <algorithm>
#include <unordered_set>

namespace mpt::passes {

namespace {

constexpr std::size_t kAlignment = MPT_MOD_ALIGNMENT;

struct Block {
    std::size_t nbytes, first, last;  // steps in which it lives
    std::size_t offset = 0;
    const Storage *storage = nullptr;  // none: the workspace of step `first`
};

void place(std::vector<Block> &blocks) {
    std::vector<Block *> order;
    for (Block &b : blocks) order.push_back(&b);
    std::stable_sort(order.begin(), order.end(), [](const Block *a, const Block *b) { return a->nbytes > b->nbytes; });
    std::vector<const Block *> placed;  // by offset
    for (Block *block : order) {
        std::size_t offset = 0;
        for (const Block *other : placed) {
            if (other->last < block->first || block->last < other->first) continue;
            if (offset + block->nbytes <= other->offset) break;
            offset = std::max(offset, other->offset + other->nbytes);
        }
        block->offset = offset;
        placed.insert(std::upper_bound(placed.begin(), placed.end(), block, [](const Block *a, const Block *b) { return a->offset < b->offset; }),
                      block);
    }
}

}  // namespace

ArenaPlan arena(const std::vector<Step> &steps, const std::vector<Ref<Storage>> &born, const std::vector<Ref<Storage>> &kept) {
    std::unordered_set<const Storage *> temporary;
    for (const Ref<Storage> &s : born) temporary.insert(s.get());
    for (const Ref<Storage> &s : kept) temporary.erase(s.get());

    const auto rounded = [](std::size_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; };
    std::vector<Block> blocks;
    std::unordered_map<const Storage *, std::size_t> index;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (const auto *list : {&steps[i].in, &steps[i].out}) {
            for (const Ref<Tensor> &t : *list) {
                if (!t || !temporary.count(t->storage.get())) continue;
                auto [entry, fresh] = index.try_emplace(t->storage.get(), blocks.size());
                if (fresh) blocks.push_back({rounded(t->storage->nbytes()), i, i, 0, t->storage.get()});
                blocks[entry->second].last = i;
            }
        }
        if (const std::size_t workspace = steps[i].kernel->workspace_bytes()) blocks.push_back({rounded(workspace), i, i});
    }
    place(blocks);

    ArenaPlan plan;
    plan.workspaces.resize(steps.size());
    for (const Block &b : blocks) {
        plan.nbytes = std::max(plan.nbytes, b.offset + b.nbytes);
        if (b.storage)
            plan.offsets[b.storage] = b.offset;
        else
            plan.workspaces[b.first] = b.offset;
    }
    return plan;
}

}  // namespace mpt::passes
