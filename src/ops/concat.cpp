// Joining.
#include "device/attrs/shape.h"
#include "ops/checks.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/shape.h"

namespace mpt {

namespace {

void infer_concat(const Call &call, std::vector<Spec> &out) {
    const Tensor &first = *call.in[0];
    const int dim = static_cast<int>(call.attrs.as<mpt_attrs_concat>().dim);
    Dims shape = first.shape;
    shape[dim] = 0;
    for (std::size_t i = 0; i < call.in.size(); ++i) {
        const Tensor &x = *call.in[i];
        refuse_fp8(x, "tensors");
        if (x.dtype != first.dtype)
            fail(MPT_ERROR_DTYPE, "argument 'tensors': number ", i, " is ", dtype_name(x.dtype), " but number 0 is ",
                 dtype_name(first.dtype), ": cast one of them");
        Dims rest = x.shape;
        if (rest.n == shape.n) rest[dim] = shape[dim];
        if (!(rest == shape))
            fail(MPT_ERROR_SHAPE, "argument 'tensors': number ", i, " has shape ", x.shape, ", which differs from ", first.shape,
                 " of number 0 in more than dimension ", dim);
        if (__builtin_add_overflow(shape[dim], x.shape[dim], &shape[dim]))
            fail(MPT_ERROR_SHAPE, "argument 'tensors': the extents of dimension ", dim, " add up to more than 2^63");
    }
    checked_bytes(shape, first.dtype);
    out.push_back({first.dtype, shape, dense_like(shape, first.strides)});
}

void concat_gradient(GradRule &g) {
    const int dim = static_cast<int>(g.attrs().as<mpt_attrs_concat>().dim);
    std::int64_t start = 0;
    for (int i = 0; i < g.inputs(); ++i) {
        const std::int64_t length = g.in_form(i).shape[dim];
        if (g.needs(i)) g.give(i, ops::slice(g.dout(0), dim, start, length));
        start += length;
    }
}

constexpr Op kConcat{
    .name = "concat", .kernel = "concat", .precision = Precision::Promote, .infer = infer_concat, .gradient = concat_gradient};
const RegisteredOps registered(kConcat);

}  // namespace

Ref<Tensor> ops::concat(const std::vector<Ref<Tensor>> &tensors, int dim) {
    return emit1(*tensors.at(0)->ctx, kConcat, tensors, mpt_attrs_concat{dim});
}

Ref<Tensor> ops::stack(const std::vector<Ref<Tensor>> &tensors, int dim) {
    std::vector<Ref<Tensor>> parts;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (!(tensors[i]->shape == tensors[0]->shape))
            fail(MPT_ERROR_SHAPE, "argument 'tensors': number ", i, " has shape ", tensors[i]->shape, " but number 0 has ",
                 tensors[0]->shape);
        parts.push_back(unsqueeze(tensors[i], dim));
    }
    return concat(parts, dim);
}

Ref<Tensor> ops::squeeze(const Ref<Tensor> &x, int dim) {
    Dims shape;
    for (int i = 0; i < x->shape.n; ++i)
        if (i != dim) shape.push(x->shape[i]);
    return reshape(x, shape);
}

Ref<Tensor> ops::unsqueeze(const Ref<Tensor> &x, int dim) {
    if (x->shape.n == MPT_MAX_DIMS)
        fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x->shape, ": a tensor has at most ", static_cast<int>(MPT_MAX_DIMS),
             " dimensions");
    Dims shape;
    for (int i = 0; i <= x->shape.n; ++i) {
        if (i == dim) shape.push(1);
        if (i < x->shape.n) shape.push(x->shape[i]);
    }
    return reshape(x, shape);
}

}  // namespace mpt
