// Layers made of layers, and the host's own.
#include "api/layers.h"

using namespace mpt;

namespace {

mpt_custom_layer_desc default_custom() {
    mpt_custom_layer_desc d = {};
    d.struct_size = sizeof d;
    return d;
}

}  // namespace

mpt_status MPT_CALL mpt_layer_sequential(mpt_context *ctx, mpt_layer **out) {
    return api::create_layer("mpt_layer_sequential", ctx, out, [](Context &c) { return new_sequential(c); });
}

mpt_status MPT_CALL mpt_layer_residual(mpt_context *ctx, mpt_layer *body, mpt_layer *shortcut, mpt_layer **out) {
    return api::create_layer("mpt_layer_residual", ctx, out, [&](Context &c) {
        const Ref<mpt_layer> own(&api::same(c, body, "body"));
        return new_residual(c, own, shortcut ? Ref<mpt_layer>(&api::same(c, shortcut, "shortcut")) : nullptr);
    });
}

mpt_status MPT_CALL mpt_layer_parallel(mpt_context *ctx, mpt_join join, int32_t dim, mpt_layer **out) {
    return api::create_layer("mpt_layer_parallel", ctx, out, [&](Context &c) {
        if (join != MPT_JOIN_SUM && join != MPT_JOIN_CONCAT && join != MPT_JOIN_LIST)
            fail(MPT_ERROR_ARGUMENT, "argument 'join' is ", static_cast<int>(join), ", which is none of mpt_join");
        if (dim < -MPT_MAX_DIMS || dim >= MPT_MAX_DIMS)
            fail(MPT_ERROR_ARGUMENT, "argument 'dim' is ", dim, ": it must be from ", -MPT_MAX_DIMS, " to ", MPT_MAX_DIMS - 1);
        return new_parallel(c, join, dim);
    });
}

mpt_status MPT_CALL mpt_custom_layer_desc_init(mpt_custom_layer_desc *desc, size_t nbytes) {
    return api::catching("mpt_custom_layer_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_custom(), "desc"); });
}
mpt_status MPT_CALL mpt_layer_custom(mpt_context *ctx, const mpt_custom_layer_desc *desc, mpt_layer **out) {
    return api::create_layer("mpt_layer_custom", ctx, desc, default_custom(), out, [](Context &c, const mpt_custom_layer_desc &d) {
        if (!d.forward) fail(MPT_ERROR_ARGUMENT, "argument 'desc': forward is NULL: give the layer's rule");
        api::need_reserved(d.reserved);
        return new_custom(c, d);
    });
}

mpt_status MPT_CALL mpt_layer_add_parameter(mpt_layer *custom, const char *name, mpt_tensor *tensor) {
    return api::call("mpt_layer_add_parameter", custom, "custom", [&](Context &c) {
        api::need_outside_capture(c, "add parameters before mpt_capture_begin");
        const std::string own = api::text_in(name, "name");
        const Ref<Tensor> parameter = api::tensor(c, tensor, "tensor");
        if (!is_floating(parameter->dtype))
            fail(MPT_ERROR_DTYPE, "argument 'tensor' is ", dtype_name(parameter->dtype), ": parameters have a floating type");
        if (parameter->node || parameter->leaf) fail(MPT_ERROR_STATE, "argument 'tensor' is the result of an op: a parameter is a leaf, see mpt_tensor_detach");
        if (!is_dense(parameter->shape, parameter->strides))
            fail(MPT_ERROR_SHAPE, "argument 'tensor' has gaps in memory (strides ", parameter->strides, "): use a dense tensor");
        custom->add_parameter(own, parameter);
    });
}

mpt_status MPT_CALL mpt_layer_add_buffer(mpt_layer *custom, const char *name, mpt_tensor *tensor) {
    return api::call("mpt_layer_add_buffer", custom, "custom", [&](Context &c) {
        api::need_outside_capture(c, "add buffers before mpt_capture_begin");
        const std::string own = api::text_in(name, "name");
        const Ref<Tensor> buffer = api::tensor(c, tensor, "tensor");
        if (buffer->tracked())
            fail(MPT_ERROR_STATE, "argument 'tensor' takes part in gradients: a buffer does not, see mpt_tensor_detach and mpt_layer_add_parameter");
        custom->add_buffer(own, buffer);
    });
}

mpt_status MPT_CALL mpt_layer_add(mpt_layer *container, const char *name, mpt_layer *child) {
    return api::call("mpt_layer_add", container, "container", [&](Context &c) {
        container->add(name ? api::text_in(name, "name") : "", Ref<mpt_layer>(&api::same(c, child, "child")));
    });
}
