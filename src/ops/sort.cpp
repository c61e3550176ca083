#include "device/attrs/sort.h"

#include "ops/checks.h"
#include "ops/index.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

struct SortAttrs {
    mpt_attrs_sort kernel;
    std::int64_t count;  // of elements that are kept along dim
};

void infer_sort(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &attrs = call.attrs.as<SortAttrs>();
    need_floating(x, "x");
    if (x.shape[attrs.kernel.dim] > std::int64_t{0xffffffff})
        fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": at most 2^32 - 1 elements can be sorted");
    Dims shape = x.shape;
    shape[attrs.kernel.dim] = attrs.count;
    out.push_back({x.dtype, shape, dense_like(shape, x.strides)});
    out.push_back({MPT_I64, shape, out[0].strides});
}
void arrange_sort(const Call &, KernelCall &kernel) {
    kernel.attrs_bytes = sizeof(mpt_attrs_sort);
}

void sort_gradient(GradRule &g) {
    g.give(0, ops::scatter(g.dout(0), g.attrs().as<SortAttrs>().kernel.dim, g.out(1), g.in_form(0).shape));
}

constexpr Op sort_op(const char *name) {
    Op op{};
    op.name = name;
    op.kernel = "sort";
    op.infer = infer_sort;
    op.arrange = arrange_sort;
    op.gradient = sort_gradient;
    op.saves_out = 2;
    return op;
}
constexpr Op kSort = sort_op("sort"), kTopk = sort_op("topk");

void infer_arg(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const int dim = call.attrs.as<mpt_attrs_sort>().dim;
    need_floating(x, "x");
    if (x.shape[dim] == 0)
        fail(MPT_ERROR_SHAPE, "argument 'x' has shape ", x.shape, ": nothing has no largest or smallest element, and dimension ",
             dim, " has none");
    Dims shape = x.shape;
    shape[dim] = 1;
    out.push_back({MPT_I64, shape, contiguous(shape)});
}
constexpr Op kArg[] = {{.name = "argmin", .kernel = "arg", .infer = infer_arg},
                       {.name = "argmax", .kernel = "arg", .infer = infer_arg}};
const RegisteredOps registered_0(kSort), registered_1(kTopk), registered_2(kArg);

std::pair<Ref<Tensor>, Ref<Tensor>> sorted(const Op &op, const Ref<Tensor> &x, const SortAttrs &attrs) {
    Call call{&op, {x}, {}, attrs};
    emit(*x->ctx, call);
    return {call.out[0], call.out[1]};
}

}  // namespace

std::pair<Ref<Tensor>, Ref<Tensor>> ops::sort(const Ref<Tensor> &x, int dim, bool descending) {
    return sorted(kSort, x, {{dim, descending ? 1 : 0}, x->shape[dim]});
}

std::pair<Ref<Tensor>, Ref<Tensor>> ops::topk(const Ref<Tensor> &x, std::int64_t k, int dim, bool largest) {
    return sorted(kTopk, x, {{dim, largest ? 1 : 0}, k});
}

Ref<Tensor> ops::arg(const Ref<Tensor> &x, int dim, bool keep_dims, bool largest) {
    const Ref<Tensor> y = emit1(*x->ctx, kArg[largest ? 1 : 0], {x}, mpt_attrs_sort{dim, largest ? 1 : 0});
    if (keep_dims) return y;
    Dims shape;
    for (int i = 0; i < x->shape.n; ++i)
        if (i != dim) shape.push(x->shape[i]);
    return reshape(y, shape);
}

}  // namespace mpt
