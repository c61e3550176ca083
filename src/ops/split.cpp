// Parts of a tensor as views of one op: the gradient is put together once, not part by part.
#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"
#include "ops/shape.h"

namespace mpt {

namespace {

struct Lengths final : Object {
    explicit Lengths(const std::vector<std::int64_t> &v) : values(v) {}
    const std::vector<std::int64_t> values;
};
struct SplitAttrs {
    const Lengths *lengths;  // kept by Call::keep
    std::int64_t dim;
};

void infer_split(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    const auto &a = call.attrs.as<SplitAttrs>();
    const int dim = static_cast<int>(a.dim);
    std::int64_t start = 0;
    for (const std::int64_t length : a.lengths->values) {
        Spec spec{x.dtype, x.shape, x.strides, x.offset + start * x.strides[dim]};
        spec.shape[dim] = length;
        out.push_back(spec);
        start += length;
    }
}

void split_gradient(GradRule &g) {
    const auto &a = g.attrs().as<SplitAttrs>();
    const Spec &x = g.in_form(0);
    std::vector<Ref<Tensor>> parts;
    for (std::size_t i = 0; i < a.lengths->values.size(); ++i) {
        Ref<Tensor> part = g.dout(static_cast<int>(i));
        if (!part) {  // nobody used it
            Dims shape = x.shape;
            shape[static_cast<int>(a.dim)] = a.lengths->values[i];
            part = ops::full(g.ctx(), x.dtype, shape, 0);
        }
        parts.push_back(part);
    }
    g.give(0, ops::concat(parts, static_cast<int>(a.dim)));
}

constexpr Op kSplit{.name = "split", .infer = infer_split, .gradient = split_gradient, .differentiable = ~0u};
const RegisteredOps registered(kSplit);

}  // namespace

std::vector<Ref<Tensor>> ops::split(const Ref<Tensor> &x, int dim, const std::vector<std::int64_t> &lengths) {
    const Ref<Lengths> own = make<Lengths>(lengths);
    Call call{&kSplit, {x}, {}, SplitAttrs{own.get(), dim}};
    call.keep = own;
    emit(*x->ctx, call);
    return call.out;
}

}  // namespace mpt
