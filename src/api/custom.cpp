#include "ops/custom.h"

#include "api/guard.h"

using namespace mpt;

namespace {

constexpr std::int32_t kMost = 32;  // operands that an op can remember for its gradient

mpt_custom_op_desc default_desc() {
    mpt_custom_op_desc d = {};
    d.struct_size = sizeof d;
    return d;
}

}  // namespace

mpt_status MPT_CALL mpt_custom_op_desc_init(mpt_custom_op_desc *desc, size_t nbytes) {
    return api::catching("mpt_custom_op_desc_init", nullptr, [&] { api::init_desc(desc, nbytes, default_desc(), "desc"); });
}

mpt_status MPT_CALL mpt_custom_op(mpt_context *ctx, const char *name, const mpt_custom_op_desc *desc, mpt_tensor *const *inputs, int32_t n_inputs,
                                  mpt_tensor **outputs, int32_t n_outputs) {
    return api::call("mpt_custom_op", ctx, "ctx", [&](Context &c) {
        const mpt_custom_op_desc d = api::read_desc(&api::need(desc, "desc"), default_desc(), "desc");
        if (!d.shape) fail(MPT_ERROR_ARGUMENT, "argument 'desc': shape is NULL: give the callback that says what the outputs look like");
        if (!d.forward) fail(MPT_ERROR_ARGUMENT, "argument 'desc': forward is NULL: give the callback that computes");
        api::need_reserved(d.reserved);
        const std::string own = api::text_in(name, "name");
        if (n_inputs < 1 || n_inputs > kMost) fail(MPT_ERROR_ARGUMENT, "argument 'n_inputs' is ", n_inputs, ": a custom op takes 1 to ", kMost, " tensors");
        if (n_outputs < 1 || n_outputs > kMost) fail(MPT_ERROR_ARGUMENT, "argument 'n_outputs' is ", n_outputs, ": a custom op gives 1 to ", kMost, " tensors");
        const std::vector<Ref<Tensor>> x = api::tensors(c, inputs, n_inputs, "inputs", "n_inputs");
        api::need(outputs, "outputs");
        const Ref<CustomOp> op = make<CustomOp>(d, own);
        try {
            const std::vector<Ref<Tensor>> y = ops::custom(c, op, x, n_outputs);
            for (std::size_t i = 0; i < y.size(); ++i) outputs[i] = Ref<Tensor>(y[i]).detach();
        } catch (...) {
            op->desc.release = nullptr;  // user_data was not taken
            throw;
        }
    });
}
