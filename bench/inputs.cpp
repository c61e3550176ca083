// The inputs of a benchmark: made, filled and counted.
#include <stdexcept>

#include "ops_table.h"

void check(mpt_status status, const char *call) {
    if (status != MPT_OK) throw std::runtime_error(std::string(call) + ": " + mpt_last_error());
}

double bytes_of(const mpt_tensor *tensor) {
    int64_t count;
    mpt_dtype dtype;
    OK(mpt_tensor_numel(tensor, &count));
    OK(mpt_tensor_dtype(tensor, &dtype));
    return static_cast<double>(count) * static_cast<double>(mpt_dtype_size(dtype));
}

mpt_tensor *Inputs::keep(mpt_tensor *tensor) {
    all_.emplace_back(tensor);
    input_bytes_ += bytes_of(tensor);
    return tensor;
}

mpt_tensor *Inputs::leaf(mpt_tensor *tensor) {
    keep(tensor);
    OK(mpt_tensor_random_normal(tensor, 0, 1));
    if (gradients_) {
        OK(mpt_tensor_set_requires_grad(tensor, 1));
        gradient_bytes_ += bytes_of(tensor);
    }
    return tensor;
}

mpt_tensor *Inputs::floats(const Shape &shape, mpt_dtype dtype) {
    mpt_tensor *made;
    OK(mpt_tensor_create(ctx_, dtype == MPT_DTYPE_NONE ? dtype_ : dtype, static_cast<int32_t>(shape.size()), shape.data(), &made));
    return leaf(made);
}

mpt_tensor *Inputs::image(int64_t n, int64_t c, int64_t h, int64_t w) {
    const int64_t shape[] = {n, c, h, w}, strides[] = {h * w * c, 1, w * c, c};
    const size_t nbytes = static_cast<size_t>(n * c * h * w) * mpt_dtype_size(dtype_);
    memory_.emplace_back(nbytes);
    mpt_tensor *made;
    OK(mpt_tensor_wrap(ctx_, dtype_, 4, shape, strides, memory_.back().data(), nbytes, nullptr, nullptr, &made));
    return leaf(made);
}

mpt_tensor *Inputs::indices(const Shape &shape, int64_t limit) {
    int64_t count = 1;
    for (int64_t extent : shape) count *= extent;
    std::vector<int64_t> values(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = i * 7919 % limit;
    mpt_tensor *made;
    OK(mpt_tensor_create(ctx_, MPT_I64, static_cast<int32_t>(shape.size()), shape.data(), &made));
    keep(made);
    OK(mpt_tensor_write(made, values.data(), values.size() * sizeof values[0]));
    return made;
}
