// Reading and adding at places that an index names. Each is a part of the other's gradient.
#include "device/attrs/index.h"
#include "ops/checks.h"
#include "ops/index.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

int dim_of(const Attrs &attrs) {
    return attrs.as<mpt_attrs_index>().dim;
}

// An index with an entry for each element reaches over the first places of x.
void check_index(const Tensor &x, const Tensor &index, int dim) {
    need_index(index, "index");
    bool fits = index.shape.n == x.shape.n;
    for (int i = 0; fits && i < x.shape.n; ++i) fits = i == dim || index.shape[i] <= x.shape[i];
    if (!fits)
        fail(MPT_ERROR_SHAPE, "argument 'index' has shape ", index.shape, ", which must have as many dimensions as 'x' ", x.shape,
             " and be no larger but in dimension ", dim);
}

void infer_gather(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &index = *call.in[1];
    refuse_fp8(x, "x");
    check_index(x, index, dim_of(call.attrs));
    out.push_back({x.dtype, index.shape, contiguous(index.shape)});
}

void gather_gradient(GradRule &g) {
    g.give(0, ops::scatter(g.dout(0), dim_of(g.attrs()), g.in(1), g.in_form(0).shape));
}

constexpr Op kGather{.name = "gather", .kernel = "gather", .infer = infer_gather, .gradient = gather_gradient, .saves_in = 2};

void infer_scatter_add(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &index = *call.in[1], &src = *call.in[2];
    need_floating(x, "x");
    check_index(x, index, dim_of(call.attrs));
    if (src.dtype != x.dtype)
        fail(MPT_ERROR_DTYPE, "argument 'src' is ", dtype_name(src.dtype), " but 'x' is ", dtype_name(x.dtype),
             ": cast one of them");
    if (!(src.shape == index.shape))
        fail(MPT_ERROR_SHAPE, "argument 'src' has shape ", src.shape, ", but must have that of 'index' ", index.shape);
    out.push_back({x.dtype, x.shape, contiguous(x.shape)});
}

void scatter_add_gradient(GradRule &g) {
    if (g.needs(0)) g.give(0, g.dout(0));
    // What was added nowhere has a gradient of 0.
    if (g.needs(2)) g.give(2, emit1(g.ctx(), kGather, {g.dout(0), g.in(1)}, mpt_attrs_index{dim_of(g.attrs()), 1, -1}));
}

constexpr Op kScatterAdd{.name = "scatter_add",
                         .kernel = "scatter_add",
                         .precision = Precision::Promote,
                         .infer = infer_scatter_add,
                         .gradient = scatter_add_gradient,
                         .saves_in = 2};

// Onto zeros that this file has made: nothing for a policy to change.
constexpr Op kScatter{.name = "scatter", .kernel = "scatter_add", .cast = 0};

void infer_index_select(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &index = *call.in[1];
    refuse_fp8(x, "x");
    need_index(index, "index");
    if (index.shape.n != 1) fail(MPT_ERROR_SHAPE, "argument 'index' has shape ", index.shape, ": it must have one dimension");
    Dims shape = x.shape;
    shape[dim_of(call.attrs)] = index.shape[0];
    checked_bytes(shape, x.dtype);
    out.push_back({x.dtype, shape, dense_like(shape, x.strides)});
}

// The sums that an index [K] collects from K slices, as wide as the output.
struct IndexAddAttrs {
    mpt_attrs_index kernel;
    std::int64_t extent;
};
void infer_index_add(const Call &call, std::vector<Spec> &out) {
    const auto &attrs = call.attrs.as<IndexAddAttrs>();
    Dims shape = call.in[1]->shape;
    shape[attrs.kernel.dim] = attrs.extent;
    out.push_back({call.result, shape, contiguous(shape)});
}
void arrange_index_add(const Call &, KernelCall &kernel) {
    kernel.attrs_bytes = sizeof(mpt_attrs_index);
}
constexpr Op kIndexAdd{.name = "index_add", .kernel = "index_add", .infer = infer_index_add, .arrange = arrange_index_add};

// dy's slices added up by index; skip: an index without a gradient. A leaf's gradient takes the sums as they are.
void collect(GradRule &g, std::int64_t skip) {
    const int dim = dim_of(g.attrs());
    const mpt_dtype dtype = g.dout(0)->dtype;
    Tensor *target = g.target(0);
    if (target && target->dtype != dtype && target->dtype != wide(dtype)) target = nullptr;
    const IndexAddAttrs attrs{{dim, 0, skip}, g.in_form(0).shape[dim]};
    g.give(0, emit1(g.ctx(), kIndexAdd, {g.in(1), g.dout(0)}, attrs, target, target ? target->dtype : wide(dtype)));
}

void index_select_gradient(GradRule &g) {
    collect(g, -1);
}

void embedding_gradient(GradRule &g) {
    RoleScope role(g.ctx(), MPT_ROLE_WEIGHT_GRADIENT);
    collect(g, g.attrs().as<mpt_attrs_index>().skip);
}

constexpr Op kIndexSelect{.name = "index_select",
                          .kernel = "index_select",
                          .infer = infer_index_select,
                          .gradient = index_select_gradient,
                          .saves_in = 2};
constexpr Op kEmbedding{
    .name = "embedding", .kernel = "index_select", .infer = infer_index_select, .gradient = embedding_gradient, .saves_in = 2};
const RegisteredOps registered_0(kGather), registered_1(kScatterAdd), registered_2(kIndexSelect), registered_3(kIndexAdd),
    registered_4(kEmbedding), registered_5(kScatter);

}  // namespace

Ref<Tensor> ops::gather(const Ref<Tensor> &x, int dim, const Ref<Tensor> &index) {
    return emit1(*x->ctx, kGather, {x, index}, mpt_attrs_index{dim, 0, -1});
}

Ref<Tensor> ops::scatter_add(const Ref<Tensor> &x, int dim, const Ref<Tensor> &index, const Ref<Tensor> &src) {
    return emit1(*x->ctx, kScatterAdd, {x, index, src}, mpt_attrs_index{dim, 0, -1});
}

Ref<Tensor> ops::scatter(const Ref<Tensor> &src, int dim, const Ref<Tensor> &index, const Dims &shape) {
    const Ref<Tensor> sums = full(*src->ctx, src->dtype, shape, 0);
    return emit1(*src->ctx, kScatter, {sums, index, src}, mpt_attrs_index{dim, 0, -1}, sums.get());
}

Ref<Tensor> ops::index_select(const Ref<Tensor> &x, int dim, const Ref<Tensor> &index) {
    return emit1(*x->ctx, kIndexSelect, {x, index}, mpt_attrs_index{dim, 0, -1});
}

Ref<Tensor> ops::embedding(const Ref<Tensor> &index, const Ref<Tensor> &weight, std::int64_t padding_index) {
    need_index(*index, "index");
    need_floating(*weight, "weight");
    if (weight->shape.n != 2) fail(MPT_ERROR_SHAPE, "argument 'weight' has shape ", weight->shape, ": it is [count, dim]");
    if (index->shape.n == MPT_MAX_DIMS)
        fail(MPT_ERROR_SHAPE, "argument 'index' has shape ", index->shape, ": the result would have more than ",
             static_cast<int>(MPT_MAX_DIMS), " dimensions");
    const Ref<Tensor> rows =
        emit1(*weight->ctx, kEmbedding, {weight, reshape(index, Dims{index->numel()})}, mpt_attrs_index{0, 0, padding_index});
    Dims shape = index->shape;
    shape.push(weight->shape[1]);
    return reshape(rows, shape);
}

}  // namespace mpt
