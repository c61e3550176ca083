// A layer whose rule is the host's, written in ops and children.
#include "core/error.h"
#include "nn/layers.h"

namespace mpt {

namespace {

class Custom final : public mpt_layer {
public:
    Custom(Context &context, const mpt_custom_layer_desc &desc) : mpt_layer(context), desc_(desc) {}
    ~Custom() override {
        if (desc_.release) desc_.release(desc_.user_data);
    }
    void add(const std::string &name, const Ref<mpt_layer> &child) override { adopt(name, child); }
    void add_parameter(const std::string &name, const Ref<Tensor> &parameter) override {
        check_name(name, "parameter");
        own(name, parameter);
    }
    void add_buffer(const std::string &name, const Ref<Tensor> &buffer) override {
        check_name(name, "buffer");
        own_buffer(name, buffer);
    }

private:
    static void check_name(const std::string &name, const char *what) {
        if (name.empty() || name.find_first_of("./") != std::string::npos)
            fail(MPT_ERROR_ARGUMENT, "argument 'name' is '", name, "': a ", what, "'s name is not empty and has no '.' or '/'");
    }

    Tensors forward(const Tensors &inputs, std::size_t wanted) override {
        std::vector<Tensor *> in(inputs.size()), out(wanted);
        Tensors outputs;
        outputs.reserve(wanted);  // before the callback: what it gives must not be lost for want of memory
        for (std::size_t i = 0; i < in.size(); ++i) in[i] = inputs[i].get();
        // Only what fails inside is the callback's reason; its room is kept for messages without memory.
        const std::string before = ctx->last_error;
        ctx->last_error.clear();
        const mpt_status status =
            desc_.forward(this, in.data(), static_cast<std::int32_t>(in.size()), out.data(), static_cast<std::int32_t>(wanted), desc_.user_data);
        for (Tensor *tensor : out) outputs.push_back(Ref<Tensor>::take(tensor));
        if (status != MPT_OK) fail(status, "the custom layer's callback failed: ", ctx->last_error.empty() ? "it gave no reason" : ctx->last_error);
        if (ctx->last_error.empty()) ctx->last_error = before;
        for (std::size_t i = 0; i < wanted; ++i) {
            if (!outputs[i]) fail(MPT_ERROR_ARGUMENT, "the custom layer's callback left output ", i, " NULL: set every output");
            if (outputs[i]->ctx != ctx) fail(MPT_ERROR_CONTEXT, "the custom layer's callback gave output ", i, " of another context");
        }
        return outputs;
    }

    const mpt_custom_layer_desc desc_;
};

}  // namespace

Ref<mpt_layer> new_custom(Context &ctx, const mpt_custom_layer_desc &desc) { return make<Custom>(ctx, desc); }

}  // namespace mpt
