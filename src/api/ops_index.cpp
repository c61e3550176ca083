#include "api/convert.h"
#include "api/guard.h"
#include "ops/index.h"

using namespace mpt;

mpt_status MPT_CALL mpt_index_select(mpt_tensor *x, int32_t dim, mpt_tensor *index, mpt_tensor **out) {
    return api::call("mpt_index_select", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, x, "x"), at = api::tensor(c, index, "index");
        *out = ops::index_select(t, api::dimension(*t, dim, "dim"), at).detach();
    });
}

mpt_status MPT_CALL mpt_gather(mpt_tensor *x, int32_t dim, mpt_tensor *index, mpt_tensor **out) {
    return api::call("mpt_gather", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, x, "x"), at = api::tensor(c, index, "index");
        *out = ops::gather(t, api::dimension(*t, dim, "dim"), at).detach();
    });
}

mpt_status MPT_CALL mpt_scatter_add(mpt_tensor *x, int32_t dim, mpt_tensor *index, mpt_tensor *src, mpt_tensor **out) {
    return api::call("mpt_scatter_add", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, x, "x"), at = api::tensor(c, index, "index"), from = api::tensor(c, src, "src");
        *out = ops::scatter_add(t, api::dimension(*t, dim, "dim"), at, from).detach();
    });
}

mpt_status MPT_CALL mpt_one_hot(mpt_tensor *index, int64_t classes, mpt_dtype dtype, mpt_tensor **out) {
    return api::call("mpt_one_hot", index, "index", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> at = api::tensor(c, index, "index");
        if (classes < 0) fail(MPT_ERROR_ARGUMENT, "argument 'classes' is ", classes, ": it must not be negative");
        if (!is_known(dtype))
            fail(MPT_ERROR_DTYPE, "argument 'dtype' is ", static_cast<int>(dtype), ", which is none of mpt_dtype");
        *out = ops::one_hot(at, classes, dtype).detach();
    });
}

mpt_status MPT_CALL mpt_embedding(mpt_tensor *index, mpt_tensor *weight, int64_t padding_index, mpt_tensor **out) {
    return api::call("mpt_embedding", index, "index", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> at = api::tensor(c, index, "index"), w = api::tensor(c, weight, "weight");
        const std::int64_t rows = w->shape.n > 0 ? w->shape[0] : 0;
        if (padding_index < -1 || (w->shape.n == 2 && padding_index >= rows))
            fail(MPT_ERROR_ARGUMENT, "argument 'padding_index' is ", padding_index, ": it must be -1 (none) or one of the ", rows,
                 " rows of 'weight'");
        *out = ops::embedding(at, w, padding_index).detach();
    });
}
