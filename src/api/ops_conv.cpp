#include "ops/conv.h"

#include "api/convert.h"
#include "api/guard.h"
#include "ops/ops.h"

using namespace mpt;

namespace {

template <class F>
mpt_status convolve(const char *function, mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> in = api::tensor(c, x, "x"), w = api::tensor(c, weight, "weight");
        *out = op(in, w, bias ? api::tensor(c, bias, "bias") : nullptr).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_conv2d_params_init(mpt_conv2d_params *params, size_t nbytes) {
    return api::catching("mpt_conv2d_params_init", nullptr, [&] { api::init_desc(params, nbytes, api::default_conv2d(), "params"); });
}
mpt_status MPT_CALL mpt_conv1d_params_init(mpt_conv1d_params *params, size_t nbytes) {
    return api::catching("mpt_conv1d_params_init", nullptr, [&] { api::init_desc(params, nbytes, api::default_conv1d(), "params"); });
}

mpt_status MPT_CALL mpt_conv2d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv2d_params *params, mpt_tensor **out) {
    return convolve("mpt_conv2d", x, weight, bias, out, [&](const Ref<Tensor> &in, const Ref<Tensor> &w, const Ref<Tensor> &b) {
        return ops::conv2d(in, w, b, api::conv2d_attrs(params, false).conv);
    });
}
mpt_status MPT_CALL mpt_conv_transpose2d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv2d_params *params, mpt_tensor **out) {
    return convolve("mpt_conv_transpose2d", x, weight, bias, out, [&](const Ref<Tensor> &in, const Ref<Tensor> &w, const Ref<Tensor> &b) {
        return ops::conv_transpose2d(in, w, b, api::conv2d_attrs(params, true));
    });
}
mpt_status MPT_CALL mpt_conv1d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv1d_params *params, mpt_tensor **out) {
    return convolve("mpt_conv1d", x, weight, bias, out, [&](const Ref<Tensor> &in, const Ref<Tensor> &w, const Ref<Tensor> &b) {
        return ops::conv1d(in, w, b, api::conv1d_attrs(params, false).conv);
    });
}
mpt_status MPT_CALL mpt_conv_transpose1d(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, const mpt_conv1d_params *params, mpt_tensor **out) {
    return convolve("mpt_conv_transpose1d", x, weight, bias, out, [&](const Ref<Tensor> &in, const Ref<Tensor> &w, const Ref<Tensor> &b) {
        return ops::conv_transpose1d(in, w, b, api::conv1d_attrs(params, true));
    });
}
