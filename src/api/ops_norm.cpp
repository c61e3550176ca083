#include "ops/norm.h"

#include "api/guard.h"
#include "ops/dropout.h"

using namespace mpt;

namespace {

// op(x, optional): optional(handle, "its name") gives null for NULL.
template <class F>
mpt_status norm(const char *function, mpt_tensor *x, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        const auto optional = [&](mpt_tensor *handle, const char *name) { return handle ? api::tensor(c, handle, name) : nullptr; };
        *out = op(api::tensor(c, x, "x"), optional).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_batch_norm(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor *running_mean, mpt_tensor *running_var,
                                   int32_t training, double momentum, double eps, mpt_tensor **out) {
    return norm("mpt_batch_norm", x, out, [&](const Ref<Tensor> &t, auto &&optional) {
        ops::BatchNorm how;
        how.weight = optional(weight, "weight");
        how.bias = optional(bias, "bias");
        how.running_mean = optional(running_mean, "running_mean");
        how.running_var = optional(running_var, "running_var");
        how.training = api::flag(training, "training") != 0;
        how.momentum = momentum;
        how.eps = eps;
        return ops::batch_norm(t, how);
    });
}

mpt_status MPT_CALL mpt_layer_norm(mpt_tensor *x, int32_t ndims, mpt_tensor *weight, mpt_tensor *bias, double eps, mpt_tensor **out) {
    return norm("mpt_layer_norm", x, out, [&](const Ref<Tensor> &t, auto &&optional) {
        return ops::layer_norm(t, ndims, optional(weight, "weight"), optional(bias, "bias"), eps);
    });
}
mpt_status MPT_CALL mpt_rms_norm(mpt_tensor *x, mpt_tensor *weight, double eps, mpt_tensor **out) {
    return norm("mpt_rms_norm", x, out, [&](const Ref<Tensor> &t, auto &&optional) { return ops::rms_norm(t, optional(weight, "weight"), eps); });
}
mpt_status MPT_CALL mpt_group_norm(mpt_tensor *x, int64_t groups, mpt_tensor *weight, mpt_tensor *bias, double eps, mpt_tensor **out) {
    return norm("mpt_group_norm", x, out, [&](const Ref<Tensor> &t, auto &&optional) {
        return ops::group_norm(t, groups, optional(weight, "weight"), optional(bias, "bias"), eps);
    });
}
mpt_status MPT_CALL mpt_instance_norm(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, double eps, mpt_tensor **out) {
    return norm("mpt_instance_norm", x, out, [&](const Ref<Tensor> &t, auto &&optional) {
        return ops::instance_norm(t, optional(weight, "weight"), optional(bias, "bias"), eps);
    });
}

mpt_status MPT_CALL mpt_dropout(mpt_tensor *x, double p, mpt_tensor **out) {
    return norm("mpt_dropout", x, out, [&](const Ref<Tensor> &t, auto &&) { return ops::dropout(t, p); });
}
