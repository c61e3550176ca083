// Rows of the table: norms with weight and bias, whose own few bytes are not counted. A backward's forward
// has run before its program.
#include "gpu_table.h"

namespace {

using Norm = std::function<mpt_status(mpt_tensor *x, mpt_tensor *weight, mpt_tensor *bias, mpt_tensor **out)>;

constexpr const char *kForward = "x; y", *kBackward = "x, dy; dx";

struct Kind {
    std::string name;
    Shape shape;         // of x in memory
    int features;        // the dimension in memory that weight and bias lie along
    bool channels_last;  // memory is N,H,W,C
    std::function<Norm(const Stage &, mpt_tensor *x)> norm;
    const char *forward_moved, *backward_moved;  // null: there is no such row
    int norms = 1, forward_tensors = 2, backward_tensors = 3;
};

// One of a row's norms, which are as many as it takes to move more than a cache holds.
struct One {
    Tensor memory, view, weight, bias;
    Norm norm;
    One(const Stage &stage, const Kind &kind, mpt_dtype dtype, bool backward) {
        const Shape shape = stage.small(kind.shape), features = {shape[static_cast<size_t>(kind.features)]};
        memory = backward ? stage.tracked(dtype, shape) : stage.floats(dtype, shape);
        if (kind.channels_last) view = transposed(memory, {0, 3, 1, 2});
        weight = stage.floats(MPT_F32, features);
        bias = stage.floats(MPT_F32, features);
        norm = kind.norm(stage, x());
        if (!backward) return;
        OK(mpt_tensor_set_requires_grad(weight.get(), 1));
        OK(mpt_tensor_set_requires_grad(bias.get(), 1));
    }
    mpt_tensor *x() const { return view ? view.get() : memory.get(); }
    Tensor forward() const {
        mpt_tensor *y;
        OK(norm(x(), weight.get(), bias.get(), &y));
        return Tensor(y);
    }
};

Ready make(const Stage &stage, const Kind &kind, mpt_dtype dtype, bool backward) {
    std::vector<One> norms;
    for (int i = 0; i < kind.norms; ++i) norms.emplace_back(stage, kind, dtype, backward);
    Ready ready;
    for (const One &one : norms)
        ready.bytes += (backward ? kind.backward_tensors : kind.forward_tensors) * bytes_of(one.memory.get());
    if (backward) {
        Tensors outputs, views;
        std::vector<mpt_tensor *> roots;
        for (const One &one : norms) {
            outputs.push_back(one.forward());
            if (kind.channels_last) views.push_back(transposed(outputs.back(), {0, 2, 3, 1}));
            roots.push_back(kind.channels_last ? views.back().get() : outputs.back().get());
        }
        record_backward(stage, roots, ready);
    } else {
        record(
            stage,
            [&] {
                Tensors outputs;
                for (const One &one : norms) outputs.push_back(one.forward());
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
                   [](const Stage &, mpt_tensor *) -> Norm {
                       return [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
                           return mpt_layer_norm(x, 1, w, b, 1e-5, out);
                       };
                   },
                   kForward, kBackward});
    all.push_back({"rms_norm", rows, 1, false,
                   [](const Stage &, mpt_tensor *) -> Norm {
                       return [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *, mpt_tensor **out) {
                           return mpt_rms_norm(x, w, 1e-5, out);
                       };
                   },
                   kForward, kBackward});
    for (const bool last : {true, false}) {
        const std::string order = last ? " NHWC" : " NCHW";
        const Shape images = {512, 64, 64, 64};
        const int channel = last ? 3 : 1;
        // The statistics are of far more than a GPU can hold, so that most of what they come from is read twice.
        all.push_back({"batch_norm" + order, images, channel, last,
                       [](const Stage &, mpt_tensor *) -> Norm {
                           return [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
                               return mpt_batch_norm(x, w, b, nullptr, nullptr, 1, 0.1, 1e-5, out);
                           };
                       },
                       "x; y (x twice: at best 67 %)", "x, dy; dx (x, dy twice: at best 60 %)"});
        const Norm norm = [](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
            return mpt_batch_norm(x, w, b, nullptr, nullptr, 1, 0.1, 1e-5, out);
        };
        const auto norm_add_relu = [](const Stage &, mpt_tensor *x) -> Norm {
            mpt_tensor *other;
            OK(mpt_affine(x, 0.5, 1, &other));
            return [added = std::shared_ptr<mpt_tensor>(other, mpt_tensor_release)](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b,
                                                                                    mpt_tensor **out) {
                mpt_tensor *made;
                OK(mpt_batch_norm(x, w, b, nullptr, nullptr, 1, 0.1, 1e-5, &made));
                const Tensor normed(made);
                OK(mpt_add(normed.get(), added.get(), &made));
                const Tensor sum(made);
                return mpt_relu(sum.get(), out);
            };
        };
        // A ResNet's first layers: what a tensor's second reading finds depends on how much of it stays on the GPU.
        const Shape stage_1 = last ? Shape{512, 32, 32, 64} : Shape{512, 64, 32, 32};
        all.push_back({"batch_norm" + order + ", ResNet stage 1", stage_1, channel, last,
                       [=](const Stage &, mpt_tensor *) { return norm; }, kForward, kBackward, 4});
        all.push_back({"batch_norm, add, relu" + order + ", ResNet stage 1", stage_1, channel, last, norm_add_relu, "x, added; y",
                       nullptr, 4, 3});
        all.push_back({"group_norm" + order, images, channel, last,
                       [](const Stage &stage, mpt_tensor *) -> Norm {
                           const int64_t groups = stage.extent(64) / 2;
                           return [groups](mpt_tensor *x, mpt_tensor *w, mpt_tensor *b, mpt_tensor **out) {
                               return mpt_group_norm(x, groups, w, b, 1e-5, out);
                           };
                       },
                       kForward, kBackward});
    }
    return all;
}

}  // namespace

Rows norm_rows() {
    Rows rows;
    for (const Kind &kind : kinds())
        for (const bool backward : {false, true})
            for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
                if (const char *moved = backward ? kind.backward_moved : kind.forward_moved)
                    rows.push_back({kind.name + (backward ? " backward" : " forward"), mpt_dtype_name(dtype), moved,
                                    [=](const Stage &stage) { return make(stage, kind, dtype, backward); }});
    return rows;
}
