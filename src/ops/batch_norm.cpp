#include <utility>

#include "core/error.h"
#include "device/attrs/norm.h"
#include "ops/norm.h"
#include "ops/norm_op.h"
#include "ops/registry.h"

namespace mpt {

namespace {

// The running statistics are outputs that are read and written, so that every run of a program moves them.
constexpr Op kBatchNorm{.name = "batch_norm",
                        .kernel = "channel_norm",
                        .cast = 1,
                        .infer = infer_channel_norm,
                        .updates = true,
                        .gradient = channel_norm_gradient,
                        .saves_in = 3,
                        .saves_out = 6};
const RegisteredOps registered(kBatchNorm);

}  // namespace

Ref<Tensor> ops::batch_norm(const Ref<Tensor> &x, const BatchNorm &how) {
    if (x->shape.n < 2) fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": it is [N, C, ...]");
    check_eps(how.eps);
    if (!(how.momentum >= 0 && how.momentum <= 1)) fail(MPT_ERROR_ARGUMENT, "argument 'momentum' is ", how.momentum, ": it must be from [0, 1]");
    if (!how.running_mean != !how.running_var)
        fail(MPT_ERROR_ARGUMENT, "argument '", how.running_mean ? "running_var" : "running_mean", "' is NULL but the other is not: give both running statistics or none");
    if (!how.training && !how.running_mean)
        fail(MPT_ERROR_ARGUMENT, "argument 'running_mean' is NULL but 'training' is 0: evaluation needs running statistics");
    for (const auto &[running, name] : {std::pair{&how.running_mean, "running_mean"}, std::pair{&how.running_var, "running_var"}})
        if (how.training && *running && (*running)->tracked() && x->ctx->scope.grad)
            fail(MPT_ERROR_STATE, "argument '", name, "' takes part in gradients, but training writes it: detach it");
    const std::int64_t channels = x->shape[1];
    std::int64_t count = x->shape[0];
    for (int i = 2; i < x->shape.n; ++i) count *= x->shape[i];
    if (how.training && channels > 0 && count < 2)
        fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": training needs more than one element per channel, give a larger batch");
    Call call{&kBatchNorm, {x, how.weight, how.bias, nullptr, nullptr}, {}, mpt_attrs_channel_norm{how.eps, how.momentum, channels, 0, !how.training}};
    if (!how.training) {
        call.in[3] = how.running_mean;
        call.in[4] = how.running_var;
    } else if (how.running_mean) {
        call.out = {nullptr, nullptr, nullptr, how.running_mean, how.running_var};
    }
    emit(*x->ctx, call);
    return call.out[0];
}

}  // namespace mpt
