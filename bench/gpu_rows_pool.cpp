// Rows of the table: pooling of images. A library that moves the compulsory bytes as fast as a copy cannot be beaten by another.
#include "gpu_table.h"

namespace {

using Pool = mpt_status (*)(mpt_tensor *, const mpt_pool2d_params *, mpt_tensor **);

struct Kind {
    std::string name;
    Pool pool;
    int32_t kernel, stride, padding;
    bool places;  // where each maximum was is kept, a byte each
};

Ready make(const Stage &stage, const Kind &kind, bool channels_last, mpt_dtype dtype, bool backward) {
    const Shape shape = stage.small(channels_last ? Shape{288, 112, 112, 64} : Shape{288, 64, 112, 112});
    const Tensor memory = backward ? stage.tracked(dtype, shape) : stage.floats(dtype, shape);
    const Tensor view = channels_last ? transposed(memory, {0, 3, 1, 2}) : nullptr;
    mpt_pool2d_params params;
    OK(mpt_pool2d_params_init(&params, sizeof params));
    params.kernel_h = params.kernel_w = kind.kernel;
    params.stride_h = params.stride_w = kind.stride;
    params.padding_h = params.padding_w = kind.padding;
    const auto forward = [&] {
        mpt_tensor *y;
        OK(kind.pool(view ? view.get() : memory.get(), &params, &y));
        return Tensor(y);
    };
    Ready ready;
    const double bytes = bytes_of(memory.get());
    ready.bytes = bytes + bytes / 4 + (kind.places ? bytes / 4 / static_cast<double>(mpt_dtype_size(dtype)) : 0);
    if (backward) {
        const Tensor y = forward(), root = channels_last ? transposed(y, {0, 2, 3, 1}) : nullptr;
        record_backward(stage, {root ? root.get() : y.get()}, ready);
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

}  // namespace

Rows pool_rows() {
    Rows rows;
    const Kind kinds[] = {{"max_pool2d 2x2", mpt_max_pool2d, 2, 2, 0, true},
                          {"max_pool2d 3x3, stride 2", mpt_max_pool2d, 3, 2, 1, true},
                          {"avg_pool2d 2x2", mpt_avg_pool2d, 2, 2, 0, false}};
    for (const Kind &kind : kinds)
        for (const bool last : {true, false})
            for (const bool backward : {false, true})
                for (const mpt_dtype dtype : {MPT_F32, MPT_BF16})
                    rows.push_back({kind.name + (last ? " NHWC" : " NCHW") + (backward ? " backward" : " forward"),
                                    mpt_dtype_name(dtype),
                                    std::string(backward ? "dy; dx" : "x; y") + (kind.places ? ", places" : ""),
                                    [=](const Stage &stage) { return make(stage, kind, last, dtype, backward); }});
    return rows;
}
