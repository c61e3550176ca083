#include "engine/node.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"

namespace mpt {

namespace {
std::atomic<std::uint64_t> sequence_numbers{0};

Spec spec_of(const Tensor *t) { return t ? Spec{t->dtype, t->shape, t->strides, t->offset} : Spec{}; }
}  // namespace

Edge edge_of(const Tensor &tensor) {
    Edge edge;
    if (tensor.requires_grad)
        edge.leaf = Ref<Tensor>(const_cast<Tensor *>(&tensor));
    else if (tensor.leaf)
        edge.leaf = tensor.leaf;
    else if (tensor.node)
        edge.node = Ref<Node>(static_cast<Node *>(tensor.node.get())), edge.output = tensor.node_output;
    return edge;
}

Node::Node(const Op &o, const Attrs &a) : op(&o), attrs(a), sequence(++sequence_numbers) {}

void Node::use_up() {
    used = true;
    in.clear();
    out.clear();
}

void Node::dispose() {
    thread_local ObjectList pending;
    thread_local bool running = false;
    pending.push(this);
    if (running) return;
    running = true;
    while (!pending.empty()) delete pending.pop();  // its edges may add to pending
    running = false;
}

void link(Context &ctx, const Call &call) {
    const Op &op = *call.op;
    // Integers carry no gradient.
    const auto carries = [&](std::size_t i) {
        const Tensor *y = call.out[i].get();
        return y && has_bit(op.differentiable, i) && (is_floating(y->dtype) || is_f8(y->dtype));
    };
    bool any = false;
    for (std::size_t i = 0; i < call.out.size(); ++i) any = any || carries(i);
    if (!any) return;
    if (op.passes_gradient) {
        const Edge edge = edge_of(*call.in[0]);
        Tensor &y = *call.out[0];
        y.node = edge.node;
        y.node_output = edge.output;
        y.leaf = edge.leaf;
        return;
    }
    Ref<Node> node = make<Node>(op, call.attrs);
    node->keep = call.keep;
    node->policy = ctx.scope.policy;
    node->layer = ctx.scope.layer;
    for (const Ref<Tensor> &x : call.in) {
        node->edges.push_back(x ? edge_of(*x) : Edge{});
        node->in_forms.push_back(spec_of(x.get()));
    }
    for (const Ref<Tensor> &y : call.out) node->out_forms.push_back(spec_of(y.get()));
    unsigned saves_in = op.saves_in;
    if (op.crosswise) {  // what no gradient will read is not kept alive
        const std::vector<Edge> &edges = node->edges;
        if (!edges[0]) saves_in &= ~2u;
        if (std::none_of(edges.begin() + 1, edges.end(), [](const Edge &e) { return static_cast<bool>(e); })) saves_in &= ~1u;
    }
    const auto save = [](std::vector<Saved> &list, const std::vector<Ref<Tensor>> &tensors, unsigned mask) {
        list.resize(tensors.size());
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (has_bit(mask, i) && tensors[i]) list[i] = {detached(*tensors[i]), tensors[i]->storage->version};
    };
    save(node->in, call.in, saves_in);
    save(node->out, call.out, op.saves_out);
    for (std::size_t i = 0; i < call.out.size(); ++i) {
        if (!carries(i)) continue;
        call.out[i]->node = node;
        call.out[i]->node_output = static_cast<int>(i);
    }
}

void Autograd::emit(Call &call) {
    const Op &op = *call.op;
    bool tracked = false;
    if (ctx_.scope.grad) {
        for (const Ref<Tensor> &x : call.in) tracked = tracked || (x && x->tracked());
        for (const Ref<Tensor> &y : call.out)
            if (y && y->tracked())
                fail(MPT_ERROR_STATE, op.name, " would change a tensor that takes part in gradients in place: do it between mpt_no_grad_begin and mpt_no_grad_end");
    }
    next_->emit(call);
    if (tracked && (op.gradient || op.passes_gradient)) link(ctx_, call);
}

}  // namespace mpt
