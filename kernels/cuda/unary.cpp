// "unary" of device/attrs/elementwise.h.
#include "unary.h"

namespace mpt::cuda {
namespace {

PrepareUnary function_of(const mpt_attrs_unary &attrs) {
    if (attrs.kind == MPT_UNARY_POW) return power_function(attrs.scale);
    for (const auto find : {arithmetic_function, exponential_function, trigonometric_function, activation_function})
        if (const PrepareUnary found = find(attrs.kind)) return found;
    throw Failure{MPT_ERROR_UNSUPPORTED, "unary: kind " + std::to_string(attrs.kind) + " is unknown"};
}

std::unique_ptr<Kernel> prepare(Device &device, const mpt_mod_call &call) {
    const auto &attrs = attrs_of<mpt_attrs_unary>(call);
    return function_of(attrs)(device, call, attrs);
}
const RegisteredKernel registered("unary", prepare);

}  // namespace
}  // namespace mpt::cuda
