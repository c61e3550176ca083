#include "engine/backward.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "engine/node.h"
#include "ops/ops.h"
#include "program/recording.h"

namespace mpt {

namespace {

class Walk {
public:
    Walk(Context &ctx, mpt_grad_mode mode) : ctx_(ctx), mode_(mode) {}

    // Adds a contribution to what an edge receives.
    void give(const Edge &edge, const Ref<Tensor> &gradient) {
        if (edge.leaf)
            give_leaf(edge.leaf, gradient);
        else if (edge.node)
            give_node(*edge.node, edge.output, gradient);
    }

    Tensor *target(const Edge &edge) {
        if (!edge.leaf || mode_ != MPT_GRAD_WRITE || written_.count(edge.leaf.get())) return nullptr;
        handed_.insert(edge.leaf.get());
        return gradient_of(edge.leaf).get();
    }

    // Everything that the walk will read, before it changes anything: a stale graph leaves all gradients as they were.
    void check(const std::vector<Ref<Tensor>> &roots) const;

    void run();

    Context &ctx() { return ctx_; }

private:
    void give_leaf(const Ref<Tensor> &leaf, const Ref<Tensor> &gradient) {
        const Ref<Tensor> &sum = gradient_of(leaf);
        const bool first = written_.insert(leaf.get()).second;
        if (gradient == sum && handed_.count(leaf.get())) return;  // the op has written it in place
        // Sums have the types of their operands, whatever a policy says of additions elsewhere.
        ScopeGuard guard(ctx_);
        ctx_.scope.policy = nullptr;
        if (first && mode_ == MPT_GRAD_WRITE)
            ops::copy_into(sum, gradient);
        else
            ops::add_to(sum, gradient);
    }

    void give_node(Node &node, int output, const Ref<Tensor> &gradient) {
        ScopeGuard guard(ctx_);
        ctx_.scope.policy = nullptr;
        auto [entry, fresh] = pending_.try_emplace(&node);
        std::vector<Ref<Tensor>> &grads = entry->second;
        if (fresh) {
            grads.resize(node.out_forms.size());
            order_.emplace(node.sequence, Ref<Node>(&node));
        }
        Ref<Tensor> &sum = grads[static_cast<std::size_t>(output)];
        const Ref<Tensor> part = ops::cast(gradient, node.out_forms[static_cast<std::size_t>(output)].dtype);
        sum = sum ? ops::binary(sum, part, MPT_BINARY_ADD) : part;
    }

    struct Later {
        bool operator()(const std::pair<std::uint64_t, Ref<Node>> &a, const std::pair<std::uint64_t, Ref<Node>> &b) const { return a.first < b.first; }
    };

    Context &ctx_;
    mpt_grad_mode mode_;
    std::priority_queue<std::pair<std::uint64_t, Ref<Node>>, std::vector<std::pair<std::uint64_t, Ref<Node>>>, Later> order_;
    std::unordered_map<Node *, std::vector<Ref<Tensor>>> pending_;
    std::unordered_set<Tensor *> written_, handed_;
};

// A node's rule sees the walk through this.
class Rule final : public GradRule {
public:
    Rule(Walk &walk, Node &node, std::vector<Ref<Tensor>> douts) : walk_(walk), node_(node), douts_(std::move(douts)) {}
    Context &ctx() override { return walk_.ctx(); }
    const Attrs &attrs() override { return node_.attrs; }
    const Ref<Object> &keep() override { return node_.keep; }
    int inputs() override { return static_cast<int>(node_.edges.size()); }
    bool needs(int i) override { return static_cast<bool>(edge(i)); }
    const Ref<Tensor> &in(int i) override { return checked(node_.in[static_cast<std::size_t>(i)]); }
    const Ref<Tensor> &out(int i) override { return checked(node_.out[static_cast<std::size_t>(i)]); }
    const Spec &in_form(int i) override { return node_.in_forms[static_cast<std::size_t>(i)]; }
    const Ref<Tensor> &dout(int i) override { return douts_[static_cast<std::size_t>(i)]; }
    Tensor *target(int i) override {
        if (!edge(i).leaf || reads(*gradient_of(edge(i).leaf)->storage)) return nullptr;
        return walk_.target(edge(i));
    }
    void give(int i, Ref<Tensor> gradient) override {
        if (needs(i)) walk_.give(edge(i), gradient);
    }

private:
    const Edge &edge(int i) { return node_.edges[static_cast<std::size_t>(i)]; }
    // A gradient that is itself an operand cannot be written while it is read.
    bool reads(const Storage &storage) const {
        const auto is = [&](const Ref<Tensor> &t) { return t && t->storage.get() == &storage; };
        for (const auto *list : {&node_.in, &node_.out})
            for (const Saved &saved : *list)
                if (is(saved.tensor)) return true;
        return std::any_of(douts_.begin(), douts_.end(), is);
    }
    const Ref<Tensor> &checked(const Saved &saved) {
        if (!saved.tensor) fail(MPT_ERROR_INTERNAL, "the gradient of '", node_.op->name, "' reads an operand that the op does not save (saves_in, saves_out)");
        return saved.tensor;
    }

