#include "ops/transfer.h"

#include "ops/ops.h"
#include "ops/together.h"

namespace mpt {

void write(const Ref<Tensor> &tensor, const void *data) {
    Context &ctx = *tensor->ctx;
    if (tensor->contiguous()) {
        settle(ctx);
        ctx.device->to_device(tensor->data(), data, tensor->nbytes(), ctx.stream());
        ++tensor->storage->version;
        return;
    }
    ScopeGuard guard(ctx);
    ctx.scope.policy = nullptr;
    const Ref<Tensor> staged = new_tensor(ctx, tensor->dtype, tensor->shape);
    ctx.device->to_device(staged->data(), data, staged->nbytes(), ctx.stream());
    ops::copy_into(tensor, staged);
}

void read(const Ref<Tensor> &tensor, void *data) {
    ScopeGuard guard(*tensor->ctx);
    tensor->ctx->scope.grad = false;
    tensor->ctx->scope.policy = nullptr;
    const Ref<Tensor> rows = ops::contiguous(tensor);
    settle(*tensor->ctx);
    tensor->ctx->device->to_host(data, rows->data(), rows->nbytes(), tensor->ctx->stream());
}

}  // namespace mpt
