#include "ops/custom.h"

#include <cstdio>

#include "core/error.h"
#include "ops/ops.h"
#include "ops/registry.h"

namespace mpt {

namespace {

struct CustomAttrs {
    CustomOp *op;  // kept by Call::keep
    std::int64_t outputs;
    std::int64_t backward;
    std::int64_t inputs;  // of the forward
};

mpt_buffer buffer_of(const mpt_mod_operand &form) {
    mpt_buffer b = {};
    b.dtype = static_cast<mpt_dtype>(form.dtype);
    b.ndim = form.ndim;
    for (int i = 0; i < form.ndim; ++i) b.shape[i] = form.shape[i], b.strides[i] = form.strides[i];
    return b;
}

// What came in, for messages: "f32, bf16". Needs no memory.
struct Dtypes {
    explicit Dtypes(const std::vector<mpt_buffer> &in) {
        std::size_t used = 0;
        for (const mpt_buffer &b : in)
            if (used < sizeof text - 1)
                used += static_cast<std::size_t>(std::snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                                                               b.dtype == MPT_DTYPE_NONE ? "none" : dtype_name(b.dtype)));
    }
    char text[96] = {};
};

// ---- the callbacks as a kernel ----

struct HostKernel {
    Ref<CustomOp> op;
    mpt_custom_fn function;
    const char *what;
    std::vector<mpt_buffer> in, out;
};
HostKernel &of(mpt_mod_kernel *kernel) { return *reinterpret_cast<HostKernel *>(kernel); }

mpt_status launch(mpt_mod_kernel *kernel, const void *const *in, void *const *out, void *, void *, mpt_mod_error *error) {
    HostKernel &k = of(kernel);
    for (std::size_t i = 0; i < k.in.size(); ++i) k.in[i].data = const_cast<void *>(in[i]);
    for (std::size_t i = 0; i < k.out.size(); ++i) k.out[i].data = out[i];
    const mpt_status status = k.function(k.in.data(), static_cast<std::int32_t>(k.in.size()), k.out.data(), static_cast<std::int32_t>(k.out.size()),
                                         k.op->desc.user_data);
    if (status != MPT_OK)
        std::snprintf(error->message, sizeof error->message, "custom op '%s': its %s callback returned %s for inputs of %s", k.op->name.c_str(), k.what,
                      mpt_status_name(status), Dtypes(k.in).text);
    return status;
}
void destroy(mpt_mod_kernel *kernel) { delete &of(kernel); }
const char *name(const mpt_mod_kernel *kernel) { return of(const_cast<mpt_mod_kernel *>(kernel)).op->name.c_str(); }
constexpr mpt_mod_kernels kHostKernels = {nullptr, launch, destroy, name};

Ref<Kernel> prepare(const Call &call, const KernelCall &form) {
    const auto &a = call.attrs.as<CustomAttrs>();
    auto kernel = std::make_unique<HostKernel>();
    kernel->op = Ref<CustomOp>(a.op);
    kernel->function = a.backward ? a.op->desc.backward : a.op->desc.forward;
    kernel->what = a.backward ? "backward" : "forward";
    for (const mpt_mod_operand &x : form.in) kernel->in.push_back(buffer_of(x));
    for (const mpt_mod_operand &y : form.out) kernel->out.push_back(buffer_of(y));
    Ref<Kernel> made = make<Kernel>(kHostKernels, reinterpret_cast<mpt_mod_kernel *>(kernel.get()), 0u);
    kernel.release();
    return made;
}

// ---- forms ----

void infer_forward(const Call &call, std::vector<Spec> &out) {
    const auto &a = call.attrs.as<CustomAttrs>();
    std::vector<mpt_buffer> in, wanted(static_cast<std::size_t>(a.outputs));
    for (const Ref<Tensor> &x : call.in) in.push_back(buffer_of(form_of(x.get())));
    const mpt_status status =
        a.op->desc.shape(in.data(), static_cast<std::int32_t>(in.size()), wanted.data(), static_cast<std::int32_t>(a.outputs), a.op->desc.user_data);
    if (status != MPT_OK)
        fail(status, "custom op '", a.op->name, "': its shape callback returned ", mpt_status_name(status), " for inputs of ", Dtypes(in).text);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const mpt_buffer &b = wanted[i];
        if (!is_known(b.dtype) || b.ndim < 0 || b.ndim > MPT_MAX_DIMS)
            fail(MPT_ERROR_ARGUMENT, "custom op '", a.op->name, "': its shape callback gave output ", i, " dtype ", static_cast<int>(b.dtype), " and ndim ", b.ndim,
                 ": set a dtype, and an ndim from 0 to ", static_cast<int>(MPT_MAX_DIMS));
        Dims shape;
        for (int k = 0; k < b.ndim; ++k) shape.push(b.shape[k]);
        checked_bytes(shape, b.dtype, "the custom op's output");
        out.push_back({b.dtype, shape, contiguous(shape)});
    }
}

// The gradients' forms are those of the inputs, which come first.
void infer_backward(const Call &call, std::vector<Spec> &out) {
    const auto &a = call.attrs.as<CustomAttrs>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(a.inputs); ++i) {
        const Tensor &x = *call.in[i];
        out.push_back(is_floating(x.dtype) ? Spec{x.dtype, x.shape, contiguous(x.shape)} : Spec{});
    }
}

constexpr Op kBackward{.name = "custom_grad", .kernel = "custom", .cast = 0, .infer = infer_backward, .prepare = prepare};

void gradient(GradRule &g) {
    CustomAttrs a = g.attrs().as<CustomAttrs>();
    a.backward = 1;
    Call call{&kBackward, {}, {}, a};
    call.keep = g.keep();
    for (int i = 0; i < g.inputs(); ++i) call.in.push_back(g.in(i));
    for (int i = 0; i < a.outputs; ++i) call.in.push_back(g.out(i));
    for (int i = 0; i < a.outputs; ++i) {
        const Tensor &y = *g.out(i);
        call.in.push_back(g.dout(i) || !is_floating(y.dtype) ? g.dout(i) : ops::full(g.ctx(), y.dtype, y.shape, 0));
    }
    emit(g.ctx(), call);
    for (int i = 0; i < g.inputs(); ++i)
        if (g.needs(i)) g.give(i, call.out[static_cast<std::size_t>(i)]);
}

constexpr Op custom_op(void (*rule)(GradRule &)) {
    Op op{};
    op.name = "custom";
    op.kernel = "custom";
    op.infer = infer_forward;
    op.prepare = prepare;
    op.gradient = rule;
    op.saves_in = op.saves_out = rule ? ~0u : 0;
    op.differentiable = ~0u;
    return op;
}
constexpr Op kCustom = custom_op(gradient), kConstant = custom_op(nullptr);
const RegisteredOps registered_0(kCustom), registered_1(kBackward);

}  // namespace

std::vector<Ref<Tensor>> ops::custom(Context &ctx, const Ref<CustomOp> &op, const std::vector<Ref<Tensor>> &inputs, int outputs) {
    if (ctx.recording && ctx.device->has_streams())
        fail(MPT_ERROR_UNSUPPORTED, "custom op '", op->name, "': a program on a GPU cannot call the host: run it outside of the capture");
    Call call{op->desc.backward ? &kCustom : &kConstant, inputs, {}, CustomAttrs{op.get(), outputs, 0, static_cast<std::int64_t>(inputs.size())}};
    call.keep = op;
    emit(ctx, call);
    return call.out;
}

}  // namespace mpt
