#include "api/guard.h"
#include "engine/backward.h"
#include "ops/ops.h"
#include "precision/scaler.h"

using namespace mpt;

namespace {

mpt_grad_mode checked(mpt_grad_mode mode) {
    if (mode != MPT_GRAD_WRITE && mode != MPT_GRAD_ADD)
        fail(MPT_ERROR_ARGUMENT, "argument 'mode' is ", static_cast<int>(mode), ", which is none of mpt_grad_mode");
    return mode;
}

void need_graph(const Tensor &root, const char *name) {
    if (!root.tracked())
        fail(MPT_ERROR_STATE, "argument '", name, "' depends on no tensor that asks for gradients: check mpt_tensor_set_requires_grad, mpt_layer_freeze and mpt_no_grad_begin");
}

}  // namespace

mpt_status MPT_CALL mpt_backward(mpt_tensor *loss, mpt_scaler *scaler, mpt_grad_mode mode) {
    return api::call("mpt_backward", loss, "loss", [&](Context &c) {
        const Ref<Tensor> root = api::tensor(c, loss, "loss");
        if (scaler) api::same(c, scaler, "scaler");
        checked(mode);
        if (root->numel() != 1) fail(MPT_ERROR_SHAPE, "argument 'loss' has shape ", root->shape, ": it must be a scalar; reduce it, or use mpt_backward_from");
        need_graph(*root, "loss");
        // The gradient of scale * loss in loss is the scale itself: no multiplication, and no host ever waits for it.
        ScopeGuard guard(c);
        c.scope.grad = false;
        c.scope.policy = nullptr;
        const Ref<Tensor> one = scaler ? scaler->scale : ops::full(c, MPT_F32, {}, 1);
        const Ref<Tensor> cotangent = ops::cast(ops::reshape(one, root->shape), root->dtype);
        api::about("argument 'loss'", [&] { backward(c, {root}, {cotangent}, mode); });
    });
}

mpt_status MPT_CALL mpt_backward_from(mpt_tensor *const *roots, mpt_tensor *const *cotangents, int32_t n, mpt_grad_mode mode) {
    // The first root decides the context, so the list is looked at before there is one.
    const mpt_status status = api::catching("mpt_backward_from", nullptr, [&] {
        if (n < 1) fail(MPT_ERROR_ARGUMENT, "argument 'n' is ", n, ": give at least one root");
        api::need(roots, "roots");
    });
    if (status != MPT_OK) return status;
    return api::call("mpt_backward_from", roots[0], "roots[0]", [&](Context &c) {
        const std::vector<Ref<Tensor>> list = api::tensors(c, roots, n, "roots", "n");
        std::vector<Ref<Tensor>> starts = api::tensors(c, cotangents, n, "cotangents", "n");
        checked(mode);
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (!(starts[i]->shape == list[i]->shape))
                fail(MPT_ERROR_SHAPE, "argument 'cotangents[", i, "]' has shape ", starts[i]->shape, " but 'roots[", i, "]' has ", list[i]->shape);
            if (!is_floating(starts[i]->dtype))
                fail(MPT_ERROR_DTYPE, "argument 'cotangents[", i, "]' is ", dtype_name(starts[i]->dtype), ", which is not a floating type");
            need_graph(*list[i], ("roots[" + std::to_string(i) + "]").c_str());
        }
        // A cotangent may be the very gradient that is about to be written.
        ScopeGuard guard(c);
        c.scope.grad = false;
        c.scope.policy = nullptr;
        for (Ref<Tensor> &start : starts) start = ops::clone(start);
        api::about("argument 'roots'", [&] { backward(c, list, starts, mode); });
    });
}

mpt_status MPT_CALL mpt_no_grad_begin(mpt_context *ctx) {
    return api::call("mpt_no_grad_begin", ctx, "ctx", [&](Context &c) {
        c.grad_modes.push_back(c.scope.grad);
        c.scope.grad = false;
    });
}

mpt_status MPT_CALL mpt_no_grad_end(mpt_context *ctx) {
    return api::call("mpt_no_grad_end", ctx, "ctx", [&](Context &c) {
        if (c.grad_modes.empty()) fail(MPT_ERROR_STATE, "no mpt_no_grad_begin is open");
        c.scope.grad = c.grad_modes.back();
        c.grad_modes.pop_back();
    });
}
