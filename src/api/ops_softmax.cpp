#include "api/convert.h"
#include "api/guard.h"
#include "ops/ops.h"

using namespace mpt;

namespace {

mpt_status softmax(const char *function, mpt_tensor *x, int32_t dim, mpt_tensor **out, bool log) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> in = api::tensor(c, x, "x");
        *out = ops::softmax(in, api::dimension(*in, dim, "dim"), log).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out) { return softmax("mpt_softmax", x, dim, out, false); }
mpt_status MPT_CALL mpt_log_softmax(mpt_tensor *x, int32_t dim, mpt_tensor **out) { return softmax("mpt_log_softmax", x, dim, out, true); }
