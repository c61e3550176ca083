#include "engine/sink.h"

#include <utility>

#include "core/error.h"
#include "ops/together.h"
#include "program/recording.h"

namespace mpt {

namespace {

bool nothing_to_do(const Call &call) {
    for (const Ref<Tensor> &out : call.out)
        if (out && out->numel() != 0) return false;
    return true;
}

KernelCall kernel_call(const Call &call) {
    KernelCall kernel{call.op->kernel, {}, {}, call.attrs.data(), call.attrs.size()};
    kernel.in.reserve(call.in.size() + 1);
    kernel.out.reserve(call.out.size());
    for (const Ref<Tensor> &in : call.in) kernel.in.push_back(form_of(in.get()));
    for (const Ref<Tensor> &out : call.out) kernel.out.push_back(form_of(out.get()));
    if (call.op->arrange) call.op->arrange(call, kernel);
    return kernel;
}

}  // namespace

void Sink::shape_outputs(Call &call, Recording *recording) {
    if (!call.op->infer) return;  // all outputs are given
    std::vector<Spec> specs;
    call.op->infer(call, specs);
    call.out.resize(specs.size());
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const Spec &spec = specs[i];
        Ref<Tensor> &out = call.out[i];
        if (spec.dtype == MPT_DTYPE_NONE) continue;
        if (out) {
            if (!(out->shape == spec.shape) || out->dtype != spec.dtype)
                fail(MPT_ERROR_INTERNAL, call.op->name, ": the given output is ", dtype_name(out->dtype), out->shape, " instead of ", dtype_name(spec.dtype), spec.shape);
        } else if (!call.op->kernel) {
            out = view_of(*call.in[0], spec.shape, spec.strides, spec.offset);
        } else if (recording) {
            Ref<Storage> storage = make<Storage>(ctx_, bytes_from_first(spec.dtype, spec.shape, spec.strides), Storage::Recorded{});
            recording->born.push_back(storage);
            out = make<Tensor>(ctx_, storage, spec.dtype, spec.shape, spec.strides, 0);
        } else {
            out = new_tensor(ctx_, spec.dtype, spec.shape, spec.strides);
        }
    }
}

void Sink::emit(Call &call) {
    Recording *recording = at_once_ ? nullptr : ctx_.recording.get();
    std::vector<bool> given;
    for (const Ref<Tensor> &out : call.out) given.push_back(static_cast<bool>(out));
    shape_outputs(call, recording);
    if (!call.op->kernel || nothing_to_do(call)) return;

    KernelCall form = kernel_call(call);
    const Ref<Kernel> kernel = call.op->prepare ? call.op->prepare(call, form) : ctx_.device->prepare(form);
    if (!recording && ctx_.together) return ctx_.together->add(call, kernel, given);
    if (recording)
        record(call, std::move(form), kernel, *recording);
    else
        run(call, kernel);
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!given[i]) continue;
        if (recording) recording->touch(call.out[i]->storage);
        ++call.out[i]->storage->version;
    }
}

void Sink::record(Call &call, KernelCall &&form, const Ref<Kernel> &kernel, Recording &recording) {
    recording.steps.push_back(
        {call.op, kernel, call.in, call.out, call.op->updates, ctx_.scope.role, ctx_.scope.layer, call.attrs, std::move(form.in), std::move(form.out)});
}

void Sink::run(const Call &call, const Ref<Kernel> &kernel) {
    const Launch launch(call, kernel);
    Workspace workspace(ctx_.memory);
    workspace.reserve(kernel->workspace_bytes());
    launch.run(workspace.data(), ctx_.stream());
}

}  // namespace mpt
