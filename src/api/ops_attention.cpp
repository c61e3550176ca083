#include <cmath>

#include "api/guard.h"
#include "ops/attention.h"

using namespace mpt;

namespace {

mpt_attention_params default_attention() {
    mpt_attention_params p = {};
    p.struct_size = sizeof p;
    return p;
}

mpt_attrs_attention attention_attrs(const mpt_attention_params *params) {
    const mpt_attention_params p = api::read_desc(params, default_attention(), "params");
    if (!std::isfinite(p.scale)) fail(MPT_ERROR_ARGUMENT, "argument 'params': scale is ", p.scale, ": it is a finite number, 0 for 1 / sqrt(D)");
    if (!(p.dropout >= 0 && p.dropout < 1)) fail(MPT_ERROR_ARGUMENT, "argument 'params': dropout is ", p.dropout, ": it is from [0, 1)");
    return {api::flag(p.causal, "params", "causal"), p.scale, p.dropout};
}

}  // namespace

mpt_status MPT_CALL mpt_attention_params_init(mpt_attention_params *params, size_t nbytes) {
    return api::catching("mpt_attention_params_init", nullptr, [&] { api::init_desc(params, nbytes, default_attention(), "params"); });
}

mpt_status MPT_CALL mpt_attention(mpt_tensor *q, mpt_tensor *k, mpt_tensor *v, mpt_tensor *mask, const mpt_attention_params *params,
                                  mpt_tensor **out) {
    return api::call("mpt_attention", q, "q", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> query = api::tensor(c, q, "q"), key = api::tensor(c, k, "k"), value = api::tensor(c, v, "v");
        const Ref<Tensor> seen = mask ? api::tensor(c, mask, "mask") : nullptr;
        *out = ops::attention(query, key, value, seen, attention_attrs(params)).detach();
    });
}
