// Rows of the table: products [m,k] x [n,k]^T beside cuBLASLt on the same memory, and the same in fp8, where the quantization is
// part of the step.
#include <cmath>
#include <stdexcept>

#include "gpu_table.h"

namespace {

struct Form {
    const char *name;
    int64_t m, k, n;
};

// A short product is recorded several times, so that the start of a graph does not count.
int repeats_of(double flops) {
    return static_cast<int>(std::fmin(std::fmax(std::ceil(3e11 / flops), 1), 16));
}

void *address(const Tensor &tensor) {
    void *data;
    OK(mpt_tensor_data(tensor.get(), &data));
    return data;
}

struct Operands {
    Tensor x, w;
};

Operands operands(const Stage &stage, const Form &form, mpt_dtype dtype) {
    return {stage.floats(dtype, stage.small({form.m, form.k})), stage.floats(dtype, stage.small({form.n, form.k}))};
}

Tensors linears(const Operands &o, int count) {
    Tensors outputs;
    for (int i = 0; i < count; ++i) {
        mpt_tensor *y;
        OK(mpt_linear(o.x.get(), o.w.get(), nullptr, &y));
        outputs.emplace_back(y);
    }
    return outputs;
}

// The bare product is the fastest of several, so mpt may choose by trying as well.
void tuned(const Stage &stage, const char *value) {
    if (!stage.dry) OK(mpt_context_set_option(stage.ctx, "tune", value));  // a GPU's option
}

Ready ready_for(const Form &form) {
    Ready ready;
    ready.flops = 2.0 * static_cast<double>(form.m) * static_cast<double>(form.n) * static_cast<double>(form.k);
    ready.repeats = repeats_of(ready.flops);
    return ready;
}

void add_ceiling(const Stage &stage, const Form &form, mpt_dtype in, mpt_dtype out, const Operands &o, Ready &ready) {
    OK(mpt_context_synchronize(stage.ctx));
    if (stage.dry) return;
    ready.bare = std::make_unique<BareProduct>(
        ProductCase{form.m, form.n, form.k, in, out, in == MPT_F32, address(o.x), address(o.w)}, ready.repeats);
}

Ready product(const Stage &stage, const Form &form, mpt_dtype dtype) {
    Ready ready = ready_for(form);
    Operands o = operands(stage, form, dtype);
    const bool tf32 = dtype == MPT_F32 && !stage.dry;  // a GPU's option
    if (tf32) OK(mpt_context_set_option(stage.ctx, "tf32", "on"));
    tuned(stage, "on");
    record(
        stage, [&] { return linears(o, ready.repeats); }, ready);
    tuned(stage, "off");
    if (tf32) OK(mpt_context_set_option(stage.ctx, "tf32", "off"));
    add_ceiling(stage, form, dtype, dtype, o, ready);
    ready.kept.push_back(std::move(o.x));
    ready.kept.push_back(std::move(o.w));
    return ready;
}

Tensor in_fp8(const Tensor &x) {
    mpt_tensor *q;
    OK(mpt_cast(x.get(), MPT_F8E4M3, &q));
    return Tensor(q);
}

// Operands in bf16, quantized in each run.
Ready quantized(const Stage &stage, const Form &form, mpt_fp8_recipe recipe) {
    Ready ready = ready_for(form);
    Operands o = operands(stage, form, MPT_BF16);
    OK(mpt_tensor_set_requires_grad(o.w.get(), 1));
    mpt_policy *policy;
    OK(mpt_policy_create(stage.ctx, MPT_BF16, &policy));
    ready.others.emplace_back(policy, mpt_policy_release);
    mpt_fp8_desc desc;
    OK(mpt_fp8_desc_init(&desc, sizeof desc));
    desc.recipe = recipe;
    OK(mpt_policy_set_fp8(policy, &desc));
    const auto step = [&](int count) {
        OK(mpt_autocast_begin(stage.ctx, policy));
        Tensors outputs;
        std::string message;
        try {
            outputs = linears(o, count);
        } catch (const std::exception &e) {
            message = e.what();
        }
        OK(mpt_autocast_end(stage.ctx));
        if (!message.empty()) throw std::runtime_error(message);
        return outputs;
    };
    if (recipe == MPT_FP8_DELAYED) {
        // Scales are there behind the first step of an optimizer.
        mpt_optimizer *sgd;
        OK(mpt_optimizer_sgd(stage.ctx, nullptr, &sgd));
        ready.others.emplace_back(sgd, mpt_optimizer_release);
        mpt_tensor *const parameters[] = {o.w.get()};
        OK(mpt_optimizer_add_group(sgd, "w", parameters, 1, nullptr));
        OK(mpt_optimizer_set_lr(sgd, 0));
        const Tensors y = step(1);
        const Tensor dy = stage.floats(MPT_BF16, stage.small({form.m, form.n}));
        mpt_tensor *const roots[] = {y[0].get()}, *const cotangents[] = {dy.get()};
        OK(mpt_backward_from(roots, cotangents, 1, MPT_GRAD_WRITE));
        OK(mpt_optimizer_step(sgd, nullptr));
    }
    tuned(stage, "on");
    record(
        stage, [&] { return step(ready.repeats); }, ready);
    tuned(stage, "off");
    Operands q{in_fp8(o.x), in_fp8(o.w)};
    add_ceiling(stage, form, MPT_F8E4M3, MPT_BF16, q, ready);
    for (Tensor *tensor : {&o.x, &o.w, &q.x, &q.w}) ready.kept.push_back(std::move(*tensor));
    return ready;
}

}  // namespace

Rows product_rows() {
    static const Form forms[] = {{"4096 x 4096 x 4096", 4096, 4096, 4096},          {"8192 x 8192 x 8192", 8192, 8192, 8192},
                                 {"GPT-2, 16384 x 768 x 3072", 16384, 768, 3072},   {"GPT-2, 16384 x 3072 x 768", 16384, 3072, 768},
                                 {"GPT-2, 16384 x 768 x 50257", 16384, 768, 50257}, {"MLP, 8192 x 784 x 1024", 8192, 784, 1024},
                                 {"MLP, 8192 x 1024 x 1024", 8192, 1024, 1024}};
    Rows rows;
    for (const Form &form : forms)
        for (const mpt_dtype dtype : {MPT_BF16, MPT_F16, MPT_F32})
            rows.push_back({form.name, dtype == MPT_F32 ? "tf32" : mpt_dtype_name(dtype), "",
                            [form, dtype](const Stage &stage) { return product(stage, form, dtype); }});
    const Form square = forms[1];
    rows.push_back({"8192 x 8192 x 8192, current scales: quantize both, then the product", "fp8", "",
                    [square](const Stage &stage) { return quantized(stage, square, MPT_FP8_CURRENT); }});
    rows.push_back({"8192 x 8192 x 8192, delayed scales: the same", "fp8", "",
                    [square](const Stage &stage) { return quantized(stage, square, MPT_FP8_DELAYED); }});
    return rows;
}
