// Making layers: what their entry points share.
#pragma once

#include "api/convert.h"
#include "api/guard.h"
#include "nn/layers.h"
#include "ops/together.h"

namespace mpt::api {

template <class F>
mpt_status create_layer(const char *function, mpt_context *ctx, mpt_layer **out, F &&build) {
    return call(function, ctx, "ctx", [&](Context &c) {
        need(out, "out");
        need_outside_capture(c, "make layers before mpt_capture_begin");
        Together together(c);  // a layer that fails half-way has drawn no random numbers
        auto layer = build(c);
        together.run();
        *out = layer.detach();
    });
}

// A layer with a descriptor: read over the defaults, checked and built by build(Context &, const Desc &).
template <class Desc, class F>
mpt_status create_layer(const char *function, mpt_context *ctx, const Desc *desc, const Desc &defaults, mpt_layer **out, F &&build) {
    return create_layer(function, ctx, out, [&](Context &c) { return build(c, read_desc(&need(desc, "desc"), defaults, "desc")); });
}

inline void check_parameter_dtype(mpt_dtype dtype) {
    if (!is_floating(dtype)) fail(MPT_ERROR_DTYPE, "argument 'desc': dtype is ", text_of(dtype), ": parameters have a floating type");
}
inline void check_init(mpt_init init) {
    if (init < MPT_INIT_DEFAULT || init > MPT_INIT_ONES) fail(MPT_ERROR_ARGUMENT, "argument 'desc': init is ", static_cast<int>(init), ", which is none of mpt_init");
}
inline void check_probability(double p, const char *subject) {
    if (!(p >= 0 && p < 1)) fail(MPT_ERROR_ARGUMENT, subject, " is ", p, ": it must be from [0, 1)");
}

}  // namespace mpt::api