    Walk &walk_;
    Node &node_;
    std::vector<Ref<Tensor>> douts_;
};

void Walk::check(const std::vector<Ref<Tensor>> &roots) const {
    std::vector<Node *> open;
    std::unordered_set<Node *> seen;
    const auto reach = [&](const Edge &edge) {
        if (edge.node && seen.insert(edge.node.get()).second) open.push_back(edge.node.get());
    };
    for (const Ref<Tensor> &root : roots) reach(edge_of(*root));
    while (!open.empty()) {
        const Node &node = *open.back();
        open.pop_back();
        if (node.used) fail(MPT_ERROR_STALE, "the graph behind '", node.op->name, "' was used up by an earlier backward: run the forward again");
        for (const auto *list : {&node.in, &node.out})
            for (const Saved &saved : *list)
                if (saved.tensor && saved.tensor->storage->version != saved.version)
                    fail(MPT_ERROR_STALE, "a tensor of shape ", saved.tensor->shape, " that the gradient of '", node.op->name,
                         "' needs was changed after the forward (by a step, a fill or a copy): run the forward again before backward");
        for (const Edge &edge : node.edges) reach(edge);
    }
}

void Walk::run() {
    while (!order_.empty()) {
        const Ref<Node> node = order_.top().second;
        order_.pop();
        auto entry = pending_.find(node.get());
        Rule rule(*this, *node, std::move(entry->second));
        pending_.erase(entry);
        ctx_.scope.policy = node->policy;
        ctx_.scope.layer = node->layer;
        node->op->gradient(rule);
        node->use_up();
    }
}

}  // namespace

const Ref<Tensor> &gradient_of(const Ref<Tensor> &leaf) {
    if (!leaf->grad) {
        const Dims strides = is_dense(leaf->shape, leaf->strides) ? leaf->strides : contiguous(leaf->shape);
        Ref<Tensor> grad = new_tensor(*leaf->ctx, leaf->dtype, leaf->shape, strides);
        ops::fill_now(grad, 0);
        Recording *recording = leaf->ctx->recording.get();
        if (recording) recording->on_abort([leaf] { leaf->grad = nullptr; });
        leaf->grad = grad;
    }
    return leaf->grad;
}

void backward(Context &ctx, const std::vector<Ref<Tensor>> &roots, const std::vector<Ref<Tensor>> &cotangents, mpt_grad_mode mode) {
    ScopeGuard guard(ctx);
    ctx.scope.grad = false;
    ctx.scope.policy = nullptr;
    ctx.scope.layer.clear();
    Walk walk(ctx, mode);
    walk.check(roots);
    try {
        for (std::size_t i = 0; i < roots.size(); ++i) walk.give(edge_of(*roots[i]), cotangents[i]);
        walk.run();
    } catch (...) {
        // Some gradients may have their sums, others not: a second walk over the rest would add to them twice.
        for (const Ref<Tensor> &root : roots)
            if (const Edge edge = edge_of(*root); edge.node) edge.node->use_up();
        throw;
    }
}

}  // namespace mpt
