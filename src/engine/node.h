// The gradient's graph: one node per differentiable call.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/emit.h"

namespace mpt {

class Node;

// Where a gradient goes: to an op's output, or into a leaf. Neither: nowhere.
struct Edge {
    Ref<Node> node;
    int output = 0;
    Ref<Tensor> leaf;
    explicit operator bool() const { return node || leaf; }
};
Edge edge_of(const Tensor &tensor);

// A tensor that the gradient reads, with the version it had.
struct Saved {
    Ref<Tensor> tensor;
    std::uint64_t version = 0;
};

class Node final : public Object {
public:
    const Op *op;
    Attrs attrs;
    std::uint64_t sequence;  // later calls have larger numbers: a topological order
    std::vector<Edge> edges;  // per input
    std::vector<Spec> in_forms, out_forms;
    std::vector<Saved> in, out;
    Ref<Object> keep;    // the call's
    Ref<Object> policy;  // backward follows the forward's
    std::string layer;
    bool used = false;

    Node(const Op &o, const Attrs &a);
    void use_up();  // what was saved can go

protected:
    void dispose() override;  // without recursion: a recurrent net's chain is as long as its sequence
};

// Links the outputs of a call that has been emitted to its inputs.
void link(Context &ctx, const Call &call);

class Autograd final : public Emitter {
public:
    Autograd(Context &ctx, std::shared_ptr<Emitter> next) : ctx_(ctx), next_(std::move(next)) {}
    void emit(Call &call) override;

private:
    Context &ctx_;
    std::shared_ptr<Emitter> next_;
};

}  // namespace mpt
