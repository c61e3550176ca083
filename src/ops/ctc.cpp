#include "device/attrs/ctc.h"

#include "core/error.h"
#include "ops/loss.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void need_indices(const Tensor &x, const char *name, const Dims &shape, const char *form) {
    if (x.dtype != MPT_I32 && x.dtype != MPT_I64)
        fail(MPT_ERROR_DTYPE, "argument '", name, "' is ", dtype_name(x.dtype), ": it is i32 or i64, cast it");
    if (!(x.shape == shape))
        fail(MPT_ERROR_SHAPE, "argument '", name, "' has shape ", x.shape, ": it must be ", form, ", here ", shape);
}

void infer_ctc(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0], &targets = *call.in[1];
    const auto &attrs = call.attrs.as<mpt_attrs_ctc>();
    ops::need_floating(x, "log_probabilities");
    if (x.shape.n != 3) fail(MPT_ERROR_SHAPE, "argument 'log_probabilities' has shape ", x.shape, ": it is [T, N, C], reshape it");
    const std::int64_t times = x.shape[0], items = x.shape[1], classes = x.shape[2];
    if (attrs.blank < 0 || attrs.blank >= classes)
        fail(MPT_ERROR_ARGUMENT, "argument 'blank' is ", attrs.blank, ": it is one of the ", classes,
             " classes of 'log_probabilities' ", x.shape);
    if (targets.shape.n != 2)
        fail(MPT_ERROR_SHAPE, "argument 'targets' has shape ", targets.shape, ": it is [N, S], padded to the longest");
    need_indices(targets, "targets", Dims{items, targets.shape[1]}, "[N, S]");
    need_indices(*call.in[2], "input_lengths", Dims{items}, "[N]");
    need_indices(*call.in[3], "target_lengths", Dims{items}, "[N]");
    const mpt_dtype dtype = wide(x.dtype);
    const Dims places{items, times, 2 * targets.shape[1] + 1};
    checked_bytes(places, dtype, "the shape [N, T, 2 S + 1] of what the gradient needs");
    out.push_back(ops::loss_form(dtype, Dims{items}, Dims{1}, attrs.reduction));
    out.push_back({dtype, Dims{items}, Dims{1}});
    out.push_back({dtype, places, contiguous(places)});
}

void infer_grad(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({x.dtype, x.shape, dense_like(x.shape, x.strides)});
}
constexpr Op kGrad{.name = "ctc_grad", .kernel = "ctc_grad", .infer = infer_grad};

void ctc_gradient(GradRule &g) {
    g.give(0, emit1(g.ctx(), kGrad, {g.in(0), g.in(1), g.in(2), g.in(3), g.out(1), g.out(2), g.dout(0)}, g.attrs()));
}

constexpr Op kCtc{.name = "ctc",
                  .kernel = "ctc",
                  .precision = Precision::F32Result,
                  .cast = 1,
                  .infer = infer_ctc,
                  .gradient = ctc_gradient,
                  .saves_in = 15,
                  .saves_out = 6};
const RegisteredOps registered_0(kCtc), registered_1(kGrad);

}  // namespace

Ref<Tensor> ops::ctc(const Ref<Tensor> &log_probabilities, const Ref<Tensor> &targets, const Ref<Tensor> &input_lengths,
                     const Ref<Tensor> &target_lengths, std::int64_t blank, mpt_reduction reduction, bool zero_infinity) {
    return emit1(*log_probabilities->ctx, kCtc, {log_probabilities, targets, input_lengths, target_lengths},
                 mpt_attrs_ctc{reduction, blank, zero_infinity});
}

}  // namespace mpt
