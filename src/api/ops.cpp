#include "ops/ops.h"

#include "api/convert.h"
#include "api/guard.h"
#include "device/attrs/conv.h"

using namespace mpt;

namespace {

template <class F>
mpt_status unary(const char *function, mpt_tensor *x, mpt_tensor **out, F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        *out = op(api::tensor(c, x, "x")).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_matmul(mpt_tensor *a, mpt_tensor *b, mpt_tensor **out) {
    return api::call("mpt_matmul", a, "a", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> left = api::tensor(c, a, "a"), right = api::tensor(c, b, "b");
        *out = ops::matmul(left, right).detach();
    });
}

mpt_status MPT_CALL mpt_linear(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out) {
    return api::call("mpt_linear", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> in = api::tensor(c, x, "x"), w = api::tensor(c, weight, "weight");
        *out = ops::linear(in, w, bias ? api::tensor(c, bias, "bias") : nullptr).detach();
    });
}
