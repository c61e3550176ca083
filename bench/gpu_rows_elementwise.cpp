// Rows of the table: casts, elementwise ops, dropout, sums. Casts and sums have their kin for a gradient, so that only the others
// are measured backward.
#include "gpu_table.h"

namespace {

const Shape matrix = {16384, 8192};

using Call = std::function<mpt_status(const std::vector<mpt_tensor *> &in, mpt_tensor **out)>;

struct Measured {
    std::string name;
    int inputs;
    Call call;
    // How many tensors of x's size and type are moved, and besides how many bytes for each element.
    int forward_tensors, backward_tensors;
    double more;
    std::string forward_moved, backward_moved;
};

Ready make(const Stage &stage, const Measured &op, mpt_dtype dtype, bool backward) {
    const Shape shape = stage.small(matrix);
    Tensors inputs;
    std::vector<mpt_tensor *> handles;
    for (int i = 0; i < op.inputs; ++i) {
        inputs.push_back(backward ? stage.tracked(dtype, shape) : stage.floats(dtype, shape));
        handles.push_back(inputs.back().get());
    }
    const auto forward = [&] {
        mpt_tensor *y;
        OK(op.call(handles, &y));
        return Tensor(y);
    };
    Ready ready;
    ready.bytes = (backward ? op.backward_tensors : op.forward_tensors) * bytes_of(handles[0]) +
                  op.more * static_cast<double>(shape[0] * shape[1]);
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

Ready cast(const Stage &stage, mpt_dtype from, mpt_dtype to) {
    const Tensor x = stage.floats(from, stage.small(matrix));
    Ready ready;
    record(
        stage,
        [&] {
            mpt_tensor *y;
            OK(mpt_cast(x.get(), to, &y));
            Tensors outputs;
            outputs.emplace_back(y);
            return outputs;
        },
        ready);
    ready.bytes = bytes_of(x.get()) + bytes_of(ready.kept[0].get());
    return ready;
}

Ready sum(const Stage &stage, mpt_dtype dtype, int32_t dim) {
    const Tensor x = stage.floats(dtype, stage.small({32768, 8192}));
    Ready ready;
    record(
        stage,
        [&] {
            mpt_tensor *y;
            OK(mpt_sum(x.get(), 1, &dim, 0, &y));
            Tensors outputs;
            outputs.emplace_back(y);
            return outputs;
        },
        ready);
    ready.bytes = bytes_of(x.get());
    return ready;
}

std::vector<Measured> ops() {
    using In = const std::vector<mpt_tensor *> &;
    return {
        {"add", 2, [](In in, mpt_tensor **out) { return mpt_add(in[0], in[1], out); }, 3, 0, 0, "a, b; y", ""},
        {"mul", 2, [](In in, mpt_tensor **out) { return mpt_mul(in[0], in[1], out); }, 3, 5, 0, "a, b; y", "a, b, dy; da, db"},
        {"relu", 1, [](In in, mpt_tensor **out) { return mpt_relu(in[0], out); }, 2, 3, 0, "x; y", "y, dy; dx"},
        {"gelu", 1, [](In in, mpt_tensor **out) { return mpt_gelu(in[0], MPT_GELU_EXACT, out); }, 2, 3, 0, "x; y", "x, dy; dx"},
        {"gelu tanh", 1, [](In in, mpt_tensor **out) { return mpt_gelu(in[0], MPT_GELU_TANH, out); }, 2, 3, 0, "x; y", "x, dy; dx"},
        {"dropout", 1, [](In in, mpt_tensor **out) { return mpt_dropout(in[0], 0.1, out); }, 2, 2, 1, "x; y, mask", "dy, mask; dx"},
    };
}

}  // namespace

Rows elementwise_rows() {
    Rows rows;
    const std::pair<mpt_dtype, mpt_dtype> casts[] = {{MPT_F32, MPT_BF16}, {MPT_BF16, MPT_F32}};
    for (const auto &[from, to] : casts)
        rows.push_back({"cast", std::string(mpt_dtype_name(from)) + " to " + mpt_dtype_name(to), "x; y",
                        [from = from, to = to](const Stage &stage) { return cast(stage, from, to); }});
    for (const Measured &op : ops())
        for (const bool backward : {false, true}) {
            if (backward && op.backward_tensors == 0) continue;
            for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
                rows.push_back({op.name + (backward ? " backward" : " forward"), mpt_dtype_name(dtype),
                                backward ? op.backward_moved : op.forward_moved,
                                [=](const Stage &stage) { return make(stage, op, dtype, backward); }});
        }
    for (const int32_t dim : {0, 1})
        for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
            rows.push_back({dim == 0 ? "sum of rows" : "sum of columns", mpt_dtype_name(dtype), "x",
                            [=](const Stage &stage) { return sum(stage, dtype, dim); }});
    return rows;
}
