#include "ops/fp8.h"

#include "core/error.h"
#include "device/attrs/elementwise.h"
#include "device/attrs/fp8.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

void infer_quantize(const Call &call, std::vector<Spec> &out) {
    const Tensor &x = *call.in[0];
    out.push_back({call.result, x.shape, dense_like(x.shape, x.strides)});
    out.push_back({MPT_F32, {}, {}});
    out.push_back({call.in[2] ? MPT_F32 : MPT_DTYPE_NONE, {}, {}});
}

// in[2] stands for the amax that is updated: whether it is there decides the outputs' number. The kernel sees it as out[2] alone.
void arrange_quantize(const Call &, KernelCall &kernel) { kernel.in.resize(2); }

constexpr Op kQuantize{.name = "quantize", .kernel = "quantize", .infer = infer_quantize, .arrange = arrange_quantize, .updates = true, .passes_gradient = true};

void infer_rescale(const Call &call, std::vector<Spec> &out) {
    const Tensor &acc = *call.in[0];
    out.push_back({call.result, acc.shape, dense_like(acc.shape, acc.strides)});
}
void arrange_rescale(const Call &call, KernelCall &kernel) {
    if (const Tensor *bias = call.in[3].get()) {
        const Dims &shape = call.out[0]->shape;
        kernel.in[3] = form_of(bias->dtype, shape, broadcast_strides(bias->shape, bias->strides, shape));
    }
}
constexpr Op kRescale{.name = "rescale", .kernel = "rescale", .infer = infer_rescale, .arrange = arrange_rescale};
void infer_scaled(const Call &call, std::vector<Spec> &out) {
    const Dims shape{call.in[0]->shape[0], call.in[1]->shape[1]};
    out.push_back({call.result, shape, contiguous(shape)});
}
constexpr Op kScaledMatmul{.name = "scaled_matmul", .kernel = "matmul_f8", .infer = infer_scaled};

constexpr Op kUpdate{.name = "fp8_update", .kernel = "fp8_update", .updates = true};
const RegisteredOps registered_0(kQuantize), registered_1(kRescale), registered_2(kUpdate), registered_3(kScaledMatmul);

// Tensor cores fetch 16 bytes at a time. What owns its memory starts well; slices may not.
bool starts_well(const Tensor &t) { return t.offset * static_cast<std::int64_t>(dtype_size(t.dtype)) % 16 == 0; }

}  // namespace

double ops::fp8_limit(mpt_dtype dtype) { return dtype == MPT_F8E4M3 ? 448 : 57344; }

Ref<Tensor> ops::quantize(const Ref<Tensor> &x, mpt_dtype dtype, double limit, const Ref<Tensor> &scale, const Ref<Tensor> &amax) {
    Call call{&kQuantize, {x, scale, amax}, {nullptr, nullptr, amax}, mpt_attrs_quantize{limit}, dtype};
    emit(*x->ctx, call);
    call.out[0]->inverse_scale = call.out[1];
    return call.out[0];
}

Ref<Tensor> ops::dequantize(const Ref<Tensor> &x, mpt_dtype dtype) {
    if (!x->inverse_scale) return cast(x, dtype);
    return cast(binary(cast(x, MPT_F32), x->inverse_scale, MPT_BINARY_MUL), dtype);
}

Ref<Tensor> ops::rescale(const Ref<Tensor> &acc, const Ref<Tensor> &a, const Ref<Tensor> &b, const Ref<Tensor> &bias, mpt_dtype dtype, Tensor *into) {
    return emit1(*acc->ctx, kRescale, {acc, a, b, bias}, {}, into, dtype);
}

Ref<Tensor> ops::scaled_matmul(const Ref<Tensor> &a, const Ref<Tensor> &b, const Ref<Tensor> &bias, mpt_dtype dtype, Tensor *into) {
    const Dims shape{a->shape[0], b->shape[1]};
    if (into && (into->dtype != dtype || !(into->shape == shape))) return nullptr;
    // Both have been quantized: the host's own fp8 tensors are refused by the op.
    if (!is_f8(a->dtype) || !is_f8(b->dtype) || (bias && bias->dtype != dtype)) return nullptr;
    for (const Tensor *t : std::initializer_list<const Tensor *>{a.get(), b.get(), bias.get(), into})
        if (t && !starts_well(*t)) return nullptr;
    const KernelCall form{kScaledMatmul.kernel,
                          {form_of(a.get()), form_of(b.get()), form_of(bias.get()), form_of(a->inverse_scale.get()), form_of(b->inverse_scale.get())},
                          {into ? form_of(into) : form_of(dtype, shape, contiguous(shape))}};
    if (numel(shape) == 0 || !a->ctx->device->try_prepare(form)) return nullptr;
    return emit1(*a->ctx, kScaledMatmul, {a, b, bias, a->inverse_scale, b->inverse_scale}, {}, into, dtype);
}

void ops::fp8_update(const Fp8Slots &slots, const double (&limits)[3]) {
    Call call{&kUpdate, {}, {}, mpt_attrs_fp8_update{{limits[0], limits[1], limits[2]}, static_cast<std::int64_t>(slots.amax.size())}};
    for (const auto *list : {&slots.history, &slots.amax, &slots.scale, &slots.position}) call.out.insert(call.out.end(), list->begin(), list->end());
    emit(*slots.amax[0]->ctx, call);
}

}  // namespace mpt
