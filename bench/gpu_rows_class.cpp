// Rows of the table: softmax and its kin over a vocabulary.
#include "gpu_table.h"

namespace {

const Shape logits_shape = {16384, 50257};

using Softmax = mpt_status (*)(mpt_tensor *, int32_t, mpt_tensor **);

Ready softmax(const Stage &stage, Softmax op, mpt_dtype dtype, bool backward) {
    const Shape shape = stage.small(logits_shape);
    const Tensor x = backward ? stage.tracked(dtype, shape) : stage.floats(dtype, shape);
    const auto forward = [&] {
        mpt_tensor *y;
        OK(op(x.get(), -1, &y));
        return Tensor(y);
    };
    Ready ready;
    ready.bytes = (backward ? 3 : 2) * bytes_of(x.get());
    if (backward)
        record_backward(stage, {forward().get()}, ready);
    else
        record(
            stage,
            [&] {
                Tensors outputs;
                outputs.push_back(forward());
                return outputs;
            },
            ready);
    return ready;
}

enum class Part { Forward, Backward, Both };

Ready cross_entropy(const Stage &stage, mpt_dtype dtype, Part part) {
    const Shape shape = stage.small(logits_shape);
    const Tensor logits = part == Part::Forward ? stage.floats(dtype, shape) : stage.tracked(dtype, shape);
    const Tensor target = stage.classes(shape[0], shape[1]);
    const auto forward = [&] {
        mpt_tensor *loss;
        OK(mpt_cross_entropy(logits.get(), target.get(), nullptr, &loss));
        return Tensor(loss);
    };
    Ready ready;
    ready.bytes = (part == Part::Forward ? 1 : 2) * bytes_of(logits.get());
    Tensors before;
    if (part == Part::Backward) before.push_back(forward());
    record(
        stage,
        [&] {
            Tensors outputs;
            if (part != Part::Backward) outputs.push_back(forward());
            if (part != Part::Forward) OK(mpt_backward((before.empty() ? outputs : before)[0].get(), nullptr, MPT_GRAD_WRITE));
            return outputs;
        },
        ready);
    return ready;
}

}  // namespace

Rows class_rows() {
    Rows rows;
    const std::pair<const char *, Softmax> softmaxes[] = {{"softmax", mpt_softmax}, {"log_softmax", mpt_log_softmax}};
    for (const auto &[name, op] : softmaxes)
        for (const bool backward : {false, true})
            for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
                rows.push_back({std::string(name) + (backward ? " backward" : " forward"), mpt_dtype_name(dtype),
                                backward ? "y, dy; dx" : "x; y",
                                [=, op = op](const Stage &stage) { return softmax(stage, op, dtype, backward); }});
    const struct {
        Part part;
        const char *name, *moved;
    } parts[] = {{Part::Forward, "cross_entropy forward", "logits"},
                 {Part::Backward, "cross_entropy backward", "logits; dlogits"},
                 {Part::Both, "cross_entropy forward + backward", "logits; dlogits"}};
    for (const auto &p : parts)
        for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
            rows.push_back({p.name, mpt_dtype_name(dtype), p.moved,
                            [dtype, part = p.part](const Stage &stage) { return cross_entropy(stage, dtype, part); }});
    return rows;
}
