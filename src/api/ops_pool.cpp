#include "ops/pool.h"

#include "api/convert.h"
#include "api/guard.h"
#include "ops/ops.h"

using namespace mpt;

namespace {

template <class F>
mpt_status pool(const char *function, mpt_tensor *x, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        *out = op(api::tensor(c, x, "x")).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_pool2d_params_init(mpt_pool2d_params *params, size_t nbytes) {
    return api::catching("mpt_pool2d_params_init", nullptr, [&] { api::init_desc(params, nbytes, api::default_pool2d(), "params"); });
}

mpt_status MPT_CALL mpt_max_pool2d(mpt_tensor *x, const mpt_pool2d_params *params, mpt_tensor **out) {
    return pool("mpt_max_pool2d", x, out, [&](const Ref<Tensor> &t) { return ops::max_pool2d(t, api::max_pool2d_attrs(params)); });
}
mpt_status MPT_CALL mpt_avg_pool2d(mpt_tensor *x, const mpt_pool2d_params *params, mpt_tensor **out) {
    return pool("mpt_avg_pool2d", x, out, [&](const Ref<Tensor> &t) { return ops::avg_pool2d(t, api::avg_pool2d_attrs(params)); });
}
mpt_status MPT_CALL mpt_adaptive_avg_pool2d(mpt_tensor *x, int64_t height, int64_t width, mpt_tensor **out) {
    return pool("mpt_adaptive_avg_pool2d", x, out, [&](const Ref<Tensor> &t) { return ops::adaptive_avg_pool2d(t, height, width); });
}
mpt_status MPT_CALL mpt_adaptive_max_pool2d(mpt_tensor *x, int64_t height, int64_t width, mpt_tensor **out) {
    return pool("mpt_adaptive_max_pool2d", x, out, [&](const Ref<Tensor> &t) { return ops::adaptive_max_pool2d(t, height, width); });
}
mpt_status MPT_CALL mpt_max_pool1d(mpt_tensor *x, int32_t kernel, int32_t stride, int32_t padding, mpt_tensor **out) {
    return pool("mpt_max_pool1d", x, out, [&](const Ref<Tensor> &t) { return ops::max_pool1d(t, api::pool1d_attrs(kernel, stride, padding)); });
}
mpt_status MPT_CALL mpt_avg_pool1d(mpt_tensor *x, int32_t kernel, int32_t stride, int32_t padding, mpt_tensor **out) {
    return pool("mpt_avg_pool1d", x, out, [&](const Ref<Tensor> &t) { return ops::avg_pool1d(t, api::pool1d_attrs(kernel, stride, padding)); });
}
mpt_status MPT_CALL mpt_upsample2d(mpt_tensor *x, int64_t height, int64_t width, mpt_upsample_mode mode, mpt_tensor **out) {
    return pool("mpt_upsample2d", x, out, [&](const Ref<Tensor> &t) { return ops::upsample2d(t, height, width, mode); });
}
