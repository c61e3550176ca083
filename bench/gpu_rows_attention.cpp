// Rows of the table: causal attention of GPT-2's shape. Only what the mask lets through counts as work, twice for the forward and
// five times for the backward, which makes the scores again. The ceiling is one large product of as many operations. Each row stands
// once more without cuDNN.
#include "gpu_table.h"

namespace {

constexpr int64_t kBatch = 32, kHeads = 12, kRows = 1024, kColumns = 64, kSide = 4096;

void with_cudnn(const Stage &stage, const char *value) {
    if (!stage.dry) OK(mpt_context_set_option(stage.ctx, "cudnn", value));  // a GPU's option
}

Ready make(const Stage &stage, mpt_dtype dtype, bool backward, bool cudnn) {
    const Shape shape = stage.small({kBatch, kHeads, kRows, kColumns});
    Tensors inputs;
    for (int i = 0; i < 3; ++i) inputs.push_back(backward ? stage.tracked(dtype, shape) : stage.floats(dtype, shape));
    mpt_attention_params params;
    OK(mpt_attention_params_init(&params, sizeof params));
    params.causal = 1;
    const auto forward = [&] {
        mpt_tensor *y;
        OK(mpt_attention(inputs[0].get(), inputs[1].get(), inputs[2].get(), nullptr, &params, &y));
        return Tensor(y);
    };
    with_cudnn(stage, cudnn ? "on" : "off");
    Ready ready;
    const int64_t pairs = kBatch * kHeads * kRows * kRows / 2;
    ready.flops = 2.0 * static_cast<double>(pairs) * kColumns * (backward ? 5 : 2);
    if (backward) {
        // The result lies as [B,T,H,D].
        const Tensor y = forward();
        const int32_t order[] = {0, 2, 1, 3};
        mpt_tensor *root;
        OK(mpt_transpose(y.get(), 4, order, &root));
        record_backward(stage, {Tensor(root).get()}, ready);
    } else {
        record(
            stage,
            [&] {
                Tensors outputs;
                outputs.push_back(forward());
                return outputs;
            },
            ready);
    }
    with_cudnn(stage, "on");
    if (!stage.dry) {
        const int64_t depth = pairs * kColumns * (backward ? 5 : 2) / (kSide * kSide);
        Tensor x = stage.floats(dtype, {kSide, depth}), w = stage.floats(dtype, {kSide, depth});
        void *data[2];
        OK(mpt_tensor_data(x.get(), &data[0]));
        OK(mpt_tensor_data(w.get(), &data[1]));
        OK(mpt_context_synchronize(stage.ctx));
        ready.bare = std::make_unique<BareProduct>(ProductCase{kSide, kSide, depth, dtype, dtype, false, data[0], data[1]}, 1);
        ready.kept.push_back(std::move(x));
        ready.kept.push_back(std::move(w));
    }
    for (Tensor &input : inputs) ready.kept.push_back(std::move(input));
    return ready;
}

}  // namespace

Rows attention_rows() {
    Rows rows;
    for (const bool cudnn : {true, false})
        for (const bool backward : {false, true})
            for (const mpt_dtype dtype : {MPT_BF16, MPT_F16})
                rows.push_back({std::string("attention, 32 x 12 x 1024 x 64 causal, ") + (backward ? "backward" : "forward") +
                                    (cudnn ? "" : ", without cuDNN"),
                                mpt_dtype_name(dtype), "", [=](const Stage &stage) { return make(stage, dtype, backward, cudnn); }});
    return rows;
}
