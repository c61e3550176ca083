// Rows of the table: AdamW over all 148 parameters of GPT-2 small, 124 439 808 numbers.
#include <stdexcept>

#include "gpu_table.h"

namespace {

enum class Extra { None, Checked, Copies };

template <class T, void (*release)(T *)>
T *keep(Ready &ready, T *handle) {
    ready.others.emplace_back(handle, release);
    return handle;
}

struct Parameter {
    Shape shape;
    bool of_product;  // a product reads it, in low precision
};

std::vector<Parameter> gpt2() {
    std::vector<Parameter> all = {{{50257, 768}, true}, {{1024, 768}, false}};
    const auto norm = [&] {
        all.push_back({{768}, false});
        all.push_back({{768}, false});
    };
    const auto linear = [&](int64_t in, int64_t out) {
        all.push_back({{out, in}, true});
        all.push_back({{out}, false});
    };
    for (int block = 0; block < 12; ++block) {
        norm();
        linear(768, 2304);
        linear(768, 768);
        norm();
        linear(768, 3072);
        linear(3072, 768);
    }
    norm();
    return all;
}

// A product under a policy leaves a low-precision copy of its weight, which updates write along from then on.
void make_copy(const Stage &stage, mpt_policy *policy, mpt_tensor *weight, int64_t in) {
    const Tensor x = stage.floats(MPT_BF16, {1, in});
    OK(mpt_autocast_begin(stage.ctx, policy));
    mpt_tensor *y = nullptr;
    const mpt_status status = mpt_linear(x.get(), weight, nullptr, &y);
    const Tensor result(y);
    const std::string message = status == MPT_OK ? "" : mpt_last_error();
    OK(mpt_autocast_end(stage.ctx));
    if (status != MPT_OK) throw std::runtime_error("mpt_linear: " + message);
}

Ready adamw(const Stage &stage, Extra extra) {
    Ready ready;
    mpt_optimizer *optimizer;
    OK(mpt_optimizer_adamw(stage.ctx, nullptr, &optimizer));
    keep<mpt_optimizer, mpt_optimizer_release>(ready, optimizer);
    mpt_policy *policy = nullptr;
    if (extra == Extra::Copies) {
        OK(mpt_policy_create(stage.ctx, MPT_BF16, &policy));
        keep<mpt_policy, mpt_policy_release>(ready, policy);
    }
    std::vector<mpt_tensor *> parameters;
    for (const Parameter &p : gpt2()) {
        const Shape shape = stage.small(p.shape);
        ready.kept.push_back(stage.floats(MPT_F32, shape));
        mpt_tensor *tensor = ready.kept.back().get(), *grad;
        parameters.push_back(tensor);
        OK(mpt_tensor_set_requires_grad(tensor, 1));
        OK(mpt_tensor_grad(tensor, &grad));
        ready.kept.emplace_back(grad);
        OK(mpt_tensor_random_normal(grad, 0, 1e-3));
        // p, m and v read and written, g read.
        ready.bytes += (extra == Extra::Checked ? 8 : 7) * bytes_of(tensor);
        if (policy && p.of_product) {
            make_copy(stage, policy, tensor, shape[1]);
            ready.bytes += bytes_of(tensor) / 2;
        }
    }
    OK(mpt_optimizer_add_group(optimizer, "all", parameters.data(), static_cast<int32_t>(parameters.size()), nullptr));
    mpt_scaler *scaler = nullptr;
    if (extra == Extra::Checked) {
        mpt_scaler_desc desc;
        OK(mpt_scaler_desc_init(&desc, sizeof desc));
        desc.kind = MPT_SCALER_STATIC;
        desc.initial_scale = 1;
        OK(mpt_scaler_create(stage.ctx, &desc, &scaler));
        keep<mpt_scaler, mpt_scaler_release>(ready, scaler);
        OK(mpt_optimizer_set_clip_norm(optimizer, 1));
    }
    record(
        stage,
        [&] {
            OK(mpt_optimizer_step(optimizer, scaler));
            if (scaler) OK(mpt_scaler_update(scaler));
            return Tensors();
        },
        ready);
    return ready;
}

}  // namespace

Rows optimizer_rows() {
    return {{"AdamW, GPT-2 small", "f32", "p, m, v, g; p, m, v", [](const Stage &stage) { return adamw(stage, Extra::None); }},
            {"AdamW, GPT-2 small, clipped and checked", "f32", "g; p, m, v, g; p, m, v",
             [](const Stage &stage) { return adamw(stage, Extra::Checked); }},
            {"AdamW, GPT-2 small, bf16 copies", "f32, bf16", "p, m, v, g; p, m, v, copies of what products read",
             [](const Stage &stage) { return adamw(stage, Extra::Copies); }}};
}
