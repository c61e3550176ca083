#include "update_tensor.h"

#include <string>

#include "operand.h"

namespace mpt::cpu {

namespace {

void check_parameter(const std::string &kernel, std::int32_t dtype, std::int32_t rounding) {
    const bool master = dtype == MPT_F32 || dtype == MPT_F64;
    const bool low = dtype == MPT_BF16 || (dtype == MPT_F16 && rounding != MPT_ROUNDING_STOCHASTIC);
    if (!(rounding == MPT_ROUNDING_MASTER ? master : low)) unsupported_dtype((kernel + "'s parameter").c_str(), dtype);
}

}  // namespace

UpdateTensor update_tensor(const mpt_mod_call &call, const mpt_attrs_update &attrs, int i, int first_gradient, int first_parameter,
                           int states) {
    const std::string kernel = call.kernel;
    UpdateTensor tensor;
    const mpt_mod_operand &gradient = call.in[first_gradient + i], &parameter = call.out[first_parameter + i];
    if (gradient.dtype == MPT_DTYPE_NONE) return tensor;
    const auto list = [&](int number) -> const mpt_mod_operand & { return call.out[first_parameter + number * attrs.n + i]; };
    const auto check = [&](const mpt_mod_operand &x, const char *what) {
        if (same_layout(x, parameter) && is_dense(x)) return;
        throw Failure{MPT_ERROR_UNSUPPORTED, kernel + ": the " + what + " of parameter " + std::to_string(i) +
                                                 " is not dense in its parameter's layout: make it contiguous in that layout"};
    };
    check(parameter, "memory");
    check(gradient, "gradient");
    check_parameter(kernel, parameter.dtype, attrs.rounding);
    tensor.wide = parameter.dtype == MPT_F64;
    tensor.rounded = attrs.rounding != MPT_ROUNDING_MASTER;
    const std::int32_t arithmetic = tensor.wide ? MPT_F64 : MPT_F32;
    tensor.direct = gradient.dtype == arithmetic;
    tensor.gradient_bytes = static_cast<std::int64_t>(bytes_of(gradient.dtype));
    tensor.parameter_bytes = static_cast<std::int64_t>(bytes_of(parameter.dtype));
    tensor.load_narrow = loader<float>(gradient.dtype);
    tensor.load_wide = loader<double>(gradient.dtype);
    if (!(tensor.wide ? tensor.load_wide != nullptr : tensor.load_narrow != nullptr))
        unsupported_dtype((kernel + "'s gradient").c_str(), gradient.dtype);
    int next = 1;
    for (; next <= states; next++) {
        check(list(next), "state");
        if (list(next).dtype != arithmetic) unsupported_dtype((kernel + "'s state").c_str(), list(next).dtype);
    }
    if (tensor.rounded) {
        tensor.load_parameter = loader<float>(parameter.dtype);
        tensor.store_parameter = storer<float>(parameter.dtype);
    }
    if (attrs.rounding == MPT_ROUNDING_KAHAN) {
        const mpt_mod_operand &rest = list(next++);
        check(rest, "compensation");
        if (rest.dtype != parameter.dtype) unsupported_dtype((kernel + "'s compensation").c_str(), rest.dtype);
    }
    for (int c = 0; c < attrs.copies; c++) {
        const mpt_mod_operand &copy = list(next + c);
        tensor.copies.emplace_back();
        if (copy.dtype == MPT_DTYPE_NONE) continue;
        check(copy, "copy");
        if (!is_float(copy.dtype)) unsupported_dtype((kernel + "'s copy").c_str(), copy.dtype);
        tensor.copies.back() = {static_cast<std::int64_t>(bytes_of(copy.dtype)), storer<float>(copy.dtype),
                                storer<double>(copy.dtype)};
    }
    return tensor;
}

}  // namespace mpt::cpu
