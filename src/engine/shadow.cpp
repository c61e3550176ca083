#include "engine/shadow.h"

#include "ops/ops.h"
#include "ops/together.h"
#include "program/recording.h"

namespace mpt::shadow {

namespace {

// A storage seen as one row: copies are made element by element over all of it.
Ref<Tensor> row(Context &ctx, const Ref<Storage> &storage, mpt_dtype dtype) {
    const Dims shape{static_cast<std::int64_t>(storage->nbytes() / dtype_size(dtype))};
    return make<Tensor>(ctx, storage, dtype, shape, Dims{1}, 0);
}

Ref<Tensor> view(const Tensor &parameter, const Shadow &shadow) {
    return make<Tensor>(*parameter.ctx, shadow.storage, shadow.dtype, parameter.shape, parameter.strides, parameter.offset);
}

}  // namespace

bool covers_storage(const Tensor &t) { return is_dense(t.shape, t.strides) && t.nbytes() == t.storage->nbytes(); }

void refresh(Context &ctx, const Ref<Storage> &original, mpt_dtype original_dtype, mpt_dtype dtype) {
    if (original->find_shadow(dtype)->of_version == original->version) return;
    if (ctx.recording) ctx.recording->touch(original);
    const AtOnce guard(ctx);  // fresh is what has been written
    ops::copy_into(row(ctx, original->find_shadow(dtype)->storage, dtype), row(ctx, original, original_dtype));
    original->find_shadow(dtype)->of_version = original->version;
}

Ref<Tensor> get(const Ref<Tensor> &parameter, mpt_dtype dtype) {
    Context &ctx = *parameter->ctx;
    const Ref<Storage> &original = parameter->storage;
    if (!original->find_shadow(dtype)) {
        const std::size_t nbytes = original->nbytes() / dtype_size(parameter->dtype) * dtype_size(dtype);
        original->shadows.push_back({dtype, make<Storage>(ctx, nbytes), 0});
    }
    // A capture relies on a copy that is fresh when a run starts, unless its own steps have changed the original.
    if (ctx.recording && !ctx.recording->written(*original))
        ctx.recording->reads.push_back({original, parameter->dtype, dtype});
    else
        refresh(ctx, original, parameter->dtype, dtype);
    return view(*parameter, *original->find_shadow(dtype));
}

std::vector<Ref<Tensor>> copies(const Tensor &parameter) {
    std::vector<Ref<Tensor>> list;
    if (covers_storage(parameter))
        for (const Shadow &shadow : parameter.storage->shadows)
            if (is_low(shadow.dtype)) list.push_back(view(parameter, shadow));
    return list;
}

void refreshed(const Tensor &parameter, bool master) {
    if (covers_storage(parameter))
        for (Shadow &shadow : parameter.storage->shadows)
            if (is_low(shadow.dtype) != master) shadow.of_version = parameter.storage->version;
}

}  // namespace mpt::shadow
