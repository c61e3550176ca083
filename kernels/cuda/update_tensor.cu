#include <string>

#include "update_tensor.h"

namespace mpt::cuda {

namespace {

constexpr int kDrawsPerBlock = 8;  // of 16 bits

void check_parameter(const std::string &kernel, std::int32_t dtype, std::int32_t rounding) {
    const bool low = dtype == MPT_BF16 || (dtype == MPT_F16 && rounding != MPT_ROUNDING_STOCHASTIC);
    if (!(rounding == MPT_ROUNDING_MASTER ? dtype == MPT_F32 : low)) unsupported_dtype((kernel + "'s parameter").c_str(), dtype);
}

}  // namespace

UpdateOperands update_operands(const mpt_mod_call &call, const mpt_attrs_update &attrs, int states) {
    const std::string kernel = call.kernel;
    const int n = attrs.n, rests = attrs.rounding == MPT_ROUNDING_KAHAN;
    const int lists = 1 + states + rests + attrs.copies;
    if (n < 0 || attrs.copies < 0 || call.n_in != kGradients + n || call.n_out != kParameters + n * lists)
        throw Failure{MPT_ERROR_INTERNAL, kernel + ": another number of operands than the attributes say"};
    UpdateOperands operands;
    operands.addresses = 1 + lists;
    if (operands.addresses > kMostAddresses) throw Failure{MPT_ERROR_UNSUPPORTED, kernel + ": too many copies of a parameter"};
    for (int i = 0; i < kGradients; ++i) operands.present[i] = present(call.in[i]);
    for (int i = 0; i < n; ++i) {
        const mpt_mod_operand &gradient = call.in[kGradients + i], &parameter = call.out[kParameters + i];
        if (!present(gradient)) continue;  // left as it is
        TensorList::Tensor tensor{i, numel(parameter), 0, static_cast<std::uint64_t>(operands.blocks)};
        const auto add = [&](int address, const mpt_mod_operand &x, const char *what) {
            if (!same_layout(x, parameter) || !is_dense(x))
                throw Failure{MPT_ERROR_UNSUPPORTED,
                              kernel + ": the " + what + " of parameter " + std::to_string(i) +
                                  " is not dense in its parameter's layout: make it contiguous in that layout"};
            tensor.forms |= static_cast<std::uint64_t>(x.dtype) << (4 * address);
        };
        add(1, parameter, "memory");
        add(0, gradient, "gradient");
        check_parameter(kernel, parameter.dtype, attrs.rounding);
        visit_float((kernel + "'s gradient").c_str(), gradient.dtype, [](auto) {});
        for (int list = 1; list < lists; ++list) {
            const mpt_mod_operand &x = call.out[kParameters + list * n + i];
            if (list <= states) {
                if (x.dtype != MPT_F32) unsupported_dtype((kernel + "'s state").c_str(), x.dtype);
                add(1 + list, x, "state");
            } else if (list <= states + rests) {
                if (x.dtype != parameter.dtype) unsupported_dtype((kernel + "'s compensation").c_str(), x.dtype);
                add(1 + list, x, "compensation");
            } else if (present(x)) {
                if (x.dtype != MPT_F64) visit_float((kernel + "'s copy").c_str(), x.dtype, [](auto) {});
                add(1 + list, x, "copy");
            }
        }
        if (attrs.rounding == MPT_ROUNDING_STOCHASTIC) operands.blocks += (tensor.count + kDrawsPerBlock - 1) / kDrawsPerBlock;
        operands.tensors.push_back(tensor);
    }
    return operands;
}

}  // namespace mpt::cuda
