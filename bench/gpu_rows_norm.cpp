// Rows of the table: norms with weight and bias, whose own few bytes are not counted. A backward's forward
// has run before its program.
#include "gpu_table.h"

namespace {

using Norm = std::function<mpt_status(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out)>;

struct Kind {
    std::string name;
    Shape shape;         // of x in memory
    int features;        // the dimension in memory that weight and bias lie along
    bool channels_last;  // memory is N,H,W,C
    std::function<Norm(const Stage &)> norm;
    const char *forward_note, *backward_note;
};

Tensor transposed(const Tensor &x, const int32_t (&order)[4]) {
    mpt_tensor *view;
    OK(mpt_transpose(x.get(), 4, order, &view));
    return Tensor(view);
}

Ready make(const Stage &stage, const Kind &kind, mpt_dtype dtype, bool backward) {
    const Shape shape = stage.small(kind.shape);
    const Tensor memory = backward ? stage.tracked(dtype, shape) : stage.floats(dtype, shape);
    const Tensor view = kind.channels_last ? transposed(memory, {0, 3, 1, 2}) : nullptr;
    mpt_tensor *x = view ? view.get() : memory.get();
    const Shape features = {shape[static_cast<size_t>(kind.features)]};
    const Tensor weight = stage.floats(MPT_F32, features), bias = stage.floats(MPT_F32, features);
    const Norm norm = kind.norm(stage);
    const auto forward = [&] {
        mpt_tensor *y;
        OK(norm(x, weight.get(), bias.get(), &y));
        return Tensor(y);
    };
    Ready ready;
    ready.bytes = (backward ? 3 : 2) * bytes_of(x);
    if (backward) {
        OK(mpt_tensor_set_requires_grad(weight.get(), 1));
        OK(mpt_tensor_set_requires_grad(bias.get(), 1));
        const Tensor y = forward();
        const Tensor back = kind.channels_last ? transposed(y, {0, 2, 3, 1}) : nullptr;
        record_backward(stage, back ? back : y, ready);
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
    return ready;
}

std::vector<Kind> kinds() {
    std::vector<Kind> all;
    const Shape rows = {16384, 8192};
    all.push_back({"layer_norm", rows, 1, false,
                   [](const Stage &) -> Norm {
                       return [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
                           return mpt_layer_norm(x, 1, w, b, 1e-5, out);
                       };
                   },
                   "", ""});
    all.push_back({"rms_norm", rows, 1, false,
                   [](const Stage &) -> Norm {
                       return [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *, mpt_tensor **out) {
                           return mpt_rms_norm(x, w, 1e-5, out);
                       };
                   },
                   "", ""});
    for (const bool last : {true, false}) {
        const std::string order = last ? " NHWC" : " NCHW";
        const Shape images = {512, 64, 64, 64};
        const int channel = last ? 3 : 1;
        // The statistics are of far more than a block of threads can hold, so that what they come from is read twice.
        all.push_back({"batch_norm" + order, images, channel, last,
                       [](const Stage &) -> Norm {
                           return [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
                               return mpt_batch_norm(x, w, b, nullptr, nullptr, 1, 0.1, 1e-5, out);
                           };
                       },
                       " (x twice: at best 67 %)", " (x, dy twice: at best 60 %)"});
        all.push_back({"group_norm" + order, images, channel, last,
                       [](const Stage &stage) -> Norm {
                           const int64_t groups = stage.extent(64) / 2;
                           return [groups](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
                               return mpt_group_norm(x, groups, w, b, 1e-5, out);
                           };
                       },
                       "", ""});
    }
    return all;
}

}  // namespace

Rows norm_rows() {
    Rows rows;
    for (const Kind &kind : kinds())
        for (const bool backward : {false, true})
            for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
                rows.push_back({kind.name + (backward ? " backward" : " forward"), mpt_dtype_name(dtype),
                                backward ? std::string("x, dy; dx") + kind.backward_note : std::string("x; y") + kind.forward_note,
                                [=](const Stage &stage) { return make(stage, kind, dtype, backward); }});
    return rows;
}
