#include <cmath>

#include "api/convert.h"
#include "api/guard.h"
#include "device/attrs/reduce.h"
#include "ops/index.h"
#include "ops/ops.h"
#include "ops/statistics.h"

using namespace mpt;

namespace {

unsigned mask_of(const Tensor &x, int32_t ndims, const int32_t *dims) {
    if (!dims) {
        if (ndims != 0) fail(MPT_ERROR_ARGUMENT, "argument 'dims' is NULL but 'ndims' is ", ndims, ": 0 means all dimensions");
        return (1u << x.shape.n) - 1;
    }
    return api::dimensions(x, ndims, dims);
}

// op(x, dimensions as bits, keep_dims)
template <class F>
mpt_status over(const char *function, mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out,
                F &&op) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, x, "x");
        const unsigned mask = mask_of(*t, ndims, dims);
        *out = op(t, mask, api::flag(keep_dims, "keep_dims") != 0).detach();
    });
}

mpt_status reduce(const char *function, mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out,
                  int kind) {
    return over(function, x, ndims, dims, keep_dims, out,
                [&](const Ref<Tensor> &t, unsigned mask, bool keep) { return ops::reduce(t, kind, mask, keep); });
}

mpt_status arg(const char *function, mpt_tensor *x, int32_t dim, int32_t keep_dims, mpt_tensor **out, bool largest) {
    return api::call(function, x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, x, "x");
        const int d = api::dimension(*t, dim, "dim");
        *out = ops::arg(t, d, api::flag(keep_dims, "keep_dims") != 0, largest).detach();
    });
}

}  // namespace

mpt_status MPT_CALL mpt_sum(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_sum", x, ndims, dims, keep_dims, out, MPT_REDUCE_SUM);
}
mpt_status MPT_CALL mpt_mean(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_mean", x, ndims, dims, keep_dims, out, MPT_REDUCE_MEAN);
}
mpt_status MPT_CALL mpt_max(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_max", x, ndims, dims, keep_dims, out, MPT_REDUCE_MAX);
}
mpt_status MPT_CALL mpt_min(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_min", x, ndims, dims, keep_dims, out, MPT_REDUCE_MIN);
}
mpt_status MPT_CALL mpt_prod(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return reduce("mpt_prod", x, ndims, dims, keep_dims, out, MPT_REDUCE_PROD);
}
mpt_status MPT_CALL mpt_var(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, double correction,
                            mpt_tensor **out) {
    return over("mpt_var", x, ndims, dims, keep_dims, out, [&](const Ref<Tensor> &t, unsigned mask, bool keep) {
        if (!std::isfinite(correction)) fail(MPT_ERROR_ARGUMENT, "argument 'correction' is ", correction, ": it must be finite");
        return ops::var(t, mask, keep, correction);
    });
}
mpt_status MPT_CALL mpt_norm(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return over("mpt_norm", x, ndims, dims, keep_dims, out, ops::norm);
}
mpt_status MPT_CALL mpt_logsumexp(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return over("mpt_logsumexp", x, ndims, dims, keep_dims, out, ops::logsumexp);
}
mpt_status MPT_CALL mpt_any(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return over("mpt_any", x, ndims, dims, keep_dims, out, ops::any);
}
mpt_status MPT_CALL mpt_all(mpt_tensor *x, int32_t ndims, const int32_t *dims, int32_t keep_dims, mpt_tensor **out) {
    return over("mpt_all", x, ndims, dims, keep_dims, out,
                [](const Ref<Tensor> &t, unsigned mask, bool keep) { return ops::all(t, mask, keep); });
}

mpt_status MPT_CALL mpt_argmax(mpt_tensor *x, int32_t dim, int32_t keep_dims, mpt_tensor **out) {
    return arg("mpt_argmax", x, dim, keep_dims, out, true);
}
mpt_status MPT_CALL mpt_argmin(mpt_tensor *x, int32_t dim, int32_t keep_dims, mpt_tensor **out) {
    return arg("mpt_argmin", x, dim, keep_dims, out, false);
}

mpt_status MPT_CALL mpt_cumsum(mpt_tensor *x, int32_t dim, mpt_tensor **out) {
    return api::call("mpt_cumsum", x, "x", [&](Context &c) {
        api::need(out, "out");
        const Ref<Tensor> t = api::tensor(c, x, "x");
        *out = ops::cumsum(t, api::dimension(*t, dim, "dim")).detach();
    });
}

mpt_status MPT_CALL mpt_sort(mpt_tensor *x, int32_t dim, int32_t descending, mpt_tensor **values_out, mpt_tensor **indices_out) {
    return api::call("mpt_sort", x, "x", [&](Context &c) {
        api::need(values_out, "values_out");
        api::need(indices_out, "indices_out");
        const Ref<Tensor> t = api::tensor(c, x, "x");
        const int d = api::dimension(*t, dim, "dim");
        auto [values, indices] = ops::sort(t, d, api::flag(descending, "descending") != 0);
        *values_out = values.detach();
        *indices_out = indices.detach();
    });
}

mpt_status MPT_CALL mpt_topk(mpt_tensor *x, int64_t k, int32_t dim, int32_t largest, mpt_tensor **values_out,
                             mpt_tensor **indices_out) {
    return api::call("mpt_topk", x, "x", [&](Context &c) {
        api::need(values_out, "values_out");
        api::need(indices_out, "indices_out");
        const Ref<Tensor> t = api::tensor(c, x, "x");
        const int d = api::dimension(*t, dim, "dim");
        if (k < 0 || k > t->shape[d])
            fail(MPT_ERROR_ARGUMENT, "argument 'k' is ", k, ": dimension ", d, " of 'x' has ", t->shape[d], " elements");
        auto [values, indices] = ops::topk(t, k, d, api::flag(largest, "largest") != 0);
        *values_out = values.detach();
        *indices_out = indices.detach();
    });
}
